package httpapi

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Call is one request, as a route's function sees it.
type Call struct {
	Principal tenant.Principal // zero where the operation needs no key
	RequestID string           // ours; also in the answer's X-Request-Id
	IP        string           // of the client

	op     *Op
	r      *http.Request
	query  url.Values
	body   []byte
	status int
	header http.Header
	// part is what was refused of a request that is answered all the same.
	part      *problem.Error
	partMarks []string
}

// Op is the operation that was called.
func (c *Call) Op() *Op { return c.op }

// Path is the value of a wildcard of the path.
func (c *Call) Path(name string) string { return c.r.PathValue(name) }

// Query is the value of a query parameter, "" without one.
func (c *Call) Query(name string) string { return c.query.Get(name) }

// Header is the value of a request's header, "" without one.
func (c *Call) Header(name string) string { return c.r.Header.Get(name) }

// Body is the exact bytes of the request's body. They must not be changed.
func (c *Call) Body() []byte { return c.body }

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// BaseURL is the API's address as the caller used it, without a path: for what people paste. It is the
// caller's own claim; "" when it does not look like a host.
func (c *Call) BaseURL() string {
	if !plainHost.MatchString(c.r.Host) {
		return ""
	}
	if c.r.TLS != nil || c.r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

// Instead answers with the operation's other status of success. It is the operation's, and not any, so that the
// document has it.
func (c *Call) Instead() { c.status = c.op.Instead }

// RefuseInPart says that a part of the request was refused, though the whole is answered: it is told of like a
// refused request, with the part's problem and marks.
func (c *Call) RefuseInPart(p *problem.Error, marks []string) { c.part, c.partMarks = p, marks }

// SetHeader sets a header of the answer.
func (c *Call) SetHeader(name, value string) { c.header.Set(name, value) }

// params checks the query and the headers against the operation, and keeps the query.
func (c *Call) params(strict bool) error {
	var faults []problem.Field
	if c.r.URL.RawQuery != "" {
		q, err := url.ParseQuery(c.r.URL.RawQuery)
		if err != nil {
			return problem.Invalid(problem.At("query:", problem.BadValue,
				"the query cannot be read: use name=value&name=value, percent-encoded"))
		}
		c.query = q
		if strict {
			faults = unknownParams(c.op, q)
		}
	}
	for _, p := range c.op.Query {
		faults = p.check(faults, "query:", c.query[p.Name])
	}
	for _, p := range c.op.Headers {
		faults = p.check(faults, "header:", c.r.Header.Values(p.Name))
	}
	if len(faults) > 0 {
		return problem.Invalid(faults...)
	}
	return nil
}

func unknownParams(op *Op, q url.Values) []problem.Field {
	var faults []problem.Field
	known := make([]string, len(op.Query))
	for i, p := range op.Query {
		known[i] = p.Name
	}
	for name, values := range q {
		switch {
		case !slices.Contains(known, name):
			shown := "?"
			if showable(name) {
				shown = name
			}
			faults = append(faults, problem.At("query:"+shown, problem.UnknownField,
				"there is no such query parameter%s", suggest(name, known)))
		case len(values) > 1:
			faults = append(faults, problem.At("query:"+name, problem.BadValue, "the query parameter %s may be given once only", name))
		}
	}
	slices.SortFunc(faults, func(a, b problem.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return faults
}

func (p Param) check(faults []problem.Field, in string, values []string) []problem.Field {
	switch {
	case len(values) == 0 || values[0] == "":
		if p.Required {
			return append(faults, problem.At(in+p.Name, problem.Required, "%s is required: %s", p.Name, p.Description))
		}
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, values[0]):
		return append(faults, problem.At(in+p.Name, problem.BadValue, "%s must be one of %s", p.Name, strings.Join(p.Enum, ", ")))
	}
	return faults
}
