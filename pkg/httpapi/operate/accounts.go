package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/tenant"
)

// Accounts is what /v1/accounts and /v1/providers need.
type Accounts interface {
	Providers(ctx context.Context, p tenant.Principal) ([]provider.Descriptor, error)
	Provider(ctx context.Context, p tenant.Principal, name string) (provider.Descriptor, error)
	Accounts(ctx context.Context, p tenant.Principal) ([]operate.Versioned[config.Account], error)
	Account(ctx context.Context, p tenant.Principal, name string) (operate.Versioned[config.Account], error)
	AccountHistory(ctx context.Context, p tenant.Principal, name string) ([]operate.Versioned[config.Account], error)
	PutAccount(ctx context.Context, p tenant.Principal, r operate.AccountRequest, c operate.Change) (operate.Versioned[config.Account], error)
	SwitchAccount(ctx context.Context, p tenant.Principal, name string, off bool, reason string) (operate.Versioned[config.Account], error)
	DeleteAccount(ctx context.Context, p tenant.Principal, name string, c operate.Change) error
	Health(ctx context.Context, p tenant.Principal, accounts []config.Account) (map[string]operate.Health, error)
	TestAccount(ctx context.Context, p tenant.Principal, name string) (operate.Tested, error)
	CallbackPath(ctx context.Context, p tenant.Principal, a config.Account) (string, error)
	TryAccount(ctx context.Context, p tenant.Principal, name string, t operate.Trial) (operate.Tried, error)
	EgressAddress() string
}

// AccountFields are what can be read and changed of an account.
type AccountFields struct {
	Provider    string                `json:"provider" doc:"A name of GET /v1/providers. It stays what it is." example:"smtp"`
	Channel     message.Channel       `json:"channel,omitzero" doc:"Needed where the provider has several. It stays what it is."`
	Config      map[string]string     `json:"config,omitzero" doc:"The fields of the provider's form that are not secret."`
	Off         bool                  `json:"off,omitzero" doc:"Nothing is sent over it."`
	PerSecond   float64               `json:"per_second,omitzero" doc:"Calls a second, of all processes together; the provider's documented limit without it." minimum:"0"`
	PerMinute   int                   `json:"per_minute,omitzero" doc:"Calls in any 60 seconds; the provider's documented limit without it." minimum:"0"`
	PerDay      int                   `json:"per_day,omitzero" doc:"Calls a day, which begins where the provider's does; the provider's documented limit without it." minimum:"0"`
	Urgent      int                   `json:"urgent_percent,omitzero" doc:"The share of these limits that only codes may use; 20 without it." minimum:"0" maximum:"90"`
	Concurrency int                   `json:"concurrency,omitzero" doc:"Calls at once, of each process; the provider's documented limit without it." minimum:"0"`
	InDoubt     message.InDoubtPolicy `json:"in_doubt,omitzero" enum:"resend,await,give_up" doc:"What becomes of a message when the provider did not answer; without it the provider and the class decide."`
	Price       float64               `json:"price,omitzero" doc:"Of a message, or of a segment of an SMS." minimum:"0"`
	Currency    string                `json:"currency,omitzero" doc:"ISO 4217." example:"CNY"`
}

// Account is one set of a provider's credentials and limits.
type Account struct {
	Name string `json:"name"`
	AccountFields
	Secrets []string       `json:"secrets" doc:"Names of the secret fields that have a value. The values are never shown."`
	Health  *AccountHealth `json:"health,omitzero" doc:"How it does right now; not in a history or the answer to a change."`
	// CallbackPath is only in the answers about one account.
	CallbackPath string `json:"callback_path,omitzero" doc:"Where the provider posts receipts: enter it at the vendor, behind this service's address. Whoever knows it may post there."`
	// EgressAddress is in the answers that have its health.
	EgressAddress string `json:"egress_address,omitzero" doc:"The one IP address that the provider is called from: enter it at a vendor that allows addresses by list. Absent where the deployment has no fixed one." example:"203.0.113.7"`
	Meta
}

// AccountHealth is what the workers know of an account.
type AccountHealth struct {
	State breaker.State  `json:"state" enum:"closed,open,probing" doc:"closed: it works. open: its calls fail, and its messages go over other accounts. probing: some of them try it again."`
	Since *time.Time     `json:"since,omitzero" doc:"Since when it does not work."`
	Until *time.Time     `json:"until,omitzero" doc:"When it is tried again."`
	Share float64        `json:"share,omitzero" doc:"Of its messages, how many try it."`
	Used  []AccountUsage `json:"used" doc:"How much of its limits is used."`
	Polls *AccountPolls  `json:"polls,omitzero" doc:"How its provider is asked what became of messages; absent where it is not, or about each message by itself."`
}

// AccountPolls is when an account's provider is asked.
type AccountPolls struct {
	Last     *time.Time `json:"last,omitzero" doc:"When it was asked last; absent: never yet."`
	Next     *time.Time `json:"next,omitzero" doc:"Not before."`
	Failures int        `json:"failures,omitzero" doc:"In a row, up to the last time: it was asked and gave no answer."`
}

// AccountUsage is how much of a limit is used.
type AccountUsage struct {
	Window limit.Kind `json:"window" enum:"second,minute,hour,day" doc:"second is the fullest one of the last minute; a minute or an hour is counted in parts."`
	Limit  int        `json:"limit" doc:"Calls in the window, or in the part of it that is counted."`
	Used   int        `json:"used"`
}

// AccountList is all accounts, or the history of one.
type AccountList struct {
	Items []Account `json:"items"`
}

// PutAccount makes or changes an account; what is left out is empty afterwards, but for secrets.
type PutAccount struct {
	AccountFields
	Secrets map[string]string `json:"secrets,omitzero" doc:"The secret fields of the provider's form, write-only. One that is left out keeps its value; an empty one is removed."`
	ChangeFields
}

// SwitchAccount takes an account out of use or back.
type SwitchAccount struct {
	Off    *bool  `json:"off"`
	Reason string `json:"reason,omitzero" maxLength:"200"`
}

// TestAccount asks for one real message over an account. Without any of it only the credentials are tried.
type TestAccount struct {
	To       string         `json:"to,omitzero" doc:"An address of the account's channel."`
	Template string         `json:"template,omitzero" doc:"A template to send; needed on channels that send templates only."`
	Version  int            `json:"template_version,omitzero" doc:"Of the template, a draft too; the published one without it, or the newest where none is." minimum:"1"`
	Vars     map[string]any `json:"vars,omitzero"`
	Locale   string         `json:"locale,omitzero"`
	Text     string         `json:"text,omitzero" doc:"A text to send instead; one that says what it is without it."`
	Tenant   string         `json:"tenant,omitzero" doc:"In whose name; the key's tenant without it."`
	Reason   string         `json:"reason,omitzero" maxLength:"200"`
}

func (r *TestAccount) empty() bool {
	return r.To+r.Template+r.Locale+r.Text+r.Tenant+r.Reason == "" && len(r.Vars) == 0 && r.Version == 0
}

// AccountTest is what came of trying an account.
type AccountTest struct {
	OK     bool         `json:"ok"`
	Detail string       `json:"detail,omitzero" doc:"What the provider said, or why there was nothing to ask."`
	Sent   *TrialAnswer `json:"sent,omitzero" doc:"What came of the message, if one was asked for."`
}

// TrialAnswer is the message that was sent to test an account, and what the provider answered.
type TrialAnswer struct {
	ID         message.ID     `json:"id" doc:"It is found and traced like any other."`
	Status     message.Status `json:"status"`
	Reason     string         `json:"reason,omitzero"`
	Outcome    string         `json:"outcome,omitzero" doc:"Of the call; empty while there is no answer."`
	HTTPStatus int            `json:"http_status,omitzero"`
	ProviderID string         `json:"provider_id,omitzero"`
	Code       string         `json:"code,omitzero" doc:"The provider's."`
	Text       string         `json:"text,omitzero" doc:"The provider's words, without secrets and addresses."`
	Says       *provider.Text `json:"says,omitzero" doc:"What the code means."`
	Millis     int64          `json:"ms,omitzero"`
}

func triedOf(t operate.Tried) AccountTest {
	a := &TrialAnswer{ID: t.ID, Status: t.Status, Reason: t.Reason}
	if last := t.Last(); last != nil && last.End > 0 {
		a.Outcome, a.HTTPStatus, a.ProviderID, a.Code, a.Text = last.Outcome.String(), last.HTTPStatus, last.ProviderID, last.Code, last.Text
		a.Millis = last.End.Sub(last.At).Milliseconds()
	}
	if t.Says != (provider.Text{}) {
		a.Says = &t.Says
	}
	return AccountTest{t.OK, t.Detail, a}
}

// ProviderList is the providers that accounts can be made of.
type ProviderList struct {
	Items []provider.Descriptor `json:"items"`
}

func healthOf(h operate.Health) *AccountHealth {
	out := &AccountHealth{State: h.State, Since: at(h.Since), Until: at(h.Until), Share: h.Share, Used: []AccountUsage{}}
	for _, u := range h.Used {
		out.Used = append(out.Used, AccountUsage(u))
	}
	if p := h.Polled; p != nil {
		out.Polls = &AccountPolls{Last: at(p.Last), Next: at(p.Next), Failures: p.Failures}
	}
	return out
}

// withHealth adds to accounts how they do.
func withHealth(ctx context.Context, o Accounts, p tenant.Principal, list []operate.Versioned[config.Account], err error) ([]Account, error) {
	if err != nil {
		return nil, err
	}
	bodies := make([]config.Account, len(list))
	for i := range list {
		bodies[i] = list[i].Body
	}
	health, err := o.Health(ctx, p, bodies)
	if err != nil {
		return nil, err
	}
	out := make([]Account, len(list))
	for i := range list {
		out[i] = accountOf(list[i])
		out[i].Health = healthOf(health[list[i].Body.Name])
		out[i].EgressAddress = o.EgressAddress()
	}
	return out, nil
}

func accountOf(v operate.Versioned[config.Account]) Account {
	a := v.Body
	return Account{Name: a.Name, AccountFields: AccountFields{a.Provider, a.Channel, a.Config, a.Off, a.PerSecond, a.PerMinute, a.PerDay, a.UrgentPercent, a.Concurrency, a.InDoubt, a.Price, a.Currency},
		Secrets: append([]string{}, a.Secrets...), Meta: metaOf(v.Meta)}
}

// called adds the address for callbacks to an account.
func called(ctx context.Context, o Accounts, c *httpapi.Call, v operate.Versioned[config.Account], err error) (*Account, error) {
	if err != nil {
		return nil, err
	}
	a := accountOf(v)
	a.CallbackPath, err = o.CallbackPath(ctx, c.Principal, v.Body)
	return &a, err
}

func (r *PutAccount) request(name string) operate.AccountRequest {
	out := operate.AccountRequest{Secrets: map[string]message.Secret{}, Account: config.Account{Name: name, Provider: r.Provider, Channel: r.Channel,
		Config: r.Config, Off: r.Off, PerSecond: r.PerSecond, PerMinute: r.PerMinute, PerDay: r.PerDay, UrgentPercent: r.Urgent,
		Concurrency: r.Concurrency, InDoubt: r.InDoubt, Price: r.Price, Currency: r.Currency}}
	for k, s := range r.Secrets {
		out.Secrets[k] = message.Secret(s)
	}
	return out
}

func testedOf(t operate.Tested) AccountTest { return AccountTest{OK: t.OK, Detail: t.Detail} }

func itself[T any](v T) T { return v }

func accounts(o Accounts) []httpapi.Endpoint {
	flip := op(post, "accounts/{name}/switch", "switchAccount", "Take an account out of use, or back into it", operators(), problem.NotFound, problem.Conflict)
	del := op(remove, "accounts/{name}", "deleteAccount", "Delete an account that no route names, and its secrets", admins(), problem.NotFound, problem.Conflict, problem.NotAllowedNow)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	test := op(post, "accounts/{name}/test", "testAccount", "Try an account: its credentials, or with a message", operators(), problem.NotFound, problem.BadAddress, problem.UnknownTemplate, problem.ContentRefused)
	test.Description = "Without a body the credentials are tried, without sending; wrong ones are an answer, not an error. With `to` one message is really sent, " +
		"over exactly this account, whether it is on or off and whatever routes say, and the provider's answer is shown. The message is marked as a `trial` and names the key."
	test.BodyOptional = true
	return append(providers(o),
		httpapi.Route(op(get, "accounts", "listAccounts", "List the providers' accounts", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*AccountList, error) {
				list, err := o.Accounts(ctx, c.Principal)
				items, err := withHealth(ctx, o, c.Principal, list, err)
				return &AccountList{items}, err
			}),
		httpapi.Route(op(get, "accounts/{name}", "getAccount", "Read an account", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Account, error) {
				v, err := o.Account(ctx, c.Principal, c.Path("name"))
				items, err := withHealth(ctx, o, c.Principal, []operate.Versioned[config.Account]{v}, err)
				if err != nil {
					return nil, err
				}
				items[0].CallbackPath, err = o.CallbackPath(ctx, c.Principal, v.Body)
				return &items[0], err
			}),
		httpapi.Route(op(get, "accounts/{name}/history", "listAccountHistory", "List an account's versions, the newest first", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*AccountList, error) {
				items, err := many(accountOf)(o.AccountHistory(ctx, c.Principal, c.Path("name")))
				return &AccountList{items}, err
			}),
		httpapi.Route(making(op(put, "accounts/{name}", "putAccount", "Make or change an account", admins(), problem.Conflict, problem.UnknownChannel)),
			func(ctx context.Context, c *httpapi.Call, r *PutAccount) (*Account, error) {
				v, err := o.PutAccount(ctx, c.Principal, r.request(c.Path("name")), r.change())
				made(c, r.Version, err)
				return called(ctx, o, c, v, err)
			}),
		httpapi.Route(flip, func(ctx context.Context, c *httpapi.Call, r *SwitchAccount) (*Account, error) {
			if r.Off == nil {
				return nil, problem.Invalid(problem.At("/off", problem.Required, "say off: true or false"))
			}
			return one(accountOf)(o.SwitchAccount(ctx, c.Principal, c.Path("name"), *r.Off, r.Reason))
		}),
		httpapi.Route(test, func(ctx context.Context, c *httpapi.Call, r *TestAccount) (*AccountTest, error) {
			if r.empty() {
				return one(testedOf)(o.TestAccount(ctx, c.Principal, c.Path("name")))
			}
			return one(triedOf)(o.TryAccount(ctx, c.Principal, c.Path("name"), operate.Trial{Tenant: r.Tenant, To: r.To, Template: r.Template, Version: r.Version, Vars: r.Vars,
				Locale: r.Locale, Text: r.Text, Reason: r.Reason, IP: c.IP, RequestID: c.RequestID}))
		}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteAccount(ctx, c.Principal, c.Path("name"), change)
			}
			return nil, err
		}),
	)
}

func providers(o Accounts) []httpapi.Endpoint {
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "providers", "listProviders", "List the providers: their forms, limits and texts", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*ProviderList, error) {
				items, err := many(itself[provider.Descriptor])(o.Providers(ctx, c.Principal))
				return &ProviderList{items}, err
			}),
		httpapi.Route(op(get, "providers/{name}", "getProvider", "Read a provider's form, limits and texts", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*provider.Descriptor, error) {
				return one(itself[provider.Descriptor])(o.Provider(ctx, c.Principal, c.Path("name")))
			}),
	}
}
