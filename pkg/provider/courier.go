package provider

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/opennotify/notify/pkg/message"
)

// Courier carries the one request of an attempt for a vendor's SDK, in place of its http.Client, and
// remembers how that went: an SDK's own errors do not tell whether the request may have left.
type Courier struct {
	Client   *http.Client
	Asked    bool           // there was a request
	Answered bool           // and an answer to it
	Answer   Answer         // if answered
	Fault    message.Result // if asked, but not answered
}

var errNoAnswer = errors.New("provider: no answer")

// Do is what the SDK calls.
func (c *Courier) Do(req *http.Request) (*http.Response, error) {
	c.Asked = true
	c.Answer, c.Fault, c.Answered = Exchange(c.Client, req)
	if !c.Answered {
		return nil, errNoAnswer
	}
	return &http.Response{
		StatusCode: c.Answer.Status, Status: http.StatusText(c.Answer.Status), Header: c.Answer.Header, Request: req,
		Body: io.NopCloser(bytes.NewReader(c.Answer.Body)), ContentLength: int64(len(c.Answer.Body)),
	}, nil
}
