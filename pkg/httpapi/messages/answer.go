package messages

import (
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Sent is a message as it stands when it was asked for.
type Sent struct {
	ID        message.ID      `json:"id,omitzero" doc:"The message's id; not set when there are several, see messages." example:"msg_0123456789abcdefghjkmnpq001kd2v3w4x5y6z7a8b9c0d1e2f"`
	URL       string          `json:"url,omitzero" doc:"Where to read it, with its timeline."`
	Status    message.Status  `json:"status,omitzero" doc:"Where it stands now." example:"queued"`
	Reason    string          `json:"reason,omitzero" doc:"Why it ended or waits, as a code."`
	Outcome   message.Status  `json:"simulated_outcome,omitzero" doc:"What a simulated message would have become."`
	Channel   message.Channel `json:"channel,omitzero"`
	Template  *Template       `json:"template,omitzero"`
	Class     message.Class   `json:"class,omitzero"`
	Reference string          `json:"reference,omitzero"`
	Segments  int             `json:"segments,omitzero" doc:"Of an SMS: what the carrier counts."`
	CreatedAt *time.Time      `json:"created_at,omitzero"`
	SendAt    *time.Time      `json:"send_at,omitzero"`
	ExpiresAt *time.Time      `json:"expires_at,omitzero"`

	DuplicateOf  message.ID `json:"duplicate_of,omitzero" doc:"Equal content went to this recipient already: this is that message, as it stands now."`
	WindowEndsAt *time.Time `json:"window_ends_at,omitzero" doc:"When equal content counts as new again."`

	Group    *Group `json:"group,omitzero" doc:"Set for many recipients, or several channels."`
	Messages []Sent `json:"messages,omitzero" doc:"The messages of a group, in the order of the request."`
}

// Template is a pinned version.
type Template struct {
	Tenant  string `json:"tenant"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Locale  string `json:"locale,omitzero"`
}

// Group names the messages of one request.
type Group struct {
	ID   string          `json:"id"`
	Kind store.GroupKind `json:"kind" enum:"list,fallback,all,batch"`
	URL  string          `json:"url"`
}

func at(t message.Time) *time.Time {
	if t == 0 {
		return nil
	}
	std := t.Std()
	return &std
}

func messageURL(id message.ID) string { return "/v1/messages/" + string(id) }

func templateOf(m *message.Message) *Template {
	if m.Template.Name == "" {
		return nil
	}
	return &Template{Tenant: m.Template.Tenant, Name: m.Template.Name, Version: m.Template.Version, Locale: m.Template.Locale}
}

func sent(v *store.Verdict) Sent {
	m := &v.Record.Message
	s := Sent{ID: m.ID, URL: messageURL(m.ID), Status: m.Status, Reason: m.Reason, Outcome: m.Outcome, Channel: m.Channel, Template: templateOf(m),
		Class: m.Class, Reference: m.Reference, Segments: m.Segments, CreatedAt: at(m.Created), SendAt: at(m.SendAt), ExpiresAt: at(m.Expires)}
	if v.Duplicate {
		s.DuplicateOf, s.WindowEndsAt = m.ID, at(v.WindowEnds)
	}
	return s
}

func groupOf(g *store.Group) *Group {
	return &Group{ID: g.ID, Kind: g.Kind, URL: "/v1/groups/" + g.ID}
}

// answer says what became of a request, and whether anything in it is new.
func answer(a *intake.Answer) (out Sent, isNew bool) {
	for i := range a.Verdicts {
		isNew = isNew || a.Verdicts[i].New
	}
	if a.Group == nil {
		return sent(&a.Verdicts[0]), isNew
	}
	out.Group = groupOf(a.Group)
	for i := range a.Verdicts {
		out.Messages = append(out.Messages, sent(&a.Verdicts[i]))
	}
	return out, isNew
}
