package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/opennotify/notify/pkg/problem"
)

// readBody checks what the headers say of the body and reads all of it.
func readBody(a *answer, e *Endpoint) error {
	c, limit := a.call, e.maxBody()
	r := c.r
	hasBody := r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody
	if hasBody && !e.IsRaw() {
		if err := mediaType(r.Header); err != nil {
			return err
		}
	}
	if !hasBody {
		return nil
	}
	if r.ContentLength > limit {
		return tooLarge(a, limit)
	}
	body, err := readAll(r.Body, r.ContentLength, limit)
	var timeout net.Error
	switch {
	case errors.Is(err, errTooLarge):
		return tooLarge(a, limit)
	case errors.As(err, &timeout) && timeout.Timeout():
		return incomplete(a, "the body did not come in time")
	case err != nil:
		return incomplete(a, "the body ended before its announced length, or its chunks cannot be read")
	}
	c.body = body
	if e.IsRaw() {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return nil
}

var errTooLarge = errors.New("httpapi: body too large")

// firstRead bounds what is allocated on a client's word alone.
const firstRead = 64 << 10

func readAll(r io.Reader, announced, limit int64) ([]byte, error) {
	size := min(int64(512), limit)
	if announced > 0 {
		size = min(announced, firstRead)
	}
	buf := make([]byte, 0, size+1) // one more, so that the end is seen without growing
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// tooLarge and incomplete leave bytes on the connection that are no request: it must end.
func tooLarge(a *answer, limit int64) error {
	a.Header().Set("Connection", "close")
	return problem.New(problem.TooLarge, "the body may have %d bytes", limit)
}

func incomplete(a *answer, detail string) error {
	a.Header().Set("Connection", "close")
	return problem.New(problem.BadJSON, "%s", detail)
}

func mediaType(h http.Header) error {
	for _, v := range h["Content-Encoding"] {
		if v != "" && !strings.EqualFold(v, "identity") {
			return problem.New(problem.UnsupportedMedia, "send the body without Content-Encoding: it is taken uncompressed only")
		}
	}
	values := h["Content-Type"]
	if len(values) == 1 {
		switch values[0] {
		case "application/json", "application/json; charset=utf-8":
			return nil
		}
		kind, params, err := mime.ParseMediaType(values[0])
		charset, given := params["charset"]
		if err == nil && kind == "application/json" && (len(params) == 0 || len(params) == 1 && given && strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	return problem.New(problem.UnsupportedMedia, "send Content-Type: application/json, in UTF-8")
}
