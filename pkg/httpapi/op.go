package httpapi

import (
	"context"
	"net/http"
	"reflect"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// DefaultMaxBody is the size in bytes that a body may have where the operation names none.
const DefaultMaxBody = 2 << 20

// Op says everything about an operation but what it does. The kernel enforces it, the OpenAPI document
// tells it.
type Op struct {
	Method string
	Path   string // a pattern of net/http: /v1/messages/{id}
	ID     string // operationId: sendMessage
	// Summary is one line, Description is Markdown.
	Summary     string
	Description string
	Tags        []string
	Scope       tenant.Scope // what the key must have; "" needs no key
	OrScope     tenant.Scope // what will do instead; "" is nothing
	PathParams  []Param      // only to describe them: those of Path exist anyway
	Query       []Param      // any other is refused, but by a Raw operation
	Headers     []Param
	Status      int    // of success; 0: 200, or 204 where there is nothing to answer
	Instead     int    // another status of success, with the same body; see Call.Instead
	Media       string // type of what a Raw operation answers, where it is one, as text/csv
	MaxBody     int64  // bytes; 0: DefaultMaxBody
	// BodyOptional lets a request without a body through; the function then gets the zero value.
	BodyOptional bool
	// Marks says what a refused request is found by later, from as much of its body as can be read. It runs after
	// the answer; nil: such a request is found by its key and its time only.
	Marks func(ctx context.Context, c *Call) []string
	Codes []problem.Code // what it answers beside the problems that every operation has
}

// Param is a parameter in the query, a header or the path. It is text.
type Param struct {
	Name        string
	Description string
	Required    bool
	Enum        []string // the allowed values, where they can be listed
	Example     string
}

// Endpoint is an operation with what it does. Route and Raw make it.
type Endpoint struct {
	Op Op
	// In and Out are the types of the bodies; nil where there is none, and for Raw.
	In, Out reflect.Type

	decode func(body []byte) (any, error)
	call   func(ctx context.Context, c *Call, in any) (any, error)
	raw    func(ctx context.Context, c *Call, w http.ResponseWriter, r *http.Request) error
}

// Route makes an endpoint that takes and answers JSON. With In = struct{} it takes no body; with
// Out = struct{}, or a nil answer, it answers 204.
func Route[In, Out any](op Op, fn func(ctx context.Context, c *Call, in *In) (*Out, error)) Endpoint {
	e := Endpoint{Op: op, In: bodyType[In](), Out: bodyType[Out]()}
	e.Op.BodyOptional = op.BodyOptional || e.In == nil
	e.decode = func(body []byte) (any, error) {
		in := new(In)
		if len(body) == 0 && e.Op.BodyOptional {
			return in, nil
		}
		if p := Decode(body, in); p != nil {
			return nil, p
		}
		return in, nil
	}
	e.call = func(ctx context.Context, c *Call, in any) (any, error) {
		out, err := fn(ctx, c, in.(*In))
		if err != nil || out == nil || e.Out == nil {
			return nil, err
		}
		return out, nil
	}
	return e
}

// Raw makes an endpoint that reads and answers by itself: callbacks, files. The kernel still does request
// id, recovery, key, size and log. The body is read already: Call.Body has it, and r.Body gives it again.
// An error that fn returns before it wrote anything is answered as a problem.
func Raw(op Op, fn func(ctx context.Context, c *Call, w http.ResponseWriter, r *http.Request) error) Endpoint {
	return Endpoint{Op: op, raw: fn}
}

// IsRaw tells an endpoint of Raw from one of Route.
func (e Endpoint) IsRaw() bool { return e.raw != nil }

func bodyType[T any]() reflect.Type {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[struct{}]() {
		return t
	}
	return nil
}

func (e *Endpoint) maxBody() int64 {
	if e.Op.MaxBody > 0 {
		return e.Op.MaxBody
	}
	return DefaultMaxBody
}
