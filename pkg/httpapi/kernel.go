package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Config is what the kernel needs. Auth is needed where an operation has a scope; Now, NewRequestID and
// Log always; the others are optional.
type Config struct {
	Auth         Authenticator
	Now          func() time.Time
	NewRequestID func() string
	Log          *slog.Logger
	// ClientIP finds the client's address; nil is the peer of the connection. See ForwardedIP.
	ClientIP func(*http.Request) string
	// Refused is told of each request that was answered 400, 401, 403, 413, 415, 422 or 429, so that
	// "we called you and nothing came" can be looked up. It runs after the answer, even if the caller
	// has gone; it must not block. It is told too of a request that was answered, but for a part
	// (Call.RefuseInPart).
	Refused func(context.Context, Refusal)
}

// Authenticator finds whose a bearer token is. Its errors are problems: Unauthorized, always in the same
// words, or Unavailable when it cannot know.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (tenant.Principal, error)
}

// Refusal is a request that was refused. It holds nothing of the body or the path's values but keyed hashes.
type Refusal struct {
	At        time.Time
	Method    string
	Route     string // the pattern
	Status    int
	Code      problem.Code
	Detail    string
	Fields    []problem.Field
	Principal tenant.Principal // zero when refused before the key was known
	RequestID string
	IP        string
	Marks     []string // Op.Marks
}

type kernel struct {
	Config
	mux     *http.ServeMux
	buffers sync.Pool // of *bytes.Buffer
}

// New makes the handler of some endpoints. It panics when two of them collide, a path is no pattern, or a
// key is needed and nothing can check it: mistakes in the program, seen by its first test.
func New(cfg Config, endpoints ...Endpoint) http.Handler {
	k := &kernel{Config: cfg, mux: http.NewServeMux()}
	k.buffers.New = newBuffer
	if k.ClientIP == nil {
		k.ClientIP = peerIP
	}
	resources := map[string]*resource{}
	for i := range endpoints {
		e := &endpoints[i]
		if e.Op.Scope != "" && k.Auth == nil {
			panic(fmt.Sprintf("httpapi: %s %s needs a key, and there is no Auth", e.Op.Method, e.Op.Path))
		}
		res := resources[e.Op.Path]
		if res == nil {
			res = &resource{kernel: k, methods: map[string]*Endpoint{}}
			resources[e.Op.Path] = res
			k.mux.Handle(e.Op.Path, res)
		}
		if res.methods[e.Op.Method] != nil {
			panic(fmt.Sprintf("httpapi: two operations for %s %s", e.Op.Method, e.Op.Path))
		}
		res.methods[e.Op.Method] = e
	}
	for _, res := range resources {
		res.finish()
	}
	if resources["/"] == nil {
		k.mux.HandleFunc("/", k.notFound)
	}
	return k
}

func (k *kernel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := k.Now()
	if t := traceOf(r.Header); t.ID != "" {
		r = r.WithContext(telemetry.InTrace(r.Context(), t))
	}
	c := &Call{RequestID: k.NewRequestID(), IP: k.ClientIP(r), r: r, header: w.Header()}
	a := &answer{ResponseWriter: w, call: c, head: r.Method == http.MethodHead}
	c.header.Set("X-Request-Id", c.RequestID)
	c.header.Set("Cache-Control", "no-store")
	c.header.Set("X-Content-Type-Options", "nosniff")
	defer func() {
		v := recover()
		abort := v != nil && k.recovered(r.Context(), a, v)
		k.log(r.Context(), a, start)
		if abort {
			// Part of an answer was sent; only a cut connection tells the client so.
			panic(http.ErrAbortHandler)
		}
	}()
	if !cleanPath(r.URL.Path) {
		k.notFound(a, r)
	} else {
		k.mux.ServeHTTP(a, r)
	}
	k.tell(context.WithoutCancel(r.Context()), a, start)
}

// tell tells of a request that was refused, or of which a part was.
func (k *kernel) tell(ctx context.Context, a *answer, start time.Time) {
	c, p := a.call, a.problem
	n := Refusal{At: start, Method: methodName(c.r.Method), Route: a.route(), Status: a.status, Principal: c.Principal, RequestID: c.RequestID, IP: c.IP}
	switch {
	case k.Refused == nil:
		return
	case p != nil && refusal(a.status):
		if c.op != nil && c.op.Marks != nil && len(c.body) > 0 {
			n.Marks = c.op.Marks(ctx, c)
		}
	case p == nil && c.part != nil:
		p, n.Status, n.Marks = c.part, c.part.Status(), c.partMarks
	default:
		return
	}
	n.Code, n.Detail, n.Fields = p.Code, p.Detail, p.Fields
	k.Refused(ctx, n)
}

// recovered answers a panic and tells whether the answer had already begun.
func (k *kernel) recovered(ctx context.Context, a *answer, v any) (begun bool) {
	if v == http.ErrAbortHandler {
		return true
	}
	// A panic's value may hold what a caller sent; the kind of a value, and the runtime's own errors, do not.
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	k.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", a.call.RequestID),
		slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	if a.status != 0 {
		return !a.complete
	}
	k.problem(a, problem.New(problem.Internal, ""))
	return false
}

// resource is what answers at one path.
type resource struct {
	kernel  *kernel
	methods map[string]*Endpoint
	allow   string
}

func (res *resource) finish() {
	if get := res.methods[http.MethodGet]; get != nil && res.methods[http.MethodHead] == nil {
		res.methods[http.MethodHead] = get
	}
	var names []string
	for m := range res.methods {
		names = append(names, m)
	}
	slices.Sort(names)
	res.allow = strings.Join(names, ", ")
}

func (res *resource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, k := w.(*answer), res.kernel
	e := res.methods[r.Method]
	if e == nil {
		a.Header().Set("Allow", res.allow)
		k.problem(a, problem.New(problem.MethodNotAllowed, "this path allows %s", res.allow))
		return
	}
	a.call.op = &e.Op
	err := k.serve(a, e)
	if err == nil {
		return
	}
	if a.status != 0 { // a Raw operation failed half way
		panic(http.ErrAbortHandler)
	}
	p := problem.From(err)
	if p.Status() >= 500 && errors.Is(r.Context().Err(), context.Canceled) {
		// Most likely nobody reads this. But a client that closed only its sending half does: it must not
		// take silence, which net/http makes a 200, for acceptance.
		p = problem.New(problem.Unavailable, "the request was given up before it was done").Because(err)
		a.gone = true
	}
	k.problem(a, p)
}

// serve is everything from authentication to the answer.
func (k *kernel) serve(a *answer, e *Endpoint) error {
	c := a.call
	ctx := c.r.Context()
	if err := k.authorize(ctx, c); err != nil {
		return err
	}
	if err := readBody(a, e); err != nil {
		return err
	}
	if err := c.params(!e.IsRaw()); err != nil {
		return err
	}
	var in any
	if e.decode != nil {
		var err error
		if in, err = e.decode(c.body); err != nil {
			return err
		}
	}
	if e.IsRaw() {
		return e.raw(ctx, c, a, c.r)
	}
	out, err := e.call(ctx, c, in)
	if err != nil {
		return err
	}
	return k.success(a, e, out)
}

func (k *kernel) authorize(ctx context.Context, c *Call) error {
	if c.op.Scope == "" {
		return nil
	}
	token, err := bearer(c.r.Header)
	if err != nil {
		return err
	}
	p, err := k.Auth.Authenticate(ctx, token)
	if err != nil {
		return err
	}
	if p.IsSystem() { // a worker's principal sees every tenant: no request may ever have it
		return problem.New(problem.Internal, "").Because(errors.New("httpapi: an authenticator returned a system principal"))
	}
	c.Principal = p
	switch op := c.op; {
	case p.May(op.Scope), op.OrScope != "" && p.May(op.OrScope):
		return nil
	case op.OrScope != "":
		return problem.New(problem.Forbidden, "this needs a key with the scope %q or %q", string(op.Scope), string(op.OrScope))
	}
	return problem.New(problem.Forbidden, "this needs a key with the scope %q", string(c.op.Scope))
}

func (k *kernel) notFound(w http.ResponseWriter, _ *http.Request) {
	k.problem(w.(*answer), problem.New(problem.NotFound, "there is nothing at this path; see the API's reference"))
}

// cleanPath keeps ServeMux from answering with redirects of its own, and keeps from operations what no id
// or name can be.
func cleanPath(p string) bool {
	return p == "/" || strings.HasPrefix(p, "/") && path.Clean(p) == strings.TrimSuffix(p, "/") &&
		utf8.ValidString(p) && strings.IndexFunc(p, unicode.IsControl) < 0
}

func refusal(status int) bool {
	switch status {
	case 400, 401, 403, 413, 415, 422, 429:
		return true
	}
	return false
}
