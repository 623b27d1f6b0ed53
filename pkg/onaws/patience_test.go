package onaws

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/sqs"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// A call that AWS does not answer is made again.
func TestUnansweredCallsAreMadeAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer string
		call   func(t *testing.T, cfg aws.Config) error
	}{
		"a read of the table": {`{"Responses":{"notify":[]},"UnprocessedKeys":{}}`, func(t *testing.T, cfg aws.Config) error {
			_, err := dynamo.Open(dynamodb.NewFromConfig(cfg), dynamo.Options{Table: "notify"}).Get(t.Context(), store.Key{PK: "p", SK: "s"})
			return err
		}},
		"a hint": {`{"Successful":[{"Id":"0","MessageId":"1","MD5OfMessageBody":"49f68a5c8493ec2c0bf489821c21fc3b"}],"Failed":[]}`, func(t *testing.T, cfg aws.Config) error {
			q := sqs.Open(awssqs.NewFromConfig(cfg), sqs.Options{Stack: "notify", URL: sqs.URLs("us-east-1", "000000000000", "notify"), Rand: func() float64 { return 0 }})
			return q.Send(t.Context(), queue.Control, queue.Item{Body: []byte("hi")})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			over := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				if calls.Add(1) == 1 {
					<-over
					return
				}
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				_, _ = io.WriteString(w, row.answer)
			}))
			t.Cleanup(server.Close)
			t.Cleanup(func() { close(over) })
			cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: client(300 * time.Millisecond),
				Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
			if err := row.call(t, cfg); err != nil || calls.Load() < 2 {
				t.Errorf("%v after %d calls", err, calls.Load())
			}
		})
	}
}
