package dynamo_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// wire stands between a client and the server: it counts, loses and replaces requests and answers.
type wire struct {
	client *dynamodb.Client
	send   func(*http.Request) (*http.Response, error)
	calls  atomic.Int64
	// loseAnswers is how many answers get lost: the server has done what it was asked.
	loseAnswers atomic.Int64
	// loseRequests is how many requests never arrive. Then, before each, meanwhile is called.
	loseRequests atomic.Int64
	meanwhile    func()
}

var errLost = errors.New("connection reset by the test")

// newWire is a wire to where client sends.
func newWire(client *dynamodb.Client) *wire {
	w := &wire{send: client.Options().HTTPClient.Do}
	w.client = dynamodb.New(client.Options(), func(o *dynamodb.Options) { o.HTTPClient = w })
	return w
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.calls.Add(1)
	if w.loseRequests.Add(-1) >= 0 {
		w.meanwhile()
		return nil, &lost{}
	}
	resp, err := w.send(r)
	if err == nil && w.loseAnswers.Add(-1) >= 0 {
		resp.Body.Close()
		return nil, &lost{}
	}
	return resp, err
}

// lost is what the SDK takes for a broken connection.
type lost struct{}

func (*lost) Error() string   { return errLost.Error() }
func (*lost) Timeout() bool   { return true }
func (*lost) Temporary() bool { return true }
func (*lost) Unwrap() error   { return errLost }

// answering is a client whose server is a function from the request's body to status and body.
func answering(answer func(operation, body string) (int, string)) *wire {
	send := func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		status, text := answer(operation, string(body))
		return &http.Response{StatusCode: status, Request: r, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(text)),
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
	return newWire(dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String("http://dynamodb.test"), DisableValidateResponseChecksum: true, HTTPClient: doer(send),
	}))
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
