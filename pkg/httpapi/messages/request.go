package messages

import (
	"crypto/sha256"
	"math"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// SendRequest asks for one content to be sent.
type SendRequest struct {
	Tenant  string          `json:"tenant,omitzero" doc:"Who sends. Only operators' keys may name another tenant than their own."`
	To      To              `json:"to" doc:"An address, a list of at most 100, or an object of one person's addresses by channel."`
	Channel message.Channel `json:"channel,omitzero" doc:"sms, email, webhook, …; without it the route chooses." example:"sms"`

	Template string         `json:"template,omitzero" doc:"Name of a template, or tenant/name of one that another tenant shares." example:"login-code"`
	Version  int            `json:"version,omitzero" doc:"Version of the template; the published one without it." minimum:"1"`
	Locale   string         `json:"locale,omitzero" doc:"BCP 47; the tenant's without it." example:"zh"`
	Vars     map[string]any `json:"vars,omitzero" doc:"The template's variables."`

	Content *message.Content `json:"content,omitzero" doc:"Free content, instead of a template, where the tenant may."`
	Class   message.Class    `json:"class,omitzero" enum:"otp,transactional,marketing" doc:"What the message is for; the template's without it."`

	Reference    string     `json:"reference,omitzero" doc:"Your own id of it: searchable, shown in the console." maxLength:"128"`
	SendAt       *time.Time `json:"send_at,omitzero" doc:"Not before. RFC 3339 with a zone, at most 365 days ahead."`
	TTLSeconds   *int       `json:"ttl_seconds,omitzero" doc:"How long after send_at it may still be sent, at most 30 days; the class's without it: otp 300, transactional 86400, marketing 259200." minimum:"1"`
	ExpiresAt    *time.Time `json:"expires_at,omitzero" doc:"The same as an instant."`
	DedupSeconds *int       `json:"dedup_seconds,omitzero" doc:"How long equal content to one recipient is one message; 0 is off."`
}

// To is the recipients in one of three forms.
type To struct {
	intake.To
}

// UnmarshalJSONFrom reads an address, a list of addresses, or an object of addresses by channel.
func (t *To) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '"':
		return json.UnmarshalDecode(dec, &t.One)
	case '[':
		return json.UnmarshalDecode(dec, &t.List)
	case '{':
		return json.UnmarshalDecode(dec, &t.Ways)
	}
	return problem.New(problem.BadJSON, "to must be an address, a list of addresses, or an object of addresses by channel")
}

// JSONSchema describes the three forms.
func (To) JSONSchema() string {
	return `{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":100},` +
		`{"type":"object","additionalProperties":{"type":"string"},"minProperties":1}]}`
}

// MarshalJSONTo writes the form that is used.
func (t To) MarshalJSONTo(enc *jsontext.Encoder) error {
	switch {
	case len(t.Ways) > 0:
		return json.MarshalEncode(enc, t.Ways, json.Deterministic(true))
	case t.List != nil:
		return json.MarshalEncode(enc, t.List)
	}
	return json.MarshalEncode(enc, t.One)
}

// request makes the use case's form of a request.
func (r *SendRequest) request(c *httpapi.Call) (*intake.Request, error) {
	key, err := c.IdempotencyKey()
	if err != nil {
		return nil, err
	}
	out := &intake.Request{Tenant: r.Tenant, To: r.To.To, Channel: r.Channel, Template: r.Template, Version: r.Version, Locale: r.Locale,
		Vars: r.Vars, Content: r.Content, Class: r.Class, Reference: r.Reference, TTL: ttl(r.TTLSeconds),
		DedupSeconds: r.DedupSeconds, IdempotencyKey: key, Hash: hash(c), Origin: origin(c)}
	out.SendAt, out.ExpiresAt = given(r.SendAt), given(r.ExpiresAt)
	return out, nil
}

// ttl is a number of seconds, the zero duration only where there was none. It does not wrap around: one that is no
// duration stays too long.
func ttl(n *int) time.Duration {
	const most = int(math.MaxInt64 / time.Second)
	switch {
	case n == nil:
		return 0
	case *n == 0:
		return -1
	}
	return time.Duration(max(-most, min(*n, most))) * time.Second
}

// given is a time of the request, the zero time only where there was none: year 1, which is Go's zero time,
// is as far in the past as any.
func given(t *time.Time) time.Time {
	switch {
	case t == nil:
		return time.Time{}
	case t.IsZero():
		return time.Unix(0, 0)
	}
	return *t
}

// hash tells whether two requests with one key are the same: the operation and the exact bytes.
func hash(c *httpapi.Call) []byte {
	h := sha256.New()
	h.Write([]byte(c.Op().ID))
	h.Write([]byte{0})
	h.Write(c.Body())
	return h.Sum(nil)[:16]
}

var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

func origin(c *httpapi.Call) intake.Origin {
	o := intake.Origin{IP: c.IP, RequestID: c.RequestID}
	if t := c.Header("Traceparent"); traceparent.MatchString(t) {
		o.Trace = t
	}
	return o
}
