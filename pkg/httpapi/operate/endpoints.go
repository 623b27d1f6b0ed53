package operate

import (
	"net/http"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Operate is the use case.
type Operate interface {
	Tenants
	Keys
	Templates
	Drafts
	Bindings
	Accounts
	Recipes
	Routes
	Hooks
	Suppressions
	Erasures
	DeadLetters
	Users
	Installation
}

// Endpoints mounts all of it.
func Endpoints(o Operate) []httpapi.Endpoint {
	return slices.Concat(
		tenants(o),
		keys(o),
		templates(o),
		drafts(o),
		bindings(o),
		accounts(o),
		recipes(o),
		routes(o),
		simulations(o),
		hooks(o),
		suppressions(o),
		erasures(o),
		deadLetters(o),
		users(o),
		installation(o),
	)
}

// op describes an operation; its tag is the first part of its path.
func op(method, path, id, summary string, scopes []tenant.Scope, codes ...problem.Code) httpapi.Op {
	o := httpapi.Op{Method: method, Path: "/v1/" + path, ID: id, Summary: summary, Scope: scopes[0], Codes: codes}
	if len(scopes) > 1 {
		o.OrScope = scopes[1]
	}
	for i := range path {
		if path[i] == '/' {
			path = path[:i]
			break
		}
	}
	o.Tags = []string{path}
	return o
}

// Who may: readers know of their own tenant only, unless they operate.
func readers() []tenant.Scope   { return []tenant.Scope{tenant.Read, tenant.Operate} }
func operators() []tenant.Scope { return []tenant.Scope{tenant.Operate} }
func admins() []tenant.Scope    { return []tenant.Scope{tenant.Admin} }

const (
	get    = http.MethodGet
	put    = http.MethodPut
	post   = http.MethodPost
	remove = http.MethodDelete
)

// Meta says which version this is, and who made it when and why.
type Meta struct {
	Version   int64     `json:"version" doc:"Counts the changes. Send it with the next change."`
	Author    string    `json:"author" doc:"Who made this version: key:<id>, a person, or a part of the service."`
	Reason    string    `json:"reason,omitzero" doc:"Why, in the author's words."`
	ChangedAt time.Time `json:"changed_at"`
	Deleted   bool      `json:"deleted,omitzero" doc:"Only in a history: this version deleted it."`
}

func metaOf(m operate.Meta) Meta {
	return Meta{Version: m.Version, Author: m.Author, Reason: m.Reason, ChangedAt: m.At.Std(), Deleted: m.Deleted}
}

// one, many make answers of what the use case gives.
func one[T, D any](dto func(T) D) func(T, error) (*D, error) {
	return func(v T, err error) (*D, error) {
		if err != nil {
			return nil, err
		}
		d := dto(v)
		return &d, nil
	}
}

func many[T, D any](dto func(T) D) func([]T, error) ([]D, error) {
	return func(list []T, err error) ([]D, error) {
		out := make([]D, len(list)) // never null
		for i := range list {
			out[i] = dto(list[i])
		}
		return out, err
	}
}

func at(t message.Time) *time.Time {
	if t == 0 {
		return nil
	}
	std := t.Std()
	return &std
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// The parameters of changes without a body, and of pages.
var (
	versionParam = httpapi.Param{Name: "version", Required: true, Description: "The version that you read.", Example: "3"}
	reasonParam  = httpapi.Param{Name: "reason", Description: "Why: kept in the history. At most 200 characters."}
)

// changeOf reads the change of a request without a body.
func changeOf(c *httpapi.Call) (operate.Change, error) {
	n, err := c.Number("version", 0, 1, 1<<31-1)
	return operate.Change{Version: int64(n), Reason: c.Query("reason")}, err
}

// making is an operation that may make something new.
func making(o httpapi.Op) httpapi.Op {
	o.Instead = http.StatusCreated
	return o
}

// made marks the answer to a change that made something new.
func made(c *httpapi.Call, version int64, err error) {
	if err == nil && version == 0 {
		c.Instead()
	}
}
