package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// BindingState is what is known of a vendor's approval of its template.
type BindingState string

// The states. Over a rejected template nothing is sent.
const (
	BindingUnchecked BindingState = "unchecked"
	BindingPending   BindingState = "pending"
	BindingApproved  BindingState = "approved"
	BindingRejected  BindingState = "rejected"
)

// TemplateBinding is the vendor's own template that a version is sent as over an account.
type TemplateBinding struct {
	Account   string            `json:"account"`
	Fields    map[string]string `json:"fields"` // of the provider's binding form
	State     BindingState      `json:"state"`
	CheckedAt time.Time         `json:"checked_at,omitzero"` // zero if the state was set by hand
	Note      string            `json:"note,omitzero"`
}

// BindingsMeta says which version of a template version's bindings it is.
type BindingsMeta struct {
	Version   int64     `json:"version"` // 0 when there were none
	Author    string    `json:"author,omitzero"`
	Reason    string    `json:"reason,omitzero"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
}

// TemplateBindings is what a version of a template is bound to.
type TemplateBindings struct {
	Items   []TemplateBinding `json:"items"`
	Lacking []UnboundAccount  `json:"lacking"` // accounts that are on and lack a binding, or its approval
	BindingsMeta
}

// UnboundAccount is an account over which a version cannot go, or may be refused.
type UnboundAccount struct {
	Account  string       `json:"account"`
	Provider string       `json:"provider"`
	Channel  Channel      `json:"channel"`
	State    BindingState `json:"state,omitzero"` // "" if there is no binding
}

// BoundTemplate is one binding.
type BoundTemplate struct {
	TemplateBinding
	BindingsMeta
	Detail string `json:"detail,omitzero"` // after CheckTemplateBinding: why the vendor gave no state
}

// PutBindingRequest binds a version over an account.
type PutBindingRequest struct {
	Fields  map[string]string `json:"fields"`
	State   BindingState      `json:"state,omitzero"` // unchecked without it
	Note    string            `json:"note,omitzero"`
	Version int64             `json:"version,omitzero"` // of the bindings that you read; 0 for the first one
	Reason  string            `json:"reason,omitzero"`
}

func bindingsPath(tenant, name string, version int) string {
	return templatePath(tenant, name) + "/versions/" + strconv.Itoa(version) + "/bindings"
}

// TemplateBindings lists what a version is bound to, and the accounts that lack a binding.
func (c *Client) TemplateBindings(ctx context.Context, tenant, name string, version int) (*TemplateBindings, error) {
	return get[TemplateBindings](ctx, c, bindingsPath(tenant, name, version))
}

// PutTemplateBinding binds a version to the vendor's own template, over an account. When somebody else
// changed the version's bindings since Version was read, it is an Error with CodeConflict.
func (c *Client) PutTemplateBinding(ctx context.Context, tenant, name string, version int, account string, r PutBindingRequest) (*BoundTemplate, error) {
	out := &BoundTemplate{}
	_, err := c.do(ctx, call{method: http.MethodPut, path: bindingsPath(tenant, name, version) + "/" + url.PathEscape(account), body: r}, out)
	return orNil(out, err)
}

// DeleteTemplateBinding unbinds a version from an account; read is the version of the bindings that you
// read.
func (c *Client) DeleteTemplateBinding(ctx context.Context, tenant, name string, version int, account string, read int64, reason string) error {
	path := query(bindingsPath(tenant, name, version)+"/"+url.PathEscape(account), "version", strconv.FormatInt(read, 10), "reason", reason)
	_, err := c.do(ctx, call{method: http.MethodDelete, path: path}, nil)
	return err
}

// CheckTemplateBinding asks the vendor whether it has approved the template. That it gives no state is no
// error: see Detail.
func (c *Client) CheckTemplateBinding(ctx context.Context, tenant, name string, version int, account string) (*BoundTemplate, error) {
	out := &BoundTemplate{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: bindingsPath(tenant, name, version) + "/" + url.PathEscape(account) + "/check", repeat: true}, out)
	return orNil(out, err)
}
