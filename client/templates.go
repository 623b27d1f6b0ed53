package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Template says which versions of a template there are.
type Template struct {
	Tenant    string    `json:"tenant"`
	Name      string    `json:"name"`
	Class     Class     `json:"class"` // of the published version
	Shared    bool      `json:"shared"`
	Version   int       `json:"version"`            // the newest
	Published int       `json:"published,omitzero"` // that is sent; 0 when there is none
	Author    string    `json:"author"`
	Reason    string    `json:"reason,omitzero"`
	ChangedAt time.Time `json:"changed_at"`
	Deleted   bool      `json:"deleted,omitzero"`  // only in a history
	Warnings  []string  `json:"warnings,omitzero"` // after PutTemplate or PublishTemplate
}

// TemplateContent is what a version says.
type TemplateContent struct {
	Class        Class              `json:"class"`
	Variables    []TemplateVariable `json:"variables,omitzero"`
	Variants     []TemplateVariant  `json:"variants"` // one for each channel and locale
	DedupExclude []string           `json:"dedup_exclude,omitzero"`
}

// TemplateVariable is declared before it may be used or sent.
type TemplateVariable struct {
	Name      string `json:"name"`
	Type      string `json:"type,omitzero"`       // string, number, boolean, url, list
	MaxLength int    `json:"max_length,omitzero"` // in characters
	Pattern   string `json:"pattern,omitzero"`    // RE2; it must match the whole value
	Optional  bool   `json:"optional,omitzero"`
	Secret    bool   `json:"secret,omitzero"` // never shown in a timeline
	Example   string `json:"example,omitzero"`
}

// TemplateVariant is the content for one channel and locale.
type TemplateVariant struct {
	Channel Channel `json:"channel"`
	Locale  string  `json:"locale"`
	Subject string  `json:"subject,omitzero"` // mail
	Title   string  `json:"title,omitzero"`   // chat, push
	Text    string  `json:"text,omitzero"`
	HTML    string  `json:"html,omitzero"` // mail
	Data    string  `json:"data,omitzero"` // webhook: a JSON document, as text
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
	Warnings  []string  `json:"warnings,omitzero"`
}

// PutTemplateRequest is a new version of a template.
type PutTemplateRequest struct {
	TemplateContent
	Version int    `json:"version,omitzero"` // the newest that you read; 0 makes a new template
	Reason  string `json:"reason,omitzero"`
}

// Preview is a template as a recipient would read it, as far as it can be said.
type Preview struct {
	Version  int            `json:"version,omitzero"`
	Channel  Channel        `json:"channel,omitzero"`
	Locale   string         `json:"locale,omitzero"`
	Content  PreviewContent `json:"content"`
	Segments *Segments      `json:"segments,omitzero"`
	Problems []FieldError   `json:"problems"` // everything that is wrong
	Warnings []string       `json:"warnings"`
}

// PreviewContent is a rendered variant.
type PreviewContent struct {
	Subject string `json:"subject,omitzero"`
	Title   string `json:"title,omitzero"`
	Text    string `json:"text,omitzero"`
	HTML    string `json:"html,omitzero"`
	Data    string `json:"data,omitzero"`
}

// PreviewRequest asks for a rendering of Template, or of a stored version.
type PreviewRequest struct {
	Template *TemplateContent `json:"template,omitzero"` // without it the stored version of Tenant and Name
	Tenant   string           `json:"tenant,omitzero"`
	Name     string           `json:"name,omitzero"`
	Version  int              `json:"version,omitzero"` // the newest without it
	Channel  Channel          `json:"channel,omitzero"` // the first variant's without it
	Locale   string           `json:"locale,omitzero"`
	Vars     map[string]any   `json:"vars,omitzero"` // a variable without a value takes its example
}

// TemplateDiff is what differs between two versions; what is equal is left out.
type TemplateDiff struct {
	From         int            `json:"from"`
	To           int            `json:"to"`
	Class        *ClassDiff     `json:"class,omitzero"`
	DedupExclude *NamesDiff     `json:"dedup_exclude,omitzero"`
	Variables    []VariableDiff `json:"variables"`
	Variants     []VariantDiff  `json:"variants"`
}

// ClassDiff is the class before and after.
type ClassDiff struct {
	Before Class `json:"before"`
	After  Class `json:"after"`
}

// NamesDiff is names before and after.
type NamesDiff struct {
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// VariableDiff is a declaration that differs.
type VariableDiff struct {
	Name   string            `json:"name"`
	Change string            `json:"change"` // added, removed, changed
	Before *TemplateVariable `json:"before,omitzero"`
	After  *TemplateVariable `json:"after,omitzero"`
}

// VariantDiff is a variant that differs.
type VariantDiff struct {
	Channel Channel     `json:"channel"`
	Locale  string      `json:"locale"`
	Change  string      `json:"change"` // added, removed, changed
	Fields  []FieldDiff `json:"fields"`
}

// FieldDiff is the lines of a field that differs.
type FieldDiff struct {
	Name  string     `json:"name"` // subject, title, text, html, data
	Lines []DiffLine `json:"lines"`
}

// DiffLine is a line of a text.
type DiffLine struct {
	Op   string `json:"op"` // keep, remove, add
	Text string `json:"text"`
}

func templatePath(tenant, name string) string {
	return "/v1/templates/" + url.PathEscape(tenant) + "/" + url.PathEscape(name)
}

// Templates lists the templates that the key may send: of one tenant, or all of "".
func (c *Client) Templates(ctx context.Context, tenant string) ([]Template, error) {
	return listOf[Template](ctx, c, query("/v1/templates", "tenant", tenant))
}

// Template reads which versions of a template there are.
func (c *Client) Template(ctx context.Context, tenant, name string) (*Template, error) {
	return get[Template](ctx, c, templatePath(tenant, name))
}

// TemplateVersion reads one version.
func (c *Client) TemplateVersion(ctx context.Context, tenant, name string, version int) (*TemplateVersion, error) {
	return get[TemplateVersion](ctx, c, templatePath(tenant, name)+"/versions/"+strconv.Itoa(version))
}

// PutTemplate keeps a new version, as a draft. When somebody else wrote one since Version was read, it is
// an Error with CodeConflict.
func (c *Client) PutTemplate(ctx context.Context, tenant, name string, r PutTemplateRequest) (*Template, error) {
	out := &Template{}
	_, err := c.do(ctx, call{method: http.MethodPut, path: templatePath(tenant, name), body: r}, out)
	return orNil(out, err)
}

// PublishTemplate puts a version in force: a new one, or an older one again.
func (c *Client) PublishTemplate(ctx context.Context, tenant, name string, version int, reason string) (*Template, error) {
	body := struct {
		Version int    `json:"version"`
		Reason  string `json:"reason,omitzero"`
	}{version, reason}
	out := &Template{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: templatePath(tenant, name) + "/publish", body: body, repeat: true}, out)
	return orNil(out, err)
}

// DiffTemplate compares two versions, line by line.
func (c *Client) DiffTemplate(ctx context.Context, tenant, name string, from, to int) (*TemplateDiff, error) {
	return get[TemplateDiff](ctx, c, fmt.Sprintf("%s/diff?from=%d&to=%d", templatePath(tenant, name), from, to))
}

// PreviewTemplate renders a template that is being edited, or a stored version. A faulty template is no
// error: see Preview.Problems.
func (c *Client) PreviewTemplate(ctx context.Context, r PreviewRequest) (*Preview, error) {
	out := &Preview{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/templates/preview", body: r, repeat: true}, out)
	return orNil(out, err)
}
