package operate

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/tenant"
)

// Bindings is what /v1/templates/{tenant}/{name}/versions/{version}/bindings needs.
type Bindings interface {
	Bindings(ctx context.Context, p tenant.Principal, r operate.BindingRef) (operate.Versioned[config.Bindings], []operate.Unbound, error)
	PutBinding(ctx context.Context, p tenant.Principal, r operate.BindingRef, b config.Binding, c operate.Change) (operate.Versioned[config.Bindings], error)
	DeleteBinding(ctx context.Context, p tenant.Principal, r operate.BindingRef, c operate.Change) error
	CheckBinding(ctx context.Context, p tenant.Principal, r operate.BindingRef) (operate.Versioned[config.Bindings], string, error)
}

// TemplateBinding is the vendor's own template that a version is sent as over an account.
type TemplateBinding struct {
	Account   string            `json:"account"`
	Fields    map[string]string `json:"fields" doc:"Those of the provider's binding form, see GET /v1/providers/{name}."`
	State     provider.Approval `json:"state" enum:"unchecked,pending,approved,rejected" doc:"What is known of the vendor's approval. Over a rejected one nothing is sent."`
	CheckedAt *time.Time        `json:"checked_at,omitzero" doc:"When the vendor was asked; absent if it was set by hand."`
	Note      string            `json:"note,omitzero" doc:"The vendor's reason, or an operator's."`
}

// BindingsMeta says which version of a template version's bindings this is.
type BindingsMeta struct {
	Version   int64      `json:"version" doc:"Counts the changes of all bindings of this template version; 0 when there were none. Send it with the next change."`
	Author    string     `json:"author,omitzero"`
	Reason    string     `json:"reason,omitzero"`
	ChangedAt *time.Time `json:"changed_at,omitzero"`
}

// TemplateBindings is what a version of a template is bound to.
type TemplateBindings struct {
	Items   []TemplateBinding `json:"items" doc:"By account."`
	Lacking []UnboundAccount  `json:"lacking" doc:"Accounts that are on, send over a channel of this version, and lack a binding or its approval."`
	BindingsMeta
}

// UnboundAccount is an account over which a version cannot go, or may be refused.
type UnboundAccount struct {
	Account  string            `json:"account"`
	Provider string            `json:"provider"`
	Channel  message.Channel   `json:"channel"`
	State    provider.Approval `json:"state,omitzero" enum:"pending,rejected" doc:"Absent if there is no binding."`
}

// BoundTemplate is one binding.
type BoundTemplate struct {
	TemplateBinding
	BindingsMeta
	Detail string `json:"detail,omitzero" doc:"After a check: why the vendor gave no state; the binding is as it was."`
}

// PutBinding binds a version over an account; what is left out is empty afterwards.
type PutBinding struct {
	Fields map[string]string `json:"fields" doc:"Those of the provider's binding form. A field of the type variables lists the template's variables in the vendor's order, as code,minutes, or theirs=ours."`
	State  provider.Approval `json:"state,omitzero" enum:"unchecked,pending,approved,rejected" doc:"unchecked without it."`
	Note   string            `json:"note,omitzero" maxLength:"200"`
	ChangeFields
}

func bindingsMetaOf(m operate.Meta) BindingsMeta {
	return BindingsMeta{m.Version, m.Author, m.Reason, at(m.At)}
}

func bindingOf(account string, b config.Binding) TemplateBinding {
	fields := b.Fields
	if fields == nil {
		fields = map[string]string{}
	}
	return TemplateBinding{account, fields, b.State, at(b.CheckedAt), b.Note}
}

func bindingsOf(v operate.Versioned[config.Bindings], lacking []operate.Unbound) *TemplateBindings {
	out := &TemplateBindings{Items: []TemplateBinding{}, Lacking: []UnboundAccount{}, BindingsMeta: bindingsMetaOf(v.Meta)}
	for _, name := range slices.Sorted(maps.Keys(v.Body)) {
		out.Items = append(out.Items, bindingOf(name, v.Body[name]))
	}
	for _, u := range lacking {
		out.Lacking = append(out.Lacking, UnboundAccount{u.Account.Name, u.Account.Provider, u.Account.Channel, u.Approval})
	}
	return out
}

func boundOf(v operate.Versioned[config.Bindings], account, detail string) *BoundTemplate {
	return &BoundTemplate{bindingOf(account, v.Body[account]), bindingsMetaOf(v.Meta), detail}
}

// bindingRef reads the path.
func bindingRef(c *httpapi.Call) (operate.BindingRef, error) {
	n, err := pathVersion(c)
	return operate.BindingRef{Tenant: c.Path("tenant"), Name: c.Path("name"), Version: n, Account: c.Path("account")}, err
}

func bindings(o Bindings) []httpapi.Endpoint {
	const all, one = "templates/{tenant}/{name}/versions/{version}/bindings", "templates/{tenant}/{name}/versions/{version}/bindings/{account}"
	bind := op(put, one, "putTemplateBinding", "Bind a version to the vendor's own template, over an account", operators(),
		problem.NotFound, problem.Conflict, problem.NoVariant, problem.UnknownVariable)
	bind = making(bind)
	bind.Description = "For vendors that send approved templates only. Versions never change, bindings do: an approval comes days later."
	unbind := op(remove, one, "deleteTemplateBinding", "Unbind a version from an account", operators(), problem.NotFound, problem.Conflict)
	unbind.Query = []httpapi.Param{versionParam, reasonParam}
	check := op(post, one+"/check", "checkTemplateBinding", "Ask the vendor whether it has approved a bound template", operators(), problem.NotFound, problem.Conflict)
	check.Description = "That the vendor gives no state is an answer, in detail, not an error."
	return []httpapi.Endpoint{
		httpapi.Route(op(get, all, "listTemplateBindings", "List what a version is bound to, and the accounts that lack a binding", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateBindings, error) {
				r, err := bindingRef(c)
				if err != nil {
					return nil, err
				}
				v, lacking, err := o.Bindings(ctx, c.Principal, r)
				return bindingsOf(v, lacking), err
			}),
		httpapi.Route(op(get, one, "getTemplateBinding", "Read what a version is bound to over an account", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*BoundTemplate, error) {
				r, err := bindingRef(c)
				if err != nil {
					return nil, err
				}
				v, _, err := o.Bindings(ctx, c.Principal, r)
				if _, bound := v.Body[r.Account]; err == nil && !bound {
					err = problem.New(problem.NotFound, "this version is not bound over such an account")
				}
				return boundOf(v, r.Account, ""), err
			}),
		httpapi.Route(bind, func(ctx context.Context, c *httpapi.Call, b *PutBinding) (*BoundTemplate, error) {
			r, err := bindingRef(c)
			if err != nil {
				return nil, err
			}
			v, err := o.PutBinding(ctx, c.Principal, r, config.Binding{Fields: b.Fields, State: b.State, Note: b.Note}, b.change())
			made(c, b.Version, err)
			return boundOf(v, r.Account, ""), err
		}),
		httpapi.Route(unbind, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			r, err := bindingRef(c)
			if err != nil {
				return nil, err
			}
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteBinding(ctx, c.Principal, r, change)
			}
			return nil, err
		}),
		httpapi.Route(check, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*BoundTemplate, error) {
			r, err := bindingRef(c)
			if err != nil {
				return nil, err
			}
			v, detail, err := o.CheckBinding(ctx, c.Principal, r)
			return boundOf(v, r.Account, detail), err
		}),
	}
}
