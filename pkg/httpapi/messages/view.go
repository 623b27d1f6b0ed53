package messages

import (
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/trace"
)

// Message is a message as it may be shown: the recipient masked, secrets blanked.
type Message struct {
	ID        message.ID      `json:"id"`
	URL       string          `json:"url"`
	Status    message.Status  `json:"status"`
	Reason    string          `json:"reason,omitzero"`
	Outcome   message.Status  `json:"simulated_outcome,omitzero"`
	Verdict   Verdict         `json:"verdict"`
	Tenant    string          `json:"tenant"`
	Owner     string          `json:"owner,omitzero" doc:"The person to call, when it was accepted."`
	Key       string          `json:"key,omitzero" doc:"Id of the API key that sent it."`
	To        string          `json:"to" doc:"Masked."`
	Channel   message.Channel `json:"channel"`
	Class     message.Class   `json:"class"`
	Template  *Template       `json:"template,omitzero"`
	Free      bool            `json:"free_content,omitzero"`
	Reference string          `json:"reference,omitzero"`
	ResendOf  message.ID      `json:"resend_of,omitzero"`
	Trial     string          `json:"trial,omitzero" doc:"The account that an operator tested with it."`
	Group     string          `json:"group,omitzero"`
	Segments  int             `json:"segments,omitzero"`
	Region    string          `json:"region,omitzero"`
	Provider  string          `json:"provider,omitzero" doc:"Of the last attempt."`
	Account   string          `json:"account,omitzero"`
	Calls     int             `json:"calls" doc:"Attempts so far."`

	CreatedAt   *time.Time `json:"created_at,omitzero"`
	SendAt      *time.Time `json:"send_at,omitzero"`
	ExpiresAt   *time.Time `json:"expires_at,omitzero"`
	NextTryAt   *time.Time `json:"next_try_at,omitzero"`
	CompletedAt *time.Time `json:"completed_at,omitzero"`

	Timeline []Event          `json:"timeline,omitzero"`
	Content  *message.Content `json:"content,omitzero" doc:"What the recipient reads; secret variables are blanked."`
	Hidden   string           `json:"content_hidden,omitzero" enum:"erased,template_gone,not_rendered" doc:"Why there is no content."`
}

// Verdict says in words what happened, what to tell the user, and who can fix it.
type Verdict struct {
	Code string `json:"code" doc:"Stable: what programs compare."`
	Zh   Words  `json:"zh"`
	En   Words  `json:"en"`
}

// Words are a verdict in one language.
type Words struct {
	What string `json:"what" doc:"What happened."`
	Tell string `json:"tell,omitzero" doc:"What to tell the user who asks."`
	Fix  string `json:"fix,omitzero" doc:"Who can do something about it."`
}

// Event is an entry of the timeline.
type Event struct {
	At      *time.Time     `json:"at"`
	Event   string         `json:"event"`
	By      string         `json:"by,omitzero"`
	Why     string         `json:"why,omitzero"`
	IP      string         `json:"ip,omitzero"`
	Request string         `json:"request_id,omitzero"`
	Trace   string         `json:"traceparent,omitzero"`
	Until   *time.Time     `json:"until,omitzero"`
	Status  message.Status `json:"status,omitzero"`
	Repeats int            `json:"repeats,omitzero"`
	Attempt *Attempt       `json:"attempt,omitzero"`
	Receipt *Receipt       `json:"receipt,omitzero"`
}

// Attempt is a call to a provider.
type Attempt struct {
	Epoch      int    `json:"epoch"`
	Account    string `json:"account"`
	Provider   string `json:"provider,omitzero"`
	Bound      string `json:"bound_template,omitzero" doc:"The vendor's own template that was filled in, where it sends those only."`
	Outcome    string `json:"outcome,omitzero" doc:"Empty while no answer is recorded."`
	ProviderID string `json:"provider_id,omitzero"`
	HTTPStatus int    `json:"http_status,omitzero"`
	Code       string `json:"code,omitzero"`
	Text       string `json:"text,omitzero"`
	Millis     int64  `json:"ms,omitzero"`
	Repeats    int    `json:"repeats,omitzero"`

	Doubt  message.InDoubtPolicy `json:"in_doubt,omitzero" enum:"resend,await,give_up" doc:"What was done because no answer came."`
	Ground message.Ground        `json:"in_doubt_by,omitzero" enum:"route,account,provider,receipts,class" doc:"Whose word that is."`
}

// Receipt is what a provider said later.
type Receipt struct {
	Part  int    `json:"part,omitzero"`
	State string `json:"state"`
	Code  string `json:"code,omitzero"`
	Text  string `json:"text,omitzero"`
}

func verdictOf(v trace.Verdict) Verdict {
	return Verdict{v.Code, Words(v.Zh), Words(v.En)}
}

func messageOf(s *trace.Summary) Message {
	m := Message{ID: s.ID, URL: messageURL(s.ID), Status: s.Status, Reason: s.Reason, Outcome: s.Outcome, Verdict: verdictOf(s.Verdict),
		Tenant: s.Tenant, Owner: s.Owner, Key: s.Key, To: s.To, Channel: s.Channel, Class: s.Class, Free: s.Free, Reference: s.Reference,
		ResendOf: s.ResendOf, Trial: s.Trial, Group: s.Group, Segments: s.Segments, Region: s.Region, Provider: s.Provider, Account: s.Account, Calls: s.Calls,
		CreatedAt: at(s.Created), SendAt: at(s.SendAt), ExpiresAt: at(s.Expires), NextTryAt: at(s.Next), CompletedAt: at(s.Completed)}
	if s.Template.Name != "" {
		m.Template = &Template{s.Template.Tenant, s.Template.Name, s.Template.Version, s.Template.Locale}
	}
	return m
}

func viewOf(v *trace.View) *Message {
	m := messageOf(&v.Summary)
	m.Content, m.Hidden = v.Content, v.Hidden
	for i := range v.Timeline {
		e := &v.Timeline[i]
		x := Event{At: at(e.At), Event: e.Event, By: e.By, Why: e.Why, IP: e.IP, Request: e.Request, Trace: e.Trace, Until: at(e.Until), Status: e.Status, Repeats: e.Repeats}
		if a := e.Attempt; a != nil {
			x.Attempt = &Attempt{a.Epoch, a.Account, a.Provider, a.Bound, a.Outcome, a.ProviderID, a.HTTPStatus, a.Code, a.Text, a.Millis, a.Repeats, a.Doubt, a.Ground}
		}
		if r := e.Receipt; r != nil {
			x.Receipt = &Receipt{r.Part, r.State, r.Code, r.Text}
		}
		m.Timeline = append(m.Timeline, x)
	}
	return &m
}

// GroupMessages is the messages of one request.
type GroupMessages struct {
	ID        string                 `json:"id"`
	Tenant    string                 `json:"tenant"`
	Kind      store.GroupKind        `json:"kind" enum:"list,fallback,all,batch"`
	CreatedAt *time.Time             `json:"created_at"`
	Counts    map[message.Status]int `json:"counts" doc:"Messages by status."`
	Missing   int                    `json:"missing,omitzero" doc:"Messages whose record is gone or cannot be read."`
	Messages  []*Message             `json:"messages" doc:"In the order of the request; null where an item was refused or its record is gone."`
}

// WhoAnswer is where a text comes from.
type WhoAnswer struct {
	Verdict    Verdict     `json:"verdict"`
	Candidates []Candidate `json:"candidates" doc:"The templates that it may be of, the likeliest first."`
	Messages   []Sighting  `json:"messages,omitzero" doc:"The recipient's messages that it is, or may be."`
	Since      *time.Time  `json:"since,omitzero" doc:"How far back messages were looked at."`
}

// Candidate is a template that a text fits.
type Candidate struct {
	Tenant    string          `json:"tenant"`
	Owner     tenant.Owner    `json:"owner"`
	Template  string          `json:"template"`
	Version   int             `json:"version"`
	Versions  []int           `json:"versions"`
	Channel   message.Channel `json:"channel"`
	Locale    string          `json:"locale"`
	Class     message.Class   `json:"class"`
	Shared    bool            `json:"shared,omitzero"`
	Published bool            `json:"published"`
	Fixed     int             `json:"fixed" doc:"Characters of the template's own text that were found."`
}

// Sighting is a message that a text may be.
type Sighting struct {
	Message
	Exact bool `json:"exact" doc:"The whole text is this message's, but for secrets, which are never compared."`
}
