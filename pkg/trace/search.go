package trace

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Filter says what to look for. An empty field does not narrow.
type Filter struct {
	Tenant    string
	Recipient string // as typed: any spelling of a number, an address, an alias
	Channel   message.Channel
	Status    message.Status
	Class     message.Class
	Template  string // name, or tenant/name
	Reference string // the caller's own
	Run       string // of a campaign, or of a schedule
	// From is inclusive, To exclusive. Without From the indexes of days go back 7 days, the others as long
	// as records are kept.
	From, To time.Time
	Limit    int    // 1 to MaxLimit; 0 is 50
	Cursor   string // Page.Next of the page before, with the same filter
}

// MaxLimit is the longest page.
const MaxLimit = 200

const (
	defaultLimit = 50
	lastDays     = 7 * 24 * time.Hour
	maxDays      = 31 // of an index of days, in one call
	maxTyped     = 4096
	// slack is how far ahead another machine's clock may be: what it accepted just now is found.
	slack = time.Minute
)

// Index names what a search read.
type Index string

// The indexes.
const (
	ByRecipient Index = "recipient" // all tenants' messages to it that the principal sees
	ByReference Index = "reference"
	ByTrouble   Index = "trouble" // failed, dead, in doubt, undelivered, bounced, complained, by day
	ByTenant    Index = "tenant"  // everything, by day
)

// Page is one page of a search, the newest messages first.
type Page struct {
	Records []Summary
	// Unreadable are the ids of damaged records in the range, whether or not they would match.
	Unreadable []message.ID
	Index      Index
	// Next goes on; "" when the whole range was searched. A page may be short, or empty, and have a Next.
	Next string
	// Searched counts the records that this call looked at, of those that the principal sees.
	Searched int
	// From and To are the range of the whole search.
	From, To message.Time
	// Refused are requests for the recipient, or with the reference, that were refused in the last 7 days, the
	// newest first: of a search for nothing else, on its first page.
	Refused []store.Refusal
	// None is set when the search is over and has found nothing at all.
	None *Verdict
}

// Search looks for messages in the index that fits the filter best: recipient, reference, trouble, tenant.
// The other conditions are applied to what the index gives. Work is bounded: a search that looked at
// enough stops with what it has, and Next goes on from there, without gaps or repeats.
func (t *Trace) Search(ctx context.Context, p tenant.Principal, f Filter) (*Page, error) {
	if err := may(p); err != nil {
		return nil, err
	}
	if err := t.ofRun(ctx, p, &f); err != nil {
		return nil, err
	}
	if err := f.check(p); err != nil {
		return nil, err
	}
	now := t.now()
	index := f.index()
	span := f.span(index, now)
	var at position
	if f.Cursor != "" {
		c, err := readCursor(f.Cursor, index)
		if err != nil {
			return nil, err
		}
		// A cursor that somebody made up reaches no further than any search may.
		span.From = max(c.From, oldest(now))
		at = position{min(c.To, now.Add(slack)), c.Before}
	} else {
		at = position{to: span.To}
	}
	w := walk{p: p, filter: &f, at: at, limit: f.Limit, budget: t.budget}
	var err error
	if w.legs, err = t.legs(ctx, p, &f, index, span.From); err != nil {
		return nil, err
	}
	if err := w.run(ctx); err != nil {
		return nil, unread(err)
	}
	page := &Page{Index: index, Searched: w.seen, From: span.From, To: min(span.To, now), Unreadable: w.bad}
	for _, r := range w.out {
		page.Records = append(page.Records, t.summary(ctx, r, now))
	}
	for _, id := range w.bad {
		t.Log.ErrorContext(ctx, "record unreadable", "message", id)
	}
	if w.more {
		page.Next = cursor{Version: cursorVersion, Index: index, From: span.From, To: w.at.to, Before: w.at.before}.String()
	}
	if f.Cursor == "" {
		if page.Refused, err = t.refused(ctx, p, &f, now); err != nil {
			return nil, err
		}
	}
	if page.Next == "" && f.Cursor == "" && len(page.Records) == 0 {
		none := None(span.From, now)
		if f != (Filter{Recipient: f.Recipient, Tenant: f.Tenant, Limit: f.Limit, From: f.From, To: f.To}) || f.Recipient == "" {
			none = blanks{since: now.Sub(span.From)}.fill("none_matching")
		}
		if len(page.Refused) > 0 {
			none = t.noneBut(ctx, &page.Refused[0], now)
		} else if t.Known != nil && p.Sees("") {
			if err := t.Known(ctx, "/", f.Tenant, f.Channel, ""); err != nil {
				return nil, err
			}
		}
		page.None = &none
	}
	return page, nil
}

// ofRun narrows a filter to where the messages of its run are: they all have the run's instant.
func (t *Trace) ofRun(ctx context.Context, p tenant.Principal, f *Filter) error {
	if f.Run == "" {
		return nil
	}
	j, err := t.Store.Job(ctx, p, f.Run)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && f.Tenant != "" && f.Tenant != j.Tenant:
		return problem.Invalid(problem.At("/run", problem.BadValue, "there is no such run; an id begins with run_"))
	case err != nil:
		return unread(err)
	case !f.From.IsZero() || !f.To.IsZero():
		return problem.Invalid(problem.At("/run", problem.BadValue, "a run has a time of its own: leave from and to out"))
	}
	f.Tenant, f.From, f.To = j.Tenant, j.Created.Std(), j.Created.Std().Add(time.Millisecond)
	return nil
}

// check refuses what cannot be searched, and fills in the defaults.
func (f *Filter) check(p tenant.Principal) error {
	var faults []problem.Field
	bad := func(pointer string, code problem.Code, format string, args ...any) {
		faults = append(faults, problem.At(pointer, code, format, args...))
	}
	if f.Tenant == "" && !p.Sees("") {
		f.Tenant = p.Tenant
	}
	if !p.Sees(f.Tenant) {
		bad("/tenant", problem.UnknownTenant, "there is no such tenant for this key; leave tenant out to search its own")
	} else if f.Tenant != "" && !tenant.ValidName(f.Tenant) {
		bad("/tenant", problem.BadValue, "a tenant's name has 1 to 32 lower-case letters, digits and -")
	}
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	if f.Limit < 1 || f.Limit > MaxLimit {
		bad("/limit", problem.BadValue, "limit must be 1 to %d", MaxLimit)
	}
	if f.Status != "" && !f.Status.Valid() {
		bad("/status", problem.BadValue, "status must be one of %v", message.Statuses())
	}
	if f.Class != "" && !f.Class.Valid() {
		bad("/class", problem.BadValue, "class must be one of %v", message.Classes())
	}
	if f.Channel != "" && !tenant.ValidName(string(f.Channel)) {
		bad("/channel", problem.UnknownChannel, "a channel's name has 1 to 32 lower-case letters, digits and -, such as sms or email")
	}
	if len(f.Recipient) > maxTyped {
		bad("/recipient", problem.TooLong, "recipient has %d bytes; at most %d are allowed", len(f.Recipient), maxTyped)
	}
	for _, at := range []struct {
		pointer string
		time    time.Time
	}{{"/from", f.From}, {"/to", f.To}} {
		if !at.time.IsZero() && (at.time.Year() < 2000 || at.time.Year() > 2999) {
			bad(at.pointer, problem.BadTime, "%s must be a time of this century, in RFC 3339", at.pointer[1:])
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		bad("/from", problem.BadTime, "from must be before to")
	}
	if len(faults) > 0 {
		return problem.Invalid(faults...)
	}
	return nil
}

func (f *Filter) index() Index {
	switch {
	case f.Recipient != "":
		return ByRecipient
	case f.Reference != "":
		return ByReference
	case f.Status.Trouble():
		return ByTrouble
	}
	return ByTenant
}

// oldest is when the oldest record that may still be there was accepted: one that was sent a year after.
func oldest(now message.Time) message.Time {
	const ahead = 366 * 24 * time.Hour
	return now.Add(-ahead - message.Transactional.Defaults().KeepRecord)
}

// span is the range of the whole search.
func (f *Filter) span(index Index, now message.Time) store.Range {
	in := store.Range{From: message.At(f.From), To: message.At(f.To)}
	if end := now.Add(slack); in.To == 0 || in.To > end {
		in.To = end
	}
	if in.From == 0 {
		in.From = in.To.Add(-message.Transactional.Defaults().KeepRecord)
		if index == ByTrouble || index == ByTenant {
			in.From = in.To.Add(-lastDays)
		}
	}
	in.From = max(in.From, oldest(now))
	return in
}

// matches tells whether a record is looked for. The range of time is the index's to keep.
func (f *Filter) matches(m *message.Message) bool {
	owner := cmp.Or(m.Template.Tenant, m.Tenant)
	return (f.Tenant == "" || f.Tenant == m.Tenant) &&
		(f.Channel == "" || f.Channel == m.Channel) &&
		(f.Status == "" || f.Status == m.Status) &&
		(f.Class == "" || f.Class == m.Class) &&
		(f.Run == "" || f.Run == m.Request) &&
		(f.Reference == "" || f.Reference == m.Reference) &&
		(f.Template == "" || f.Template == m.Template.Name || f.Template == owner+"/"+m.Template.Name)
}
