// Package campaigns mounts schedules, audiences and campaigns.
package campaigns

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Campaigns is the use case.
type Campaigns interface {
	Schedules
	Runs
	Audiences
	TemplateUse
}

// Endpoints mounts all of it.
func Endpoints(c Campaigns) []httpapi.Endpoint {
	var all []httpapi.Endpoint
	for _, some := range [][]httpapi.Endpoint{schedules(c), audiences(c), campaigns(c), files(c), uses(c)} {
		all = append(all, some...)
	}
	return all
}

// op describes an operation; its tag is the first part of its path.
func op(method, path, id, summary string, scope tenant.Scope, codes ...problem.Code) httpapi.Op {
	tag, _, _ := strings.Cut(path, "/")
	return httpapi.Op{Method: method, Path: "/v1/" + path, ID: id, Summary: summary, Scope: scope, OrScope: tenant.Operate, Codes: codes, Tags: []string{tag}}
}

// Why is a reason for the record.
type Why struct {
	Reason string `json:"reason,omitzero" doc:"Why: kept in the record, with the key." maxLength:"200"`
}

// Meta says which version this is, and who made it when and why.
type Meta struct {
	Version   int64     `json:"version" doc:"Counts the changes. Send it with the next change."`
	Author    string    `json:"author" doc:"Who made this version: key:<id>, a person, or a part of the service."`
	Reason    string    `json:"reason,omitzero" doc:"Why, in the author's words."`
	ChangedAt time.Time `json:"changed_at"`
	Deleted   bool      `json:"deleted,omitzero" doc:"Only in a history: this version cancelled it."`
}

func at(t message.Time) *time.Time {
	if t == 0 {
		return nil
	}
	std := t.Std()
	return &std
}

// Parameters of pages, and of a change without a body.
var (
	versionParam = httpapi.Param{Name: "version", Description: "The version that you read; any without it.", Example: "3"}
	reasonParam  = httpapi.Param{Name: "reason", Description: "Why: kept in the record. At most 200 characters."}
)

// of is whose things are asked for.
func of(c *httpapi.Call, name string) string {
	if name == "" {
		return c.Principal.Tenant
	}
	return name
}

// one makes an answer of what the use case gives.
func one[T, D any](dto func(T) D) func(T, error) (*D, error) {
	return func(v T, err error) (*D, error) {
		if err != nil {
			return nil, err
		}
		d := dto(v)
		return &d, nil
	}
}

// steer mounts a verb on a run.
func steer(s Runs, path, id, summary string, do func(s Runs, ctx context.Context, p tenant.Principal, id, why string) (campaign.Run, error)) httpapi.Endpoint {
	o := op(http.MethodPost, "campaigns/{id}/"+path, id, summary, tenant.Send, problem.NotFound, problem.NotAllowedNow)
	o.BodyOptional = true
	return httpapi.Route(o, func(ctx context.Context, c *httpapi.Call, w *Why) (*Run, error) {
		return one(runOf)(do(s, ctx, c.Principal, c.Path("id"), w.Reason))
	})
}
