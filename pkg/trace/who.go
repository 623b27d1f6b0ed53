package trace

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// WhoAnswer says where a text came from.
type WhoAnswer struct {
	Verdict Verdict
	// Candidates are the templates that the text may be of, the likeliest first.
	Candidates []Candidate
	// Messages are those to the recipient that it is, or that it may be.
	Messages []Sighting
	// Since is how far back messages were looked at; 0 without a recipient.
	Since message.Time
}

// Candidate is a template that a text fits, once for every channel and locale that it fits.
type Candidate struct {
	Tenant   string
	Owner    tenant.Owner // whom to call
	Template string
	Version  int   // the likeliest: the published one if it fits, else the newest that does
	Versions []int // all that fit, the newest first
	Channel  message.Channel
	Locale   string
	Class    message.Class
	Shared   bool // other tenants send it too
	// Published tells that Version is what is sent today.
	Published bool
	Fixed     int // characters of the template's own text that were found
}

// Sighting is a message that a text may be.
type Sighting struct {
	Summary
	// Exact tells that the whole text is the message's, but for secrets, which are never compared. It is
	// false where the content is erased: then only the template is known to be the same.
	Exact bool
	// Piece tells that the text is a piece of the message's.
	Piece bool
}

// Bounds of Who.
const (
	maxText       = 64 << 10
	maxCandidates = 20
	sightings     = 50
	sightingDays  = 30 * 24 * time.Hour
)

// Who tells whose message a pasted text is; recipient may be "". Principals who may not operate get their
// answer from their own templates and messages and from shared templates alone, as if there were no others:
// even that another tenant has a template of such a text would be telling.
func (t *Trace) Who(ctx context.Context, p tenant.Principal, text, recipient string) (*WhoAnswer, error) {
	if err := may(p); err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, problem.Invalid(problem.At("/text", problem.Required, "text is missing: paste the message as it was received"))
	case len(text) > maxText:
		return nil, problem.Invalid(problem.At("/text", problem.TooLong, "text has %d bytes; at most %d are allowed", len(text), maxText))
	}
	l, err := t.library(ctx)
	if err != nil {
		return nil, unread(err)
	}
	hidden := func(m template.Match) bool { return !l.opens(p, m.Tenant+"/"+m.Name) }
	matches := slices.DeleteFunc(l.matcher.Match(text), hidden)
	piece := len(matches) == 0
	if piece {
		matches = slices.DeleteFunc(l.matcher.Fragment(text), hidden)
	}
	out := &WhoAnswer{}
	if out.Candidates, err = t.candidates(ctx, l, matches); err != nil {
		return nil, unread(err)
	}
	if recipient != "" {
		if err := t.sight(ctx, p, out, text, recipient, matches); err != nil {
			return nil, unread(err)
		}
	}
	b := blanks{since: sightingDays}
	code := b.origin(out, recipient != "", piece, p.May(tenant.Operate))
	if len(out.Messages) > 0 { // the sender, which for a shared template is not the template's owner
		if b.owner, err = t.owner(ctx, b.tenant); err != nil {
			return nil, unread(err)
		}
	}
	if code == "who_none" && template.TooShort(text) {
		code = "who_short"
	}
	if signs := signsIn(text); code == "who_none" && len(signs) > 0 {
		code, b.sign = "who_stranger", signs[0]
		if i := slices.IndexFunc(signs, func(s string) bool { return l.knows(p, s) }); i >= 0 {
			code, b.sign = "who_sign", signs[i]
		}
	}
	out.Verdict = b.fill(code)
	return out, nil
}

// origin chooses the verdict. Asked tells that messages to a recipient were searched, piece that no template is the
// whole text, all that they were every tenant's.
func (b *blanks) origin(a *WhoAnswer, asked, piece, all bool) string {
	if len(a.Messages) > 0 {
		first := a.Messages[0]
		b.tenant = first.Tenant
		switch {
		case first.Exact:
			return "who_exact"
		case first.Piece:
			return "who_piece_sent"
		}
		return "who_likely"
	}
	if len(a.Candidates) == 0 {
		return "who_none"
	}
	first := a.Candidates[0]
	b.tenant, b.owner, b.template, b.count = first.Tenant, first.Owner, first.Template, names(a.Candidates)
	switch {
	case asked && first.Shared && !all: // others may have sent it
		return "who_shared"
	case asked:
		return "who_elsewhere"
	case piece:
		return "who_piece"
	case b.count > 1:
		return "who_several"
	}
	return "who_template"
}

// names counts the templates among candidates.
func names(all []Candidate) int {
	had := map[[2]string]bool{}
	for _, c := range all {
		had[[2]string{c.Tenant, c.Template}] = true
	}
	return len(had)
}

func (t *Trace) owner(ctx context.Context, name string) (tenant.Owner, error) {
	found, _, err := t.Config.Tenant(ctx, name)
	return found.Owner, err
}

// candidates makes one candidate of all versions of a variant.
func (t *Trace) candidates(ctx context.Context, l *library, matches []template.Match) ([]Candidate, error) {
	var out []Candidate
	for _, m := range matches { // the surest first, of one template the newest
		head := l.heads[m.Tenant+"/"+m.Name]
		i := slices.IndexFunc(out, func(c Candidate) bool {
			return c.Tenant == m.Tenant && c.Template == m.Name && string(c.Channel) == m.Channel && c.Locale == m.Locale
		})
		if i < 0 {
			owner, err := t.owner(ctx, m.Tenant)
			if err != nil {
				return nil, err
			}
			i = len(out)
			out = append(out, Candidate{Tenant: m.Tenant, Owner: owner, Template: m.Name, Version: m.Version, Channel: message.Channel(m.Channel),
				Locale: m.Locale, Class: head.Class, Shared: head.Shared, Fixed: m.Fixed})
		}
		c := &out[i]
		c.Versions = append(c.Versions, m.Version)
		if m.Version == head.Published && m.Fixed == c.Fixed {
			c.Version = m.Version
		}
		c.Published = c.Version == head.Published
	}
	for i := range out {
		slices.SortFunc(out[i].Versions, func(a, b int) int { return cmp.Compare(b, a) })
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { // of equally sure ones, what is sent today
		return cmp.Or(cmp.Compare(b.Fixed, a.Fixed), -boolCompare(a.Published, b.Published))
	})
	return out[:min(len(out), maxCandidates)], nil
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// sight looks for the message among the newest to the recipient.
func (t *Trace) sight(ctx context.Context, p tenant.Principal, out *WhoAnswer, text, recipient string, matches []template.Match) error {
	now := t.now()
	f := Filter{Recipient: recipient, Limit: sightings}
	if err := f.check(p); err != nil {
		return err
	}
	out.Since = now.Add(-sightingDays)
	w := walk{p: p, filter: &f, at: position{to: now.Add(slack)}, limit: f.Limit, budget: t.budget}
	var err error
	if w.legs, err = t.legs(ctx, p, &f, ByRecipient, out.Since); err != nil {
		return err
	}
	if err := w.run(ctx); err != nil {
		return err
	}
	for _, r := range w.out {
		if !reached(r) {
			continue
		}
		s, fits, err := t.compare(ctx, r, text, matches)
		if err != nil {
			return err
		}
		if fits {
			s.Summary = t.summary(ctx, r, now)
			out.Messages = append(out.Messages, s)
		}
	}
	slices.SortStableFunc(out.Messages, func(a, b Sighting) int { return -boolCompare(a.Exact, b.Exact) })
	return nil
}

// reached tells whether a message may have come to its provider: what somebody reads was not cancelled, suppressed,
// refused or simulated before.
func reached(r *store.Record) bool {
	return r.Epoch > len(r.Attempts) || slices.ContainsFunc(r.Attempts, func(a message.Attempt) bool { // older ones are not kept
		return a.Outcome == message.Accepted || a.Outcome == message.Unknown || len(a.Receipts) > 0
	})
}

// compare tells whether a text is a message's, or may be, or is a piece of it.
func (t *Trace) compare(ctx context.Context, r *store.Record, text string, matches []template.Match) (s Sighting, fits bool, err error) {
	fits = slices.ContainsFunc(matches, func(m template.Match) bool {
		return m.Tenant == cmp.Or(r.Template.Tenant, r.Tenant) && m.Name == r.Template.Name && m.Version == r.Template.Version && m.Channel == string(r.Channel)
	})
	if !fits && !r.Free {
		return s, false, nil
	}
	content, hidden, err := t.content(ctx, r)
	if err != nil || hidden != "" {
		return s, fits, err
	}
	s.Exact, s.Piece = isText(r.Channel, content, text)
	return s, s.Exact || s.Piece, nil
}

// isText tells whether a pasted text is a content, with all that the matcher forgives, or a piece of it. Blanked secrets
// become gaps: whoever may paste must not be able to try out codes.
func isText(ch message.Channel, c *message.Content, text string) (whole, piece bool) {
	const gap = "secret"
	literal := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
		s = strings.ReplaceAll(s, "{{", "{{{{")
		return strings.ReplaceAll(s, template.Redacted, "{{"+gap+"}}")
	}
	v := template.Variant{Channel: ch, Locale: "und", Subject: literal(c.Subject), Title: literal(c.Title), Text: literal(c.Text)}
	if v.Text == "" { // a mail in HTML alone: what is left to compare is its subject
		v = template.Variant{Channel: message.SMS, Locale: "und", Text: literal(cmp.Or(c.Subject, c.Title))}
	}
	compiled, faults := template.Compile(template.Template{Name: "pasted", Version: 1, Class: message.Transactional,
		Variables: []template.Variable{{Name: gap}}, Variants: []template.Variant{v}})
	if len(faults) > 0 {
		return false, false
	}
	m := template.NewMatcher([]*template.Compiled{compiled})
	if whole = len(m.Match(text)) > 0; !whole {
		piece = len(m.Fragment(text)) > 0
	}
	return whole, piece
}
