package tenant

import (
	"regexp"
	"slices"

	"github.com/opennotify/notify/pkg/message"
)

// Tenant is a business system that sends.
type Tenant struct {
	Name  string `json:"name"` // lower-case letters, digits and -, at most 32
	Title string `json:"title,omitempty"`
	Owner Owner  `json:"owner"`
	// FreeContent lets it send text that no template allows, on other channels than sms.
	FreeContent bool `json:"free_content,omitempty"`
	// Region is the country of phone numbers without one, ISO 3166: CN, US.
	Region string `json:"region,omitempty"`
	// Locale is used where a request names none.
	Locale string `json:"locale,omitempty"`
	// PerSecond and PerDay bound the messages that are accepted from it; 0 is no bound.
	PerSecond int `json:"per_second,omitempty"`
	PerDay    int `json:"per_day,omitempty"`
	// PerMonth bounds what its messages cost in a month, in Currency; 0 is no bound.
	PerMonth float64 `json:"per_month,omitempty"`
	Currency string  `json:"currency,omitempty"`
	// ApproveOver is the number of recipients over which a campaign needs a second person; 0 is no bound.
	ApproveOver int `json:"approve_over,omitempty"`
	// ReviewTemplates wants a second person for the publication of a version for sms, or for marketing.
	ReviewTemplates bool `json:"review_templates,omitempty"`
	Disabled        bool `json:"disabled,omitempty"`
}

// Owner is a person to call.
type Owner struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
	Group string `json:"group,omitempty"` // a chat group, by name
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// ValidName tells whether a string can name a tenant, an account, a route or a channel.
func ValidName(s string) bool { return nameForm.MatchString(s) }

// Scope is what a key may do.
type Scope string

// The scopes, each apart from the others, but that Admin may do everything.
const (
	Send    Scope = "send"    // send, cancel and resend the tenant's own messages
	Read    Scope = "read"    // read the tenant's messages
	Support Scope = "support" // with read: every tenant's messages
	Reveal  Scope = "reveal"  // with read: recipients in full, each time with a reason that is kept
	Operate Scope = "operate" // read and steer every tenant's messages, templates and routes
	Admin   Scope = "admin"   // everything, tenants, keys and accounts too
)

// ValidScope tells whether s is one of them.
func ValidScope(s Scope) bool {
	return slices.Contains([]Scope{Send, Read, Support, Reveal, Operate, Admin}, s)
}

// Key is an API key as it is kept: the secret only as a hash.
type Key struct {
	ID      string  `json:"id"`
	Tenant  string  `json:"tenant"`
	Title   string  `json:"title,omitempty"`
	Live    bool    `json:"live"`
	Scopes  []Scope `json:"scopes"`
	Hash    []byte  `json:"hash"` // SHA-256 of the secret part
	Revoked bool    `json:"revoked,omitempty"`
	// Expires is when it stops working by itself; 0 is never.
	Expires message.Time `json:"expires,omitempty"`
	Created message.Time `json:"created"`
	By      string       `json:"by,omitempty"`
}

// Principal is on whose behalf something is done. The zero Principal may do nothing.
type Principal struct {
	Tenant string
	KeyID  string
	Name   string // of a person or a worker, for the audit
	Live   bool
	scopes []Scope
	// tenants are further ones of a person.
	tenants []string
	person  bool
	system  bool
}

// System is the principal of a worker: it may see every tenant's records. No request ever gets it.
func System(worker string) Principal {
	return Principal{Name: worker, Live: true, system: true}
}

// Of is the principal of a key.
func Of(k Key) Principal {
	return Principal{Tenant: k.Tenant, KeyID: k.ID, Name: "key:" + k.ID, Live: k.Live, scopes: k.Scopes}
}

// IsSystem tells a worker from a caller.
func (p Principal) IsSystem() bool { return p.system }

// ByHand tells a person, or a key that may operate, from a tenant's own system and from a worker: what it does
// to messages that exist stands in the audit, not in their timelines only.
func (p Principal) ByHand() bool { return !p.system && (p.person || p.May(Operate)) }

// May tells whether the principal has a scope.
func (p Principal) May(s Scope) bool {
	return p.system || slices.Contains(p.scopes, s) || slices.Contains(p.scopes, Admin)
}

// Steers tells whether the principal may change what a tenant owns.
func (p Principal) Steers(tenant string) bool {
	return p.May(Operate) || tenant != "" && (p.Tenant == tenant || slices.Contains(p.tenants, tenant))
}

// Sees tells whether the principal may know of what a tenant owns.
func (p Principal) Sees(tenant string) bool {
	return p.May(Support) || p.Steers(tenant)
}
