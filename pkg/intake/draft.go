package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/template"
)

// draft makes one message of a target; nil when something is wrong with it, which is then reported.
func (pl *planner) draft(ctx context.Context, t target, place int, kind store.GroupKind) (*planned, error) {
	info := t.info.ChannelInfo
	to, err := t.info.Read(pl.in.Addresses, t.raw, pl.sender.Region)
	if err != nil {
		pl.f.add(t.pointer, problem.BadAddress, "%s", err)
		return nil, nil
	}
	d := &planned{kind: info.Address, key: to.Key, subject: pl.subject(t.channel, to.Region), pointer: pl.f.pointer + shown(t.pointer), person: info.Shards <= 1}
	locale, ok, err := pl.render(d, info, t)
	if err != nil || !ok {
		return nil, err
	}
	m := pl.message(t, place, kind, locale)
	m.Region = to.Region
	ulid := pl.ulid(info.Address, to.Key, &m)
	m.ID = message.NewID(pl.in.Store.Partition(info.Address, string(to.Key), info.Shards, ulid), ulid)
	if t.channel == message.SMS {
		m.Segments = template.CountSegments(d.content.Text).Count
	}
	d.Draft = store.Draft{Message: m, To: to.Send, Vars: pl.vars, Content: pl.req.Content, Same: pl.same, Window: pl.window(d.subject), Guarded: true, Fixed: pl.req.Run != nil}
	pl.simulate(d)
	if kind == store.GroupFallback { // which of them goes first must be known before any is written
		return d, pl.in.suppress(ctx, d)
	}
	return d, nil
}

// render makes the content, so that a message that cannot be rendered is never accepted.
func (pl *planner) render(d *planned, info message.ChannelInfo, t target) (locale string, ok bool, err error) {
	if pl.tmpl == nil {
		d.content = *pl.req.Content
		if info.Templated {
			pl.f.add("/content", problem.ContentRefused, "channel %s sends templates only, whatever the tenant may elsewhere", t.channel)
			return "", false, nil
		}
		return "", pl.fits(info.Content), nil
	}
	vars := pl.req.Vars
	if vars == nil {
		vars = map[string]any{}
	}
	content, locale, err := pl.tmpl.Render(t.channel, pl.locale(), vars)
	if errors.Is(err, template.ErrNoVariant) {
		pl.f.add("/template", problem.NoVariant, "template %s version %d has no variant for channel %s; it has %s", pl.ref.Name, pl.ref.Version, t.channel, variants(pl.tmpl))
		return "", false, nil
	}
	if err != nil {
		pl.f.add("/vars", problem.BadValue, "template %s cannot be rendered: %s", pl.ref.Name, err)
		return "", false, nil
	}
	if b, err := json.Marshal(content); err != nil || len(b) > MaxMessage {
		pl.f.add("/vars", problem.TooLong, "the rendered message has %d bytes; at most %d are allowed", len(b), MaxMessage)
		return "", false, nil
	}
	d.content, d.warnings = content, pl.tmpl.Warnings()
	return locale, true, nil
}

// fits tells whether free content has what a kind of channel sends.
func (pl *planner) fits(kind message.ContentKind) bool {
	c := pl.req.Content
	switch {
	case kind == message.MailText && c.Subject == "":
		pl.f.add("/content/subject", problem.Required, "an email needs a subject")
	case kind == message.MailText && c.Text+c.HTML == "":
		pl.f.add("/content", problem.Required, "an email needs text or html")
	case kind == message.DataBody && len(c.Data) == 0 && c.Title+c.Text == "":
		pl.f.add("/content", problem.Required, "content is empty: send data, or text")
	case kind != message.MailText && kind != message.DataBody && c.Title+c.Text == "":
		pl.f.add("/content", problem.Required, "content is empty: send text, or a title")
	default:
		return true
	}
	return false
}

func variants(c *template.Compiled) string {
	var out []string
	for _, v := range c.Template().Variants {
		out = append(out, fmt.Sprintf("%s (%s)", v.Channel, v.Locale))
	}
	return strings.Join(out, ", ")
}

// message fills in everything that does not depend on the recipient.
func (pl *planner) message(t target, place int, kind store.GroupKind, locale string) message.Message {
	r := pl.req
	ref := pl.ref
	ref.Locale = locale
	m := message.Message{
		Tenant: pl.sender.Name, Owner: pl.sender.Owner.Name, Key: pl.p.KeyID,
		IP: r.Origin.IP, Trace: r.Origin.Trace, Request: r.Origin.RequestID, ResendOf: r.Origin.ResendOf,
		Channel: t.channel, Class: pl.class, Template: ref, Free: r.Content != nil, Reference: r.Reference,
		Created: pl.now, Expires: pl.expires(),
		Place: place, Fallback: kind == store.GroupFallback, Hold: t.hold, Watch: t.watch,
	}
	if r.Origin.ResendOf != "" && r.Origin.Why != "" {
		m.Notes = []message.Note{{At: pl.now, What: "resent", By: pl.p.Name, Why: r.Origin.Why}}
	}
	if r.Origin.Trial != "" { // the operator's own doing: nobody is told
		m.Trial, m.Notes = r.Origin.Trial, []message.Note{{At: pl.now, What: "trial", By: pl.p.Name, Why: r.Origin.Why}}
	} else if !pl.idle[t.channel] { // or no worker would come to tell
		m.Tell = pl.tell
	}
	if pl.at > pl.now {
		m.SendAt = pl.at
	}
	return message.New(m, pl.now)
}

func (pl *planner) expires() message.Time {
	r := pl.req
	switch {
	case !r.ExpiresAt.IsZero():
		return message.At(r.ExpiresAt)
	case r.TTL > 0:
		return pl.at.Add(r.TTL)
	}
	return pl.at.Add(pl.class.Defaults().TTL)
}

// window is how long equal content is one message: the request's word, the route's, the class's.
func (pl *planner) window(s route.Subject) time.Duration {
	d := pl.wanted(s)
	if r := pl.req.Run; r != nil && r.Window > 0 {
		d = min(d, r.Window)
	}
	return d
}

func (pl *planner) wanted(s route.Subject) time.Duration {
	if pl.req.Origin.ResendOf != "" || pl.req.Origin.Trial != "" {
		return 0
	}
	if n := pl.req.DedupSeconds; n != nil {
		return time.Duration(*n) * time.Second
	}
	switch n := route.DedupSeconds(pl.routes, s); {
	case n < 0:
		return 0
	case n > 0:
		return time.Duration(n) * time.Second
	}
	return pl.class.Defaults().DedupWindow
}

// simulate ends a message at once that does not go out: of a test key, or to an address that this stage
// may not write to. It is recorded all the same, so that it can be found.
func (pl *planner) simulate(d *planned) {
	switch m := &d.Message; {
	case !pl.p.Live:
		m.End(message.Simulated, "test_key", pl.now)
		m.Outcome = outcome(d.kind, d.key)
	case pl.in.Allowed != nil && !pl.in.Allowed(d.kind, d.key):
		m.End(message.Simulated, "stage", pl.now)
		m.Outcome = message.Delivered
	}
}

// suppress ends a message to an address that nobody may write to, where that must be known before the store
// finds it out.
func (in *Intake) suppress(ctx context.Context, d *planned) error {
	m := &d.Message
	d.Guarded = false
	if m.Status.Terminal() {
		return nil
	}
	entries, err := in.Store.Suppressions(ctx, d.kind, string(d.key))
	if err != nil {
		return unavailable(err)
	}
	if e, stops := suppress.Find(entries, m.Tenant, m.Channel, m.Class, max(m.Created, m.SendAt)); stops {
		d.stopped = &e
		m.End(message.Suppressed, string(e.Reason), m.Created)
	}
	return nil
}

// magic is what a test key's recipients stand for: the end of a phone number, or the local part of a
// mail address, or the last part of a URL's path or of an id.
var magic = []struct {
	phone, word string
	outcome     message.Status
}{
	{"0001", "undelivered", message.Undelivered},
	{"0002", "failed", message.Failed},
	{"0003", "bounced", message.Bounced},
	{"0004", "complained", message.Complained},
	{"0005", "expired", message.Expired},
	{"0006", "suppressed", message.Suppressed},
	{"0007", "in_doubt", message.InDoubt},
	{"0008", "dead", message.Dead},
}

func outcome(kind message.AddressKind, key message.Address) message.Status {
	s := string(key)
	for _, row := range magic {
		switch kind {
		case message.Phone:
			if strings.HasSuffix(s, row.phone) {
				return row.outcome
			}
		case message.Mail:
			if strings.HasPrefix(s, row.word+"@") || strings.HasPrefix(s, row.word+"+") {
				return row.outcome
			}
		default:
			if strings.HasSuffix(s, row.word) {
				return row.outcome
			}
		}
	}
	return message.Delivered
}
