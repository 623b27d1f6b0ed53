package stack

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/opennotify/notify/pkg/message"
)

// What works on a stack from outside is told what its functions are: else messages would not be on its bus, and canaries
// nobody's.
func TestFind(t *testing.T) {
	t.Parallel()
	var outputs, parameters strings.Builder
	for name, v := range map[string]string{"Table": "t", "KmsKey": "arn:aws:kms:x", "Stage": "dev", "Account": "123456789012", "DueShards": "4", "Url": "https://api.example.com"} {
		fmt.Fprintf(&outputs, "<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", name, v)
	}
	for name, v := range map[string]string{"Bus": "on", "Canary": "on", "Sms": "on", "DingTalk": "on", "Push": "off", "Allow": "@example.com"} {
		fmt.Fprintf(&parameters, "<member><ParameterKey>%s</ParameterKey><ParameterValue>%s</ParameterValue></member>", name, v)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/xml")
		if !strings.Contains(string(body), "StackName=notify-dev") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>`)
			return
		}
		fmt.Fprintf(w, "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><Outputs>%s</Outputs><Parameters>%s</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>", &outputs, &parameters)
	}))
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	env, url, err := Find(t.Context(), cfg, "notify-dev")
	if err != nil {
		t.Fatal(err)
	}
	if env.Bus != "notify-dev" || env.Canary != "notify-dev/canary" || url != "https://api.example.com" || !slices.Equal(env.Allow, []string{"@example.com"}) {
		t.Errorf("%+v", env)
	}
	if want := []message.Channel{message.DingTalk, message.Other, message.SMS}; !slices.Equal(env.Channels, want) {
		t.Errorf("channels %v, want %v", env.Channels, want)
	}
	if _, _, err := Find(t.Context(), cfg, "x"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}
