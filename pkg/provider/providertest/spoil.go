package providertest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// stall takes the request, ends the caller's context, and says nothing until the caller has gone.
func stall(_ testing.TB, fire func()) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		fire()
		<-r.Context().Done()
	}
}

// cut takes the request and ends the connection.
func cut(testing.TB, func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}
}

// drip begins an answer and never ends it.
func drip(_ testing.TB, fire func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(`{"`))
		_ = http.NewResponseController(w).Flush()
		fire()
		<-r.Context().Done()
	}
}

// endless answers with more than anyone should read.
func endless(t testing.TB, _ func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		pour(t, w.Write)
	}
}

// headers begins an answer whose headers do not end.
func headers(t testing.TB, _ func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nX-Fill: ")); err == nil {
			pour(t, conn.Write)
		}
	}
}

// pour writes until the other side has had enough.
func pour(t testing.TB, write func([]byte) (int, error)) {
	chunk := bytes.Repeat([]byte{'x'}, 64<<10)
	for n := 0; n < overread; n += len(chunk) {
		if _, err := write(chunk); err != nil {
			return
		}
	}
	t.Error("the sender reads an endless answer")
}

// answer is a fixed one.
func answer(status int, body string) func(testing.TB, func()) http.HandlerFunc {
	return func(testing.TB, func()) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
}

// splice puts the canary into the words of an answer: into every text of a JSON document, or only into
// those that look like sentences, so that the codes stay what they are; else behind it.
func splice(body []byte, canary string, everywhere bool) []byte {
	v, ok := decode(body)
	if !ok {
		return append(bytes.Clone(body), canary...)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			if everywhere || strings.Contains(v, " ") {
				return v + canary
			}
		}
		return v
	}
	out, err := json.Marshal(walk(v))
	if err != nil {
		return body
	}
	return out
}
