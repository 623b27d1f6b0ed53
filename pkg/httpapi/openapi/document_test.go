package openapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/openapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

var update = flag.Bool("update", false, "write the golden files")

type request struct {
	To       recipients        `json:"to" doc:"Who gets it."`
	Template string            `json:"template" doc:"A template's name." example:"login-code" maxLength:"64"`
	Class    string            `json:"class,omitempty" enum:"otp,marketing"`
	SendAt   *time.Time        `json:"send_at,omitempty" doc:"When, if not now."`
	Vars     map[string]any    `json:"vars,omitempty"`
	Meta     map[string]detail `json:"meta,omitempty"`
	Amount   json.Number       `json:"amount,omitempty"`
}

type detail struct {
	Parts []detail `json:"parts,omitempty" doc:"A type may hold itself."`
	Note  *string  `json:"note"`
}

// recipients is a type with a form of its own.
type recipients []string

func (recipients) JSONSchema() string {
	return `{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"},"maxItems":100}]}`
}

type response struct {
	ID     string   `json:"id" readOnly:"true"`
	Detail detail   `json:"detail"`
	Owner  owner    `json:"owner"`
	Tags   []string `json:"tags"`
	Others []*owner `json:"others" doc:"null where one is gone."`
}

type owner struct {
	Name string `json:"name"`
}

func route[In, Out any](op httpapi.Op) httpapi.Endpoint {
	return httpapi.Route(op, func(context.Context, *httpapi.Call, *In) (*Out, error) { return nil, nil })
}

func endpoints() []httpapi.Endpoint {
	return []httpapi.Endpoint{
		route[request, response](httpapi.Op{
			Method: "POST", Path: "/v1/messages", ID: "sendMessage", Summary: "Send a message", Description: "To one or many.", Tags: []string{"messages"},
			Scope: tenant.Send, Status: 202, Instead: 200, Codes: []problem.Code{problem.KeyReused, problem.DailyLimit},
			Headers: []httpapi.Param{{Name: "Idempotency-Key", Description: "The same key is the same message.", Example: "order-1"}},
		}),
		route[struct{}, response](httpapi.Op{
			Method: "GET", Path: "/v1/messages/{id}", ID: "getMessage", Summary: "Read a message", Scope: tenant.Read, Codes: []problem.Code{problem.NotFound},
			PathParams: []httpapi.Param{{Name: "id", Description: "The message's id."}},
			Query:      []httpapi.Param{{Name: "view", Enum: []string{"short", "full"}}},
		}),
		route[struct{}, struct{}](httpapi.Op{Method: "DELETE", Path: "/v1/messages/{id}", ID: "deleteMessage", Summary: "Delete a message", Scope: tenant.Admin}),
		route[tenant.Owner, tenant.Owner](httpapi.Op{Method: "PUT", Path: "/v1/owner", ID: "putOwner", Summary: "Set the owner", BodyOptional: true}),
		httpapi.Raw(httpapi.Op{Method: "POST", Path: "/v1/receipts/{provider}/{rest...}", ID: "receipt", Summary: "Take a receipt"},
			func(context.Context, *httpapi.Call, http.ResponseWriter, *http.Request) error { return nil }),
		httpapi.Raw(httpapi.Op{Method: "GET", Path: "/{$}", ID: "home", Media: "text/html", Summary: "The console"},
			func(context.Context, *httpapi.Call, http.ResponseWriter, *http.Request) error { return nil }),
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	info := openapi.Info{Title: "notify", Version: "1", Description: "Sends.", Servers: []string{"http://127.0.0.1:8080"}, Tags: []openapi.Tag{{Name: "messages"}}}
	doc, err := openapi.Document(info, endpoints())
	if err != nil {
		t.Fatal(err)
	}
	if err := openapi.Fresh(filepath.Join("testdata", "document.json"), doc, *update); err != nil {
		t.Error(err)
	}
	again, err := openapi.Document(info, endpoints())
	if err != nil || string(again) != string(doc) {
		t.Errorf("another run differs: %v", err)
	}
}

func TestDocumentRefuses(t *testing.T) {
	t.Parallel()
	type unencodable struct {
		F func() `json:"f"`
	}
	type badTag struct {
		N int `json:"n" minimum:"x"`
	}
	op := func(id, path string) httpapi.Op {
		return httpapi.Op{Method: "POST", Path: path, ID: id, Summary: "s"}
	}
	for name, tc := range map[string]struct {
		endpoints []httpapi.Endpoint
		want      string
	}{
		"one id twice": {[]httpapi.Endpoint{route[owner, owner](op("a", "/a")), route[owner, owner](op("a", "/b"))}, "duplicate operation ID: a"},
		"no id":        {[]httpapi.Endpoint{route[owner, owner](op("", "/a"))}, `POST /a: the operationId "" is empty`},
		"no summary":   {[]httpapi.Endpoint{route[owner, owner](httpapi.Op{Method: "POST", Path: "/a", ID: "a"})}, "POST /a: there is no summary"},
		"no form":      {[]httpapi.Endpoint{route[unencodable, owner](op("a", "/a"))}, "the type func() has no form"},
		"a bad tag":    {[]httpapi.Endpoint{route[badTag, owner](op("a", "/a"))}, "minimum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := openapi.Document(openapi.Info{}, tc.endpoints); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const good = `"operationId":"a","summary":"s","responses":{"200":{}}`
	for name, tc := range map[string]struct{ doc, want string }{
		"good":                  {`{"openapi":"3.1.0","paths":{"/a":{"get":{` + good + `}}}}`, ""},
		"good reference":        {`{"openapi":"3.1.0","a~b":{"x/y":1},"r":{"$ref":"#/a~0b/x~1y"}}`, ""},
		"not JSON":              {`{`, "read the document"},
		"version":               {`{"openapi":"3.0.3"}`, `the version is "3.0.3"`},
		"reference":             {`{"openapi":"3.1.0","components":{"schemas":{"A":{"items":[{"$ref":"#/components/schemas/B"}]}}}}`, "#/components/schemas/B leads nowhere"},
		"foreign reference":     {`{"openapi":"3.1.0","r":{"$ref":"other.json"}}`, "other.json leads nowhere"},
		"one id twice":          {`{"openapi":"3.1.0","paths":{"/a":{"get":{` + good + `},"put":{` + good + `}}}}`, `the operationId "a" is`},
		"undeclared parameter":  {`{"openapi":"3.1.0","paths":{"/a/{id}":{"get":{` + good + `}}}}`, "the parameter id of the path is not declared"},
		"parameter not in path": {`{"openapi":"3.1.0","paths":{"/a":{"get":{` + good + `,"parameters":[{"in":"path","name":"id","required":true}]}}}}`, "the path has no id"},
		"parameter twice":       {`{"openapi":"3.1.0","paths":{"/a":{"get":{` + good + `,"parameters":[{"in":"query","name":"q"},{"in":"query","name":"q"}]}}}}`, "declared twice"},
		"no success":            {`{"openapi":"3.1.0","paths":{"/a":{"get":{"operationId":"a","summary":"s","responses":{"400":{}}}}}}`, "no answer of success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := openapi.Check([]byte(tc.doc))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := openapi.Fresh(file, []byte("a\n"), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := openapi.Fresh(file, []byte("a\nb\n"), true); err != nil {
		t.Fatal(err)
	}
	if err := openapi.Fresh(file, []byte("a\nb\n"), false); err != nil {
		t.Error(err)
	}
	if err := openapi.Fresh(file, []byte("a\nc\n"), false); err == nil || !strings.Contains(err.Error(), `stale at line 2: it has "b", should have "c"`) {
		t.Errorf("stale: %v", err)
	}
}
