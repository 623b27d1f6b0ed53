package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
)

// Info is what the document says of the API as a whole.
type Info struct {
	Title       string
	Version     string
	Description string // Markdown
	Servers     []string
	Tags        []Tag // in order of presentation
	Webhooks    []httpapi.Webhook
}

// Tag is a group of operations.
type Tag struct{ Name, Description string }

// Document writes the document: JSON, indented, the same bytes for the same endpoints. It fails when a type
// cannot be described or the result breaks a rule of Check.
func Document(info Info, endpoints []httpapi.Endpoint) (doc []byte, err error) {
	defer func() { // huma panics on tags that it cannot read
		if v := recover(); v != nil {
			doc, err = nil, fmt.Errorf("openapi: describe the types: %v", v)
		}
	}()
	reg := newRegistry()
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: info.Title, Version: info.Version, Description: info.Description},
		Components: &huma.Components{Schemas: reg, SecuritySchemes: map[string]*huma.SecurityScheme{
			"key": {Type: "http", Scheme: "bearer", BearerFormat: "nfy_<live|test>_<id>_<secret>", Description: "An API key."},
		}},
	}
	for _, s := range info.Servers {
		api.Servers = append(api.Servers, &huma.Server{URL: s})
	}
	for _, t := range info.Tags {
		api.Tags = append(api.Tags, &huma.Tag{Name: t.Name, Description: t.Description})
	}
	problems := reg.Schema(reflect.TypeFor[httpapi.Problem](), true, "")
	for _, e := range endpoints {
		api.AddOperation(operation(reg, problems, e))
	}
	for _, w := range info.Webhooks {
		if api.Webhooks == nil {
			api.Webhooks = map[string]*huma.PathItem{}
		}
		api.Webhooks[w.Name] = &huma.PathItem{Post: webhook(reg, w)}
	}
	reg.openAnswers(endpoints)
	compact, err := json.Marshal(api)
	if err != nil {
		return nil, fmt.Errorf("openapi: encode the document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi: indent the document: %w", err)
	}
	out.WriteByte('\n')
	if err := Check(out.Bytes()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func operation(reg *registry, problems *huma.Schema, e httpapi.Endpoint) *huma.Operation {
	op := &huma.Operation{
		Method: e.Op.Method, Path: openPath(e.Op.Path), OperationID: e.Op.ID, Summary: e.Op.Summary,
		Description: e.Op.Description, Tags: e.Op.Tags, Parameters: parameters(e.Op), Responses: map[string]*huma.Response{},
	}
	if e.Op.Scope != "" {
		op.Security = []map[string][]string{{"key": {string(e.Op.Scope)}}}
		if e.Op.OrScope != "" {
			op.Security = append(op.Security, map[string][]string{"key": {string(e.Op.OrScope)}})
		}
	}
	switch {
	case e.In != nil:
		op.RequestBody = &huma.RequestBody{Required: !e.Op.BodyOptional, Content: map[string]*huma.MediaType{
			"application/json": {Schema: reg.Schema(e.In, true, e.Op.ID+"Request")}}}
	case e.IsRaw() && e.Op.Method != http.MethodGet:
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"*/*": {}}}
	}
	status, success := e.Op.Status, &huma.Response{Description: "Done."}
	if e.Out != nil {
		success.Content = map[string]*huma.MediaType{"application/json": {Schema: reg.Schema(e.Out, true, e.Op.ID+"Response")}}
	}
	if e.Op.Media != "" {
		success.Content = map[string]*huma.MediaType{e.Op.Media: {}}
	}
	switch {
	case status == 0 && e.Out == nil && !e.IsRaw():
		status = http.StatusNoContent
	case status == 0:
		status = http.StatusOK
	}
	success.Headers = map[string]*huma.Param{"X-Request-Id": {Description: "Finds this request in the service's log.", Schema: &huma.Schema{Type: "string"}}}
	op.Responses[strconv.Itoa(status)] = success
	if e.Op.Instead != 0 {
		other := *success
		other.Description = instead[e.Op.Instead]
		op.Responses[strconv.Itoa(e.Op.Instead)] = &other
	}
	for status, codes := range failures(e) {
		op.Responses[strconv.Itoa(status)] = failure(status, codes, problems)
	}
	return op
}

// instead says what an operation's other status of success means.
var instead = map[int]string{http.StatusOK: "Nothing new was made: it was there already.", http.StatusCreated: "It was made.", http.StatusAccepted: "It was begun."}

// webhook is an operation of the receiver's.
func webhook(reg *registry, w httpapi.Webhook) *huma.Operation {
	op := &huma.Operation{Method: http.MethodPost, OperationID: w.ID, Summary: w.Summary, Description: w.Description, Tags: w.Tags, Responses: map[string]*huma.Response{},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: reg.Schema(w.Body, true, w.ID+"Request")}}}}
	for _, p := range w.Headers {
		op.Parameters = append(op.Parameters, parameter("header", p))
	}
	for status, means := range w.Answers {
		name := "default"
		if status != 0 {
			name = strconv.Itoa(status)
		}
		op.Responses[name] = &huma.Response{Description: means}
	}
	return op
}

func failure(status int, codes []problem.Code, problems *huma.Schema) *huma.Response {
	var text strings.Builder
	for _, c := range codes {
		fmt.Fprintf(&text, "- `%s`: %s\n", c, problem.New(c, "").Title())
	}
	r := &huma.Response{
		Description: strings.TrimSuffix(text.String(), "\n"),
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problems}},
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		r.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds to wait.", Schema: &huma.Schema{Type: "integer"}}}
	}
	return r
}

// failures are the operation's own codes and those that the kernel answers for it, by status.
func failures(e httpapi.Endpoint) map[int][]problem.Code {
	codes := slices.Clone(e.Op.Codes)
	codes = append(codes, problem.Internal)
	if e.Op.Scope != "" {
		codes = append(codes, problem.Unauthorized, problem.Forbidden, problem.RateLimited, problem.Unavailable)
	}
	if strings.Contains(e.Op.Path, "{") {
		codes = append(codes, problem.NotFound) // no path has control characters
	}
	if e.In != nil {
		codes = append(codes, problem.BadJSON, problem.UnsupportedMedia)
	}
	if e.Op.Method != http.MethodGet {
		codes = append(codes, problem.TooLarge)
	}
	if e.In != nil || len(e.Op.Query)+len(e.Op.Headers) > 0 {
		codes = append(codes, problem.InvalidRequest)
	}
	slices.Sort(codes)
	byStatus := map[int][]problem.Code{}
	for _, c := range slices.Compact(codes) {
		s := problem.New(c, "").Status()
		byStatus[s] = append(byStatus[s], c)
	}
	return byStatus
}

var wildcard = regexp.MustCompile(`\{([^{}]*?)(\.\.\.)?\}`)

// openPath writes a pattern of net/http as OpenAPI does: without {$}, and {name...} as {name}.
func openPath(pattern string) string {
	return wildcard.ReplaceAllString(strings.TrimSuffix(pattern, "{$}"), "{$1}")
}

func parameters(op httpapi.Op) []*huma.Param {
	var out []*huma.Param
	for _, m := range wildcard.FindAllStringSubmatch(strings.TrimSuffix(op.Path, "{$}"), -1) {
		p := httpapi.Param{Name: m[1]}
		if i := slices.IndexFunc(op.PathParams, func(p httpapi.Param) bool { return p.Name == m[1] }); i >= 0 {
			p = op.PathParams[i]
		}
		p.Required = true
		out = append(out, parameter("path", p))
	}
	for _, p := range op.Query {
		out = append(out, parameter("query", p))
	}
	for _, p := range op.Headers {
		out = append(out, parameter("header", p))
	}
	return out
}

func parameter(in string, p httpapi.Param) *huma.Param {
	s := &huma.Schema{Type: "string"}
	for _, v := range p.Enum {
		s.Enum = append(s.Enum, v)
	}
	if p.Example != "" {
		s.Examples = []any{p.Example}
	}
	return &huma.Param{In: in, Name: p.Name, Description: p.Description, Required: p.Required, Schema: s}
}
