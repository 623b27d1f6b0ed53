package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Installation is what /v1/settings needs.
type Installation interface {
	Settings(ctx context.Context, p tenant.Principal) (operate.Versioned[config.Settings], error)
	SettingsHistory(ctx context.Context, p tenant.Principal) ([]operate.Versioned[config.Settings], error)
	PutSettings(ctx context.Context, p tenant.Principal, s config.Settings, c operate.Change) (operate.Versioned[config.Settings], error)
	Address() string
	EgressAddress() string
}

// Cap is at most so many within a time.
type Cap struct {
	Messages int `json:"messages,omitzero" doc:"0 with seconds is none at all; 0 without is no cap." minimum:"0"`
	Seconds  int `json:"seconds,omitzero" minimum:"0" maximum:"86400"`
}

// PrefixCap is a cap of the numbers with a prefix.
type PrefixCap struct {
	Prefix string `json:"prefix" example:"+86170"`
	Cap
}

// Codes are the caps on one-time codes.
type Codes struct {
	PerRecipient *Cap        `json:"per_recipient,omitzero" doc:"What one recipient is sent; at most 100 messages. 3 in 600 seconds without it."`
	PerRange     *Cap        `json:"per_range,omitzero" doc:"What numbers are sent together that differ in their last four digits only, in each span of so many seconds. No cap without it."`
	Prefixes     []PrefixCap `json:"prefixes,omitzero" doc:"What all numbers with a prefix are sent together; of several that match the longest counts."`
}

// Notices say who is told when a limit is nearly used up.
type Notices struct {
	Tenant   string     `json:"tenant,omitzero" doc:"In whose name notices are sent; none are without it."`
	To       []NoticeTo `json:"to,omitzero" doc:"The operators, at most 20."`
	Template string     `json:"template,omitzero" doc:"What notices are sent as, name or tenant/name, with the variable text. Without it they are free content, which the tenant must be allowed and no SMS can be."`
}

// NoticeTo is an address on a channel.
type NoticeTo struct {
	Channel message.Channel `json:"channel" example:"email"`
	To      string          `json:"to" example:"oncall@example.com"`
}

// SettingsFields are what can be changed of the settings.
type SettingsFields struct {
	Codes   Codes   `json:"codes,omitzero" doc:"Against floods: what a tenant may have sent of the class otp. More is refused with recipient_limit."`
	Notices Notices `json:"notices,omitzero" doc:"Who is told at 80 % of an account's limit or a tenant's, once an hour: the operators here, and the owners of the tenants that use most of it."`
}

// Settings are what is decided for the whole installation.
type Settings struct {
	SettingsFields
	Version   int64      `json:"version" doc:"Counts the changes. 0: the defaults, nobody has changed them."`
	Author    string     `json:"author,omitzero"`
	Reason    string     `json:"reason,omitzero"`
	ChangedAt *time.Time `json:"changed_at,omitzero"`
	PublicURL string     `json:"public_url,omitzero" doc:"Where the API is seen from outside, as the deployment says; not there if it does not: then marketing mail has no List-Unsubscribe. It is not changed here."`
	Egress    string     `json:"egress_address,omitzero" doc:"The one IP address that providers are called from, as the deployment says: enter it at vendors that allow addresses by list. Absent where there is no fixed one." example:"203.0.113.7"`
}

// SettingsList is a history.
type SettingsList struct {
	Items []Settings `json:"items"`
}

// PutSettings changes the settings; what is left out has its default afterwards.
type PutSettings struct {
	SettingsFields
	ChangeFields
}

func (f SettingsFields) settings() config.Settings {
	out := config.Settings{Codes: config.Codes{PerRecipient: (*config.Cap)(f.Codes.PerRecipient), PerRange: (*config.Cap)(f.Codes.PerRange)}}
	out.Notices = config.Notices{Tenant: f.Notices.Tenant, Template: f.Notices.Template}
	for _, to := range f.Notices.To {
		out.Notices.To = append(out.Notices.To, config.NoticeTo(to))
	}
	for _, p := range f.Codes.Prefixes {
		out.Codes.Prefixes = append(out.Codes.Prefixes, config.PrefixCap{Prefix: p.Prefix, Cap: config.Cap(p.Cap)})
	}
	return out
}

func settingsOf(v operate.Versioned[config.Settings]) Settings {
	c := v.Body.Codes
	most := Cap(c.Recipient())
	out := Settings{SettingsFields: SettingsFields{Codes: Codes{PerRecipient: &most, PerRange: (*Cap)(c.PerRange)}},
		Version: v.Version, Author: v.Author, Reason: v.Reason, ChangedAt: at(v.At)}
	out.Notices = Notices{Tenant: v.Body.Notices.Tenant, Template: v.Body.Notices.Template}
	for _, to := range v.Body.Notices.To {
		out.Notices.To = append(out.Notices.To, NoticeTo(to))
	}
	for _, p := range c.Prefixes {
		out.Codes.Prefixes = append(out.Codes.Prefixes, PrefixCap{p.Prefix, Cap(p.Cap)})
	}
	return out
}

func installation(o Installation) []httpapi.Endpoint {
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "settings", "getSettings", "Read what is decided for the whole installation", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Settings, error) {
				out, err := one(settingsOf)(o.Settings(ctx, c.Principal))
				if err == nil {
					out.PublicURL, out.Egress = o.Address(), o.EgressAddress()
				}
				return out, err
			}),
		httpapi.Route(op(get, "settings/history", "listSettingsHistory", "List the versions of the settings, the newest first", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*SettingsList, error) {
				items, err := many(settingsOf)(o.SettingsHistory(ctx, c.Principal))
				return &SettingsList{items}, err
			}),
		httpapi.Route(op(put, "settings", "putSettings", "Change the settings", operators(), problem.Conflict),
			func(ctx context.Context, c *httpapi.Call, r *PutSettings) (*Settings, error) {
				v, err := o.PutSettings(ctx, c.Principal, r.settings(), r.change())
				return one(settingsOf)(v, err)
			}),
	}
}
