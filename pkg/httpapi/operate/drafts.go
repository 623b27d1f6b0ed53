package operate

import (
	"context"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Drafts is what changing /v1/templates needs.
type Drafts interface {
	PutTemplate(ctx context.Context, p tenant.Principal, t template.Template, c operate.Change) (operate.Versioned[config.Template], []string, error)
	Publish(ctx context.Context, p tenant.Principal, owner, name string, version int, note string) (operate.Versioned[config.Template], []string, error)
	Share(ctx context.Context, p tenant.Principal, owner, name string, shared bool, reason string) (operate.Versioned[config.Template], error)
	DeleteTemplate(ctx context.Context, p tenant.Principal, owner, name string, c operate.Change) error
	Preview(ctx context.Context, p tenant.Principal, r operate.PreviewRequest) (operate.Preview, error)
}

// PutTemplate keeps a new version.
type PutTemplate struct {
	TemplateContent
	ChangeFields
}

// Publish names the version to be sent from now on.
type Publish struct {
	Version int    `json:"version" doc:"A new version, or an older one to restore it." minimum:"1"`
	Reason  string `json:"reason,omitzero" maxLength:"200"`
}

// Share says whether other tenants may send with a template.
type Share struct {
	Shared *bool  `json:"shared"`
	Reason string `json:"reason,omitzero" maxLength:"200"`
}

// PreviewRequest asks for a rendering of template, or of a stored version.
type PreviewRequest struct {
	Template *TemplateContent `json:"template,omitzero" doc:"What is being edited. Without it, the stored version that tenant, name and version say."`
	Tenant   string           `json:"tenant,omitzero"`
	Name     string           `json:"name,omitzero"`
	Version  int              `json:"version,omitzero" doc:"The newest without it." minimum:"1"`
	Channel  message.Channel  `json:"channel,omitzero" doc:"Which variant; the first without it."`
	Locale   string           `json:"locale,omitzero"`
	Vars     map[string]any   `json:"vars,omitzero" doc:"A variable without a value takes its example."`
}

// Preview is what a recipient would read, as far as it can be said.
type Preview struct {
	Version  int             `json:"version,omitzero" doc:"The stored version that was rendered."`
	Channel  message.Channel `json:"channel,omitzero"`
	Locale   string          `json:"locale,omitzero"`
	Content  PreviewContent  `json:"content" doc:"What cannot be rendered stands as it is written; a variable without a value shows as {{name}}."`
	Segments *Segments       `json:"segments,omitzero" doc:"Of an SMS."`
	Problems []problem.Field `json:"problems" doc:"Everything that is wrong; pointers begin with /template or /vars."`
	Warnings []string        `json:"warnings" doc:"What is allowed but probably not meant."`
}

// PreviewContent is a rendered variant.
type PreviewContent struct {
	Subject string `json:"subject,omitzero"`
	Title   string `json:"title,omitzero"`
	Text    string `json:"text,omitzero"`
	HTML    string `json:"html,omitzero"`
	Data    string `json:"data,omitzero" doc:"JSON, as text: it may be faulty."`
}

// Segments is how a carrier counts an SMS.
type Segments struct {
	Encoding  string `json:"encoding" enum:"GSM-7,UCS-2"`
	Units     int    `json:"units"`
	Count     int    `json:"count"`
	Remaining int    `json:"remaining" doc:"Units left in the last segment."`
}

func previewOf(p operate.Preview) Preview {
	out := Preview{Version: p.Version, Channel: p.Channel, Locale: p.Locale, Problems: append([]problem.Field{}, p.Problems...), Warnings: append([]string{}, p.Warnings...),
		Content: PreviewContent{p.Content.Subject, p.Content.Title, p.Content.Text, p.Content.HTML, string(p.Content.Data)}}
	if p.Segments != nil {
		s := Segments(*p.Segments)
		out.Segments = &s
	}
	return out
}

func (r *PreviewRequest) request() (operate.PreviewRequest, error) {
	out := operate.PreviewRequest{Tenant: r.Tenant, Name: r.Name, Version: r.Version, Channel: r.Channel, Locale: r.Locale, Vars: r.Vars}
	switch {
	case r.Template != nil && r.Version != 0:
		return out, problem.Invalid(problem.At("/version", problem.BadValue, "send template, or tenant, name and version of a stored one"))
	case r.Template != nil:
		t := r.Template.template(r.Tenant, r.Name)
		out.Template = &t
	case r.Tenant == "" || r.Name == "":
		return out, problem.Invalid(problem.At("/template", problem.Required, "send template, or tenant and name of a stored one"))
	case r.Version < 0:
		return out, problem.Invalid(problem.At("/version", problem.BadValue, "version must be 1 or more; leave it out for the newest"))
	}
	return out, nil
}

func drafts(o Drafts) []httpapi.Endpoint {
	draft := op(put, "templates/{tenant}/{name}", "putTemplate", "Keep a new version of a template, as a draft", operators(),
		problem.Conflict, problem.UnknownTenant, problem.UnknownVariable, problem.UnknownChannel)
	draft = making(draft)
	draft.Description = "Nothing is sent with it before it is published. Versions never change and stay for good."
	publish := op(post, "templates/{tenant}/{name}/publish", "publishTemplate", "Publish a version, or restore an older one", operators(), problem.NotFound, problem.Conflict)
	publish.Description = "The warnings name the accounts over which it cannot go because they lack a binding, or because the vendor has not approved it."
	share := op(post, "templates/{tenant}/{name}/share", "shareTemplate", "Let other tenants send with a template, or no longer", operators(), problem.NotFound, problem.Conflict)
	del := op(remove, "templates/{tenant}/{name}", "deleteTemplate", "Delete a template; its versions stay, as messages need them", operators(), problem.NotFound, problem.Conflict)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	preview := op(post, "templates/preview", "previewTemplate", "Render a template that is being edited, or a stored version", readers(), problem.NotFound)
	preview.Description = "A faulty template is no error: what is wrong is listed in problems, beside all that can be shown."
	return []httpapi.Endpoint{
		httpapi.Route(draft, func(ctx context.Context, c *httpapi.Call, r *PutTemplate) (*Template, error) {
			v, warnings, err := o.PutTemplate(ctx, c.Principal, r.template(c.Path("tenant"), c.Path("name")), r.change())
			made(c, r.ChangeFields.Version, err)
			if err != nil {
				return nil, err
			}
			out := templateOf(v)
			out.Warnings = warnings
			return &out, nil
		}),
		httpapi.Route(publish, func(ctx context.Context, c *httpapi.Call, r *Publish) (*Template, error) {
			v, warnings, err := o.Publish(ctx, c.Principal, c.Path("tenant"), c.Path("name"), r.Version, r.Reason)
			out := templateOf(v)
			out.Warnings = warnings
			return &out, err
		}),
		httpapi.Route(share, func(ctx context.Context, c *httpapi.Call, r *Share) (*Template, error) {
			if r.Shared == nil {
				return nil, problem.Invalid(problem.At("/shared", problem.Required, "say shared: true or false"))
			}
			return one(templateOf)(o.Share(ctx, c.Principal, c.Path("tenant"), c.Path("name"), *r.Shared, r.Reason))
		}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteTemplate(ctx, c.Principal, c.Path("tenant"), c.Path("name"), change)
			}
			return nil, err
		}),
		httpapi.Route(preview, func(ctx context.Context, c *httpapi.Call, r *PreviewRequest) (*Preview, error) {
			req, err := r.request()
			if err != nil {
				return nil, err
			}
			return one(previewOf)(o.Preview(ctx, c.Principal, req))
		}),
	}
}
