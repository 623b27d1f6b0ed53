package onlambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Flusher is what has something to write at the end of an invocation: metrics.
type Flusher interface {
	Flush(ctx context.Context) error
}

// HTTP makes a Lambda handler of an http.Handler. It tells the two payload formats apart by themselves
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
func HTTP(h http.Handler, f Flusher, log *slog.Logger) func(ctx context.Context, payload json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		var version struct {
			Version        string `json:"version"`
			RequestContext struct {
				HTTP json.RawMessage `json:"http"`
			} `json:"requestContext"`
		}
		if err := json.Unmarshal(payload, &version); err != nil {
			return nil, fmt.Errorf("onlambda: no HTTP event: %w", err)
		}
		read, answer := requestV1, answerV1
		if version.Version == "2.0" || len(version.RequestContext.HTTP) > 0 {
			read, answer = requestV2, answerV2
		}
		r, err := read(ctx, payload)
		if err != nil {
			return nil, err
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, r)
		if err := f.Flush(ctx); err != nil {
			log.ErrorContext(ctx, "metrics not written", "error", err) // whoever was told 202 must hear it
		}
		return answer(w), nil
	}
}

func requestV2(ctx context.Context, payload json.RawMessage) (*http.Request, error) {
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("onlambda: HTTP event 2.0: %w", err)
	}
	header := http.Header{}
	for k, v := range e.Headers { // several values of one name are joined by commas already
		header.Set(k, v)
	}
	if len(e.Cookies) > 0 {
		header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	path := e.RawPath
	if stage := e.RequestContext.Stage; stage != "" && stage != "$default" {
		path = strings.TrimPrefix(path, "/"+stage) // a named stage is part of the raw path
	}
	return request(ctx, e.RequestContext.HTTP.Method, path, e.RawQueryString, header, e.Body, e.IsBase64Encoded, e.RequestContext.HTTP.SourceIP)
}

func requestV1(ctx context.Context, payload json.RawMessage) (*http.Request, error) {
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("onlambda: HTTP event 1.0: %w", err)
	}
	if e.HTTPMethod == "" {
		return nil, errors.New("onlambda: the event is not one of an HTTP API, a REST API or a Function URL")
	}
	header := http.Header{}
	for k, v := range e.Headers {
		header.Set(k, v)
	}
	for k, vs := range e.MultiValueHeaders {
		header[http.CanonicalHeaderKey(k)] = vs
	}
	query := url.Values(e.MultiValueQueryStringParameters)
	if query == nil {
		query = url.Values{}
	}
	for k, v := range e.QueryStringParameters {
		if !query.Has(k) {
			query.Set(k, v)
		}
	}
	// The path of format 1.0 is decoded.
	return request(ctx, e.HTTPMethod, (&url.URL{Path: e.Path}).EscapedPath(), query.Encode(), header, e.Body, e.IsBase64Encoded, e.RequestContext.Identity.SourceIP)
}

func request(ctx context.Context, method, path, query string, header http.Header, body string, encoded bool, ip string) (*http.Request, error) {
	content := []byte(body)
	if encoded {
		var err error
		if content, err = base64.StdEncoding.DecodeString(body); err != nil {
			return nil, fmt.Errorf("onlambda: body: %w", err)
		}
	}
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, errors.New("onlambda: the path is not one") // the parser's error quotes it
	}
	u.RawQuery = query
	r := &http.Request{Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: header.Get("Host"),
		Body: io.NopCloser(bytes.NewReader(content)), ContentLength: int64(len(content)), RequestURI: u.RequestURI(), RemoteAddr: ip + ":0"}
	if strings.Contains(ip, ":") {
		r.RemoteAddr = "[" + ip + "]:0"
	}
	return r.WithContext(ctx), nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// text gives the body as Lambda wants it: as it is where it is text, else in base64.
func (w *recorder) text() (body string, encoded bool) {
	if b := w.body.Bytes(); w.header.Get("Content-Encoding") != "" || !utf8.Valid(b) {
		return base64.StdEncoding.EncodeToString(b), true
	}
	return w.body.String(), false
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func answerV2(w *recorder) any {
	out := events.APIGatewayV2HTTPResponse{StatusCode: w.code(), Headers: map[string]string{}, Cookies: w.header.Values("Set-Cookie")}
	for k, vs := range w.header {
		if k != "Set-Cookie" {
			out.Headers[k] = strings.Join(vs, ", ")
		}
	}
	out.Body, out.IsBase64Encoded = w.text()
	return out
}

func answerV1(w *recorder) any {
	out := events.APIGatewayProxyResponse{StatusCode: w.code(), MultiValueHeaders: w.header}
	out.Body, out.IsBase64Encoded = w.text()
	return out
}
