package ses

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// courier carries the SDK's one request of an attempt, and remembers how that went: the SDK's own errors do
// not tell whether the request may have left.
type courier struct {
	client   *http.Client
	asked    bool            // there was a request
	answered bool            // and an answer to it
	answer   provider.Answer // if answered
	fault    message.Result  // if asked, but not answered
}

var errNoAnswer = errors.New("ses: no answer")

// Do is what the SDK calls.
func (c *courier) Do(req *http.Request) (*http.Response, error) {
	c.asked = true
	c.answer, c.fault, c.answered = provider.Exchange(c.client, req)
	if !c.answered {
		return nil, errNoAnswer
	}
	return &http.Response{
		StatusCode: c.answer.Status, Status: http.StatusText(c.answer.Status), Header: c.answer.Header, Request: req,
		Body: io.NopCloser(bytes.NewReader(c.answer.Body)), ContentLength: int64(len(c.answer.Body)),
	}, nil
}
