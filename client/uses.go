package client

import (
	"context"
	"net/http"
)

// TemplateUses are what sends with a template.
type TemplateUses struct {
	Schedules []UsingSchedule `json:"schedules"`
	Runs      []UsingRun      `json:"runs"` // that have not ended, the newest first
}

// UsingSchedule is a schedule that sends with a template.
type UsingSchedule struct {
	Tenant          string `json:"tenant"`
	Name            string `json:"name"`
	TemplateVersion int    `json:"template_version,omitzero"` // 0: the one that is published when it runs
	Paused          bool   `json:"paused,omitzero"`
}

// UsingRun is a run that sends with a template.
type UsingRun struct {
	ID              string   `json:"id"`
	Tenant          string   `json:"tenant"`
	Title           string   `json:"title,omitzero"`
	Schedule        string   `json:"schedule,omitzero"`
	TemplateVersion int      `json:"template_version"`
	State           RunState `json:"state"`
}

// stopUses names a version.
type stopUses struct {
	Version int    `json:"version"`
	DryRun  bool   `json:"dry_run,omitzero"`
	Reason  string `json:"reason,omitzero"`
}

// TemplateUses says which schedules and runs send with a template; version 0 is any.
func (c *Client) TemplateUses(ctx context.Context, tenant, name string, version int) (*TemplateUses, error) {
	return get[TemplateUses](ctx, c, query(templatePath(tenant, name)+"/uses", "version", number(version)))
}

// StopTemplate stops the runs that send with a version of a template, for good. Messages with it that wait
// already are stopped by Stop; schedules send with what is published next.
func (c *Client) StopTemplate(ctx context.Context, tenant, name string, version int, reason string) (*TemplateUses, error) {
	out := &TemplateUses{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: templatePath(tenant, name) + "/stop", body: stopUses{Version: version, Reason: reason}, repeat: true}, out)
	return orNil(out, err)
}
