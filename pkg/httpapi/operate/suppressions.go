package operate

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Suppressions is what /v1/suppressions needs.
type Suppressions interface {
	Suppress(ctx context.Context, p tenant.Principal, s operate.Suppression) (suppress.Entry, error)
	Unsuppress(ctx context.Context, p tenant.Principal, t operate.Target, reason string) error
	Suppressed(ctx context.Context, p tenant.Principal, t operate.Target) (now, past []suppress.Entry, err error)
	ListSuppressed(ctx context.Context, p tenant.Principal, limit int, after string) ([]suppress.Entry, string, error)
}

// Target names an address and which messages to it are meant. It is always in a body: an address in a URL
// ends in logs.
type Target struct {
	Address string          `json:"address" doc:"In the channel's form; masked in every answer." example:"+8613800138000"`
	Channel message.Channel `json:"channel,omitzero" doc:"All channels with addresses of this kind without it." example:"sms"`
	Class   message.Class   `json:"class,omitzero" enum:"otp,transactional,marketing" doc:"All classes without it; an opt_out or complaint then still lets an otp through."`
	Tenant  string          `json:"tenant,omitzero" doc:"All tenants without it."`
}

// Suppress stops messages to an address.
type Suppress struct {
	Target
	Reason suppress.Reason `json:"reason,omitzero" enum:"bounce,complaint,opt_out,manual" doc:"manual without it."`
	Note   string          `json:"note,omitzero" maxLength:"200"`
	Until  *time.Time      `json:"until,omitzero" doc:"For good without it."`
}

// Unsuppress lifts what is in force for exactly this target.
type Unsuppress struct {
	Target
	Reason string `json:"reason,omitzero" doc:"Why: it stays with the entry." maxLength:"200"`
}

// CheckSuppressed asks what is in force for an address.
type CheckSuppressed struct {
	Address string          `json:"address"`
	Channel message.Channel `json:"channel,omitzero" doc:"Tells the kind of the address, where that cannot be told from it."`
	Tenant  string          `json:"tenant,omitzero" doc:"Whose region a phone number without country code is read in."`
}

// Suppression is an entry.
type Suppression struct {
	Address string          `json:"address" doc:"Masked."`
	Channel message.Channel `json:"channel,omitzero"`
	Class   message.Class   `json:"class,omitzero"`
	Tenant  string          `json:"tenant,omitzero"`
	Reason  suppress.Reason `json:"reason" enum:"bounce,complaint,opt_out,manual"`
	Source  string          `json:"source,omitzero" doc:"Who or what made it: a key, a person, a provider's account, a message."`
	Note    string          `json:"note,omitzero"`
	Since   time.Time       `json:"since"`
	Until   *time.Time      `json:"until,omitzero"`
	// Lifted are the lifts of this entry and of those that it took the place of.
	Lifted []Lifted `json:"lifted,omitzero" doc:"When and by whom it was lifted, and those before it, the latest last."`
}

// Lifted tells who wrote to an address again.
type Lifted struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitzero"`
}

// Suppressed is all that is known of an address.
type Suppressed struct {
	Items []Suppression `json:"items" doc:"What is in force."`
	Past  []Suppression `json:"past,omitzero" doc:"What was lifted, or is over."`
}

// SuppressionList is a page of entries, the newest first.
type SuppressionList struct {
	Items []Suppression `json:"items"`
	Next  string        `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

func (t Target) target() operate.Target { return operate.Target(t) }

func suppressionOf(e suppress.Entry) Suppression {
	s := Suppression{Address: e.Masked, Channel: e.Channel, Class: e.Class, Tenant: e.Tenant, Reason: e.Reason, Source: e.Source, Note: e.Note,
		Since: e.At.Std(), Until: at(e.Until)}
	for _, l := range e.After(e).Past {
		s.Lifted = append(s.Lifted, Lifted{l.At.Std(), l.By, l.Why})
	}
	return s
}

func suppressions(o Suppressions) []httpapi.Endpoint {
	list := op(get, "suppressions", "listSuppressions", "List the addresses that are not written to, the newest first", operators())
	list.Description = "A page may be short and not be the last: go on while there is a next."
	list.Query = httpapi.PageParams()
	add := op(post, "suppressions", "suppress", "Stop messages to an address", operators(), problem.BadAddress, problem.UnknownChannel, problem.UnknownTenant, problem.BadTime)
	add.Description = "It replaces an entry for the same address, channel, class and tenant."
	add.Status = http.StatusCreated
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*SuppressionList, error) {
			limit, err := c.Limit()
			if err != nil {
				return nil, err
			}
			page, next, err := o.ListSuppressed(ctx, c.Principal, limit, c.Query("after"))
			items, err := many(suppressionOf)(page, err)
			return &SuppressionList{items, next}, err
		}),
		httpapi.Route(add, func(ctx context.Context, c *httpapi.Call, r *Suppress) (*Suppression, error) {
			return one(suppressionOf)(o.Suppress(ctx, c.Principal, operate.Suppression{Target: r.target(), Reason: r.Reason, Note: r.Note, Until: orZero(r.Until)}))
		}),
		httpapi.Route(op(post, "suppressions/check", "checkSuppression", "Tell what is in force for an address", operators(), problem.BadAddress, problem.UnknownChannel),
			func(ctx context.Context, c *httpapi.Call, r *CheckSuppressed) (*Suppressed, error) {
				now, past, err := o.Suppressed(ctx, c.Principal, operate.Target{Address: r.Address, Channel: r.Channel, Tenant: r.Tenant})
				out := &Suppressed{}
				if out.Items, err = many(suppressionOf)(now, err); err == nil && len(past) > 0 {
					out.Past, err = many(suppressionOf)(past, nil)
				}
				return out, err
			}),
		httpapi.Route(op(post, "suppressions/remove", "unsuppress", "Write to an address again", operators(), problem.NotFound, problem.BadAddress, problem.UnknownChannel),
			func(ctx context.Context, c *httpapi.Call, r *Unsuppress) (*struct{}, error) {
				return nil, o.Unsuppress(ctx, c.Principal, r.target(), r.Reason)
			}),
	}
}
