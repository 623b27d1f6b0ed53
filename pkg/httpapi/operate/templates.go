package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Templates is what reading /v1/templates needs.
type Templates interface {
	Templates(ctx context.Context, p tenant.Principal, of string) ([]operate.Versioned[config.Template], error)
	Template(ctx context.Context, p tenant.Principal, owner, name string) (operate.Versioned[config.Template], error)
	TemplateHistory(ctx context.Context, p tenant.Principal, owner, name string) ([]operate.Versioned[config.Template], error)
	TemplateVersions(ctx context.Context, p tenant.Principal, owner, name string, limit, before int) ([]operate.Versioned[template.Template], int, error)
	TemplateVersion(ctx context.Context, p tenant.Principal, owner, name string, version int) (operate.Versioned[template.Template], []string, error)
	DiffTemplate(ctx context.Context, p tenant.Principal, owner, name string, from, to int) (operate.TemplateDiff, error)
}

// Template says which versions of a template there are.
type Template struct {
	Tenant    string        `json:"tenant" doc:"Whose template."`
	Name      string        `json:"name" example:"login-code"`
	Class     message.Class `json:"class" enum:"otp,transactional,marketing" doc:"Of the published version."`
	Shared    bool          `json:"shared" doc:"Other tenants may send it, as tenant/name."`
	Version   int           `json:"version" doc:"The newest version. Send it with the next draft."`
	Published int           `json:"published,omitzero" doc:"The version that is sent; absent when there is none."`
	Author    string        `json:"author" doc:"Who changed it last."`
	Reason    string        `json:"reason,omitzero"`
	ChangedAt time.Time     `json:"changed_at"`
	Deleted   bool          `json:"deleted,omitzero" doc:"Only in a history."`
	Warnings  []string      `json:"warnings,omitzero" doc:"After a draft or a publication: what is allowed but probably not meant."`
}

// TemplateList is the templates by tenant and name, or the history of one.
type TemplateList struct {
	Items []Template `json:"items"`
}

// TemplateContent is what a version says.
type TemplateContent struct {
	Class        message.Class      `json:"class" enum:"otp,transactional,marketing" doc:"What messages with it are for."`
	Variables    []TemplateVariable `json:"variables,omitzero"`
	Variants     []TemplateVariant  `json:"variants" doc:"One for each channel and locale."`
	DedupExclude []string           `json:"dedup_exclude,omitzero" doc:"Variables that do not make two messages different, as the code of an otp."`
}

// TemplateVariable is declared before it may be used or sent.
type TemplateVariable struct {
	Name      string `json:"name"`
	Type      string `json:"type,omitzero" enum:"string,number,boolean,url,list" doc:"string without it. A list is of objects, for {{#name}}…{{/name}}."`
	MaxLength int    `json:"max_length,omitzero" doc:"In characters; 1000 without it."`
	Pattern   string `json:"pattern,omitzero" doc:"RE2; it must match the whole value."`
	Optional  bool   `json:"optional,omitzero"`
	Secret    bool   `json:"secret,omitzero" doc:"Never shown in a timeline."`
	Example   string `json:"example,omitzero" doc:"Used by previews."`
}

// TemplateVariant is the content for one channel and locale. Which fields there are follows from the
// channel.
type TemplateVariant struct {
	Channel message.Channel `json:"channel" example:"sms"`
	Locale  string          `json:"locale" doc:"BCP 47." example:"zh"`
	Subject string          `json:"subject,omitzero" doc:"Of an email."`
	Title   string          `json:"title,omitzero" doc:"Of a chat message or a push."`
	Text    string          `json:"text,omitzero"`
	HTML    string          `json:"html,omitzero" doc:"Of an email."`
	Data    string          `json:"data,omitzero" doc:"Of a webhook: a JSON document, as text, whose strings may hold {{name}}."`
}

// TemplateVersion is one version, which never changes.
type TemplateVersion struct {
	Tenant  string `json:"tenant"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	TemplateContent
	Author    string    `json:"author"`
	Reason    string    `json:"reason,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	Warnings  []string  `json:"warnings,omitzero" doc:"What is allowed but probably not meant."`
}

// TemplateVersionLine is a version in a list.
type TemplateVersionLine struct {
	Version   int               `json:"version"`
	Class     message.Class     `json:"class"`
	Channels  []message.Channel `json:"channels" doc:"One for each variant."`
	Author    string            `json:"author"`
	Reason    string            `json:"reason,omitzero"`
	CreatedAt time.Time         `json:"created_at"`
}

// TemplateVersionList is a page of versions, the newest first.
type TemplateVersionList struct {
	Items []TemplateVersionLine `json:"items"`
	Next  int                   `json:"next,omitzero" doc:"Send it as before to go on; absent at the end."`
}

func templateOf(v operate.Versioned[config.Template]) Template {
	t := v.Body
	return Template{Tenant: t.Tenant, Name: t.Name, Class: t.Class, Shared: t.Shared, Version: t.Latest, Published: t.Published,
		Author: v.Author, Reason: v.Reason, ChangedAt: v.At.Std(), Deleted: v.Deleted}
}

func contentOf(t template.Template) TemplateContent {
	out := TemplateContent{Class: t.Class, Variants: make([]TemplateVariant, len(t.Variants)), DedupExclude: t.DedupExclude}
	for _, v := range t.Variables {
		out.Variables = append(out.Variables, TemplateVariable(v))
	}
	for i, v := range t.Variants {
		out.Variants[i] = TemplateVariant{v.Channel, v.Locale, v.Subject, v.Title, v.Text, v.HTML, v.Data}
	}
	return out
}

func (c TemplateContent) template(owner, name string) template.Template {
	t := template.Template{Tenant: owner, Name: name, Class: c.Class, DedupExclude: c.DedupExclude}
	for _, v := range c.Variables {
		t.Variables = append(t.Variables, template.Variable(v))
	}
	for _, v := range c.Variants {
		t.Variants = append(t.Variants, template.Variant{Channel: v.Channel, Locale: v.Locale, Subject: v.Subject, Title: v.Title, Text: v.Text, HTML: v.HTML, Data: v.Data})
	}
	return t
}

func lineOf(v operate.Versioned[template.Template]) TemplateVersionLine {
	out := TemplateVersionLine{Version: v.Body.Version, Class: v.Body.Class, Channels: make([]message.Channel, len(v.Body.Variants)),
		Author: v.Author, Reason: v.Reason, CreatedAt: v.At.Std()}
	for i, variant := range v.Body.Variants {
		out.Channels[i] = variant.Channel
	}
	return out
}

func templates(o Templates) []httpapi.Endpoint {
	list := op(get, "templates", "listTemplates", "List the templates that may be sent: the tenant's own, and those that others share", readers())
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}}
	versions := op(get, "templates/{tenant}/{name}/versions", "listTemplateVersions", "List a template's versions, the newest first", readers(), problem.NotFound)
	versions.Query = []httpapi.Param{httpapi.LimitParam(), {Name: "before", Description: "Only versions below this one: the next of the page before."}}
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateList, error) {
			items, err := many(templateOf)(o.Templates(ctx, c.Principal, c.Query("tenant")))
			return &TemplateList{items}, err
		}),
		httpapi.Route(op(get, "templates/{tenant}/{name}", "getTemplate", "Read which versions of a template there are", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Template, error) {
				return one(templateOf)(o.Template(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
			}),
		httpapi.Route(op(get, "templates/{tenant}/{name}/history", "listTemplateHistory", "List what was done to a template, the newest first", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateList, error) {
				items, err := many(templateOf)(o.TemplateHistory(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
				return &TemplateList{items}, err
			}),
		httpapi.Route(versions, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateVersionList, error) {
			limit, err := c.Limit()
			if err != nil {
				return nil, err
			}
			before, err := c.Number("before", 0, 1, 1<<31-1)
			if err != nil {
				return nil, err
			}
			page, next, err := o.TemplateVersions(ctx, c.Principal, c.Path("tenant"), c.Path("name"), limit, before)
			items, err := many(lineOf)(page, err)
			return &TemplateVersionList{items, next}, err
		}),
		httpapi.Route(op(get, "templates/{tenant}/{name}/versions/{version}", "getTemplateVersion", "Read a version of a template", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateVersion, error) {
				n, err := pathVersion(c)
				if err != nil {
					return nil, err
				}
				v, warnings, err := o.TemplateVersion(ctx, c.Principal, c.Path("tenant"), c.Path("name"), n)
				if err != nil {
					return nil, err
				}
				return &TemplateVersion{v.Body.Tenant, v.Body.Name, v.Body.Version, contentOf(v.Body), v.Author, v.Reason, v.At.Std(), warnings}, nil
			}),
		diffTemplate(o),
	}
}
