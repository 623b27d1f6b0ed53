package campaigns

import (
	"context"
	"net/http"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// TemplateUse is what /v1/templates/…/uses and …/stop need.
type TemplateUse interface {
	Uses(ctx context.Context, p tenant.Principal, owner, name string, version int) (campaign.Uses, error)
	StopUses(ctx context.Context, p tenant.Principal, owner, name string, version int, dry bool, why string) (campaign.Uses, error)
}

// Uses are what sends with a template.
type Uses struct {
	Schedules []UsingSchedule `json:"schedules"`
	Runs      []UsingRun      `json:"runs" doc:"Those that have not ended, the newest first: running, paused, or waiting for a word."`
}

// UsingSchedule is a schedule that sends with a template.
type UsingSchedule struct {
	Tenant  string `json:"tenant"`
	Name    string `json:"name"`
	Version int    `json:"template_version,omitzero" doc:"Absent: the one that is published when it runs."`
	Paused  bool   `json:"paused,omitzero"`
}

// UsingRun is a run that sends with a template.
type UsingRun struct {
	ID       string `json:"id"`
	Tenant   string `json:"tenant"`
	Title    string `json:"title,omitzero"`
	Schedule string `json:"schedule,omitzero"`
	Version  int    `json:"template_version"`
	State    string `json:"state"`
}

// StopUses names the version of a template that nothing more is to be made with.
type StopUses struct {
	Version int    `json:"version" minimum:"1"`
	DryRun  bool   `json:"dry_run,omitzero" doc:"Only say which runs that would be."`
	Reason  string `json:"reason,omitzero" doc:"Why: kept in the records, with the key." maxLength:"200"`
}

func usesOf(u campaign.Uses) Uses {
	out := Uses{Schedules: make([]UsingSchedule, len(u.Schedules)), Runs: make([]UsingRun, len(u.Runs))}
	for i, s := range u.Schedules {
		out.Schedules[i] = UsingSchedule{s.Tenant, s.Name, s.Content.Version, s.Paused}
	}
	for i, r := range u.Runs {
		out.Runs[i] = UsingRun{r.ID, r.Tenant, r.Title, r.Schedule, r.Content.Version, r.State}
	}
	return out
}

func uses(u TemplateUse) []httpapi.Endpoint {
	list := op(http.MethodGet, "templates/{tenant}/{name}/uses", "listTemplateUses", "Say which schedules and runs send with a template", tenant.Read, problem.NotFound)
	list.Query = []httpapi.Param{{Name: "version", Description: "Only with this version; all without it.", Example: "3"}}
	list.Description = "Messages that wait already are counted by POST /v1/messages/stop with dry_run."
	stop := op(http.MethodPost, "templates/{tenant}/{name}/stop", "stopTemplateUses", "Stop the runs that send with a version of a template, for good", tenant.Send, problem.NotFound)
	stop.Description = "Also those that wait for a word, or are paused. What they made is taken back, as by POST …/cancel; other messages with the version are stopped by POST /v1/messages/stop. " +
		"Schedules are listed, and send with what is published next: restore an older version, or pause them."
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Uses, error) {
			n, err := c.Number("version", 0, 1, 1<<31-1)
			if err != nil {
				return nil, err
			}
			return one(usesOf)(u.Uses(ctx, c.Principal, c.Path("tenant"), c.Path("name"), n))
		}),
		httpapi.Route(stop, func(ctx context.Context, c *httpapi.Call, r *StopUses) (*Uses, error) {
			return one(usesOf)(u.StopUses(ctx, c.Principal, c.Path("tenant"), c.Path("name"), r.Version, r.DryRun, r.Reason))
		}),
	}
}
