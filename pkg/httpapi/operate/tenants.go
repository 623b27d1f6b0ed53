package operate

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Tenants is what /v1/tenants needs.
type Tenants interface {
	Tenants(ctx context.Context, p tenant.Principal) ([]operate.Versioned[tenant.Tenant], error)
	Tenant(ctx context.Context, p tenant.Principal, name string) (operate.Versioned[tenant.Tenant], error)
	TenantHistory(ctx context.Context, p tenant.Principal, name string) ([]operate.Versioned[tenant.Tenant], error)
	PutTenant(ctx context.Context, p tenant.Principal, t tenant.Tenant, c operate.Change) (operate.Versioned[tenant.Tenant], error)
	Spent(ctx context.Context, p tenant.Principal, name string) ([]operate.Spending, error)
	DeleteTenant(ctx context.Context, p tenant.Principal, name string, c operate.Change) error
}

// Owner is a person to call.
type Owner struct {
	Name  string `json:"name" maxLength:"100"`
	Phone string `json:"phone,omitzero" doc:"With country code, or as written in the tenant's region. A phone or an email is needed." example:"+8613900139000"`
	Email string `json:"email,omitzero"`
	Group string `json:"group,omitzero" doc:"A chat group, by name." maxLength:"100"`
}

// TenantFields are what can be changed of a tenant.
type TenantFields struct {
	Title       string  `json:"title,omitzero" maxLength:"100"`
	Owner       Owner   `json:"owner" doc:"Whose messages these are."`
	FreeContent bool    `json:"free_content,omitzero" doc:"May send text that no template allows, on channels other than sms and whatsapp."`
	Region      string  `json:"region,omitzero" doc:"Country of phone numbers without one, ISO 3166-1." example:"CN"`
	Locale      string  `json:"locale,omitzero" doc:"BCP 47: used where a request names none." example:"zh"`
	PerSecond   int     `json:"per_second,omitzero" doc:"Messages a second that are accepted from its callers, a fifth of them for codes only; 0 is no bound. More is refused with rate_limited." minimum:"0"`
	PerDay      int     `json:"per_day,omitzero" doc:"Messages a day (of UTC) that are accepted from it, a fifth of them for codes only; 0 is no bound. More is refused with daily_limit; runs of campaigns and schedules wait." minimum:"0"`
	PerMonth    float64 `json:"per_month,omitzero" doc:"What its messages may cost in a month (of UTC), by the prices of the accounts in the same currency; 0 is no bound. When it is used up marketing waits; all else goes, and is counted." minimum:"0"`
	Currency    string  `json:"currency,omitzero" doc:"Of per_month, ISO 4217." example:"CNY"`
	ApproveOver int     `json:"approve_over,omitzero" doc:"Over so many recipients a campaign is sent by somebody else than its author, and a schedule that is due once or started by hand waits for somebody else; 0 is no bound." minimum:"0"`
	Review      bool    `json:"review_templates,omitzero" doc:"A new version of a template for sms, or for marketing, is published by somebody else than its author."`
	Disabled    bool    `json:"disabled,omitzero" doc:"Nothing is accepted from it."`
}

// Tenant is a business system that sends.
type Tenant struct {
	Name string `json:"name" example:"order-service"`
	TenantFields
	Meta
}

// TenantList is all tenants, or the history of one.
type TenantList struct {
	Items []Tenant `json:"items"`
}

// TenantUsage is how much of a tenant's limits is used.
type TenantUsage struct {
	Items []BudgetUsage `json:"items" doc:"One for each limit that the tenant has."`
}

// BudgetUsage is how much of one limit is used.
type BudgetUsage struct {
	Window   limit.Kind `json:"window" enum:"second,day,month" doc:"second is the fullest one of the last minute; days and months are those of UTC."`
	Limit    float64    `json:"limit" doc:"Messages, in a month money."`
	Used     float64    `json:"used"`
	Currency string     `json:"currency,omitzero" doc:"Of money."`
}

func usedOf(s operate.Spending) BudgetUsage { return BudgetUsage(s) }

// PutTenant makes or changes a tenant; what is left out is empty afterwards.
type PutTenant struct {
	TenantFields
	ChangeFields
}

// ChangeFields say what a change replaces and why.
type ChangeFields struct {
	Version int64  `json:"version,omitzero" doc:"The version that you read and replace; leave it out to make a new one. Another one is a 409." minimum:"0"`
	Reason  string `json:"reason,omitzero" doc:"Why: kept in the history, with the key." maxLength:"200"`
}

func (c ChangeFields) change() operate.Change { return operate.Change(c) }

func (f TenantFields) tenant(name string) tenant.Tenant {
	return tenant.Tenant{Name: name, Title: f.Title, Owner: tenant.Owner(f.Owner), FreeContent: f.FreeContent, Region: f.Region,
		Locale: f.Locale, PerSecond: f.PerSecond, PerDay: f.PerDay, PerMonth: f.PerMonth, Currency: f.Currency, ApproveOver: f.ApproveOver, ReviewTemplates: f.Review, Disabled: f.Disabled}
}

func tenantOf(v operate.Versioned[tenant.Tenant]) Tenant {
	t := v.Body
	return Tenant{t.Name, TenantFields{Title: t.Title, Owner: Owner(t.Owner), FreeContent: t.FreeContent, Region: t.Region,
		Locale: t.Locale, PerSecond: t.PerSecond, PerDay: t.PerDay, PerMonth: t.PerMonth, Currency: t.Currency, ApproveOver: t.ApproveOver, Review: t.ReviewTemplates, Disabled: t.Disabled}, metaOf(v.Meta)}
}

func tenants(o Tenants) []httpapi.Endpoint {
	del := op(remove, "tenants/{name}", "deleteTenant", "Delete a tenant that no key works for any more", admins(), problem.NotFound, problem.Conflict, problem.NotAllowedNow)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "tenants", "listTenants", "List the tenants", readers()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TenantList, error) {
				items, err := many(tenantOf)(o.Tenants(ctx, c.Principal))
				return &TenantList{items}, err
			}),
		httpapi.Route(op(get, "tenants/{name}", "getTenant", "Read a tenant", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Tenant, error) {
				return one(tenantOf)(o.Tenant(ctx, c.Principal, c.Path("name")))
			}),
		httpapi.Route(op(get, "tenants/{name}/history", "listTenantHistory", "List a tenant's versions, the newest first", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TenantList, error) {
				items, err := many(tenantOf)(o.TenantHistory(ctx, c.Principal, c.Path("name")))
				return &TenantList{items}, err
			}),
		httpapi.Route(op(get, "tenants/{name}/usage", "getTenantUsage", "Tell how much of a tenant's limits is used", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TenantUsage, error) {
				items, err := many(usedOf)(o.Spent(ctx, c.Principal, c.Path("name")))
				return &TenantUsage{items}, err
			}),
		httpapi.Route(making(op(put, "tenants/{name}", "putTenant", "Make or change a tenant", admins(), problem.Conflict, problem.BadAddress)),
			func(ctx context.Context, c *httpapi.Call, r *PutTenant) (*Tenant, error) {
				v, err := o.PutTenant(ctx, c.Principal, r.tenant(c.Path("name")), r.change())
				made(c, r.Version, err)
				return one(tenantOf)(v, err)
			}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteTenant(ctx, c.Principal, c.Path("name"), change)
			}
			return nil, err
		}),
	}
}
