package audit

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what the audit needs of the store.
type Store interface {
	Audit(ctx context.Context, p tenant.Principal, day, before string, limit int) ([]store.Audited, string, error)
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Address(ctx context.Context, r *store.Record) (message.Address, error)
}

// Ports is everything that the audit needs.
type Ports struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Audit lists what was done, and reveals. It is safe for concurrent use.
type Audit struct{ Ports }

// New checks that nothing is missing.
func New(p Ports) (*Audit, error) {
	if p.Store == nil || p.Now == nil || p.Log == nil {
		return nil, errors.New("audit: a port is missing")
	}
	return &Audit{p}, nil
}

func (a *Audit) now() message.Time { return message.At(a.Now()) }

func may(p tenant.Principal, s tenant.Scope) error {
	if !p.May(s) {
		return problem.New(problem.Forbidden, "this needs a key with the scope %s", s)
	}
	return nil
}

func unread(err error) error {
	return problem.New(problem.Unavailable, "it cannot be read right now; try again").After(time.Second).Because(err)
}

// Filter narrows the audit. What is empty does not.
type Filter struct {
	By   string // key:<id> or user:<name>, or what follows the colon
	What string // made, changed, deleted, or a deed's
	Kind string // a document's; message, address, redrive or run of a deed
	Name string // a part of what it was done to
	// From is inclusive, To exclusive; without them it is the last 7 days.
	From, To time.Time
	Limit    int // 1 to MaxPage
	After    string
}

// Entry is one line of the audit.
type Entry struct {
	At      message.Time
	By      string
	What    string
	Kind    string
	Name    string
	Tenant  string
	Version int64 // of a document; 0 for a deed
	Reason  string
	IP      string
	Request string
	Changes []store.Change // in the order of their paths; of a deed, what came of it
}

const (
	// MaxPage is the longest page.
	MaxPage = 100
	// MaxDays is the longest span.
	MaxDays = 92
	// maxReads bounds the work of one call: what a filter names may be rare.
	maxReads = 40
	perRead  = 100 // DynamoDB gives so many items at once
)

// List reads a page, the newest first, and where the next one begins. A page may be short, even empty, and not
// be the last.
func (a *Audit) List(ctx context.Context, p tenant.Principal, f Filter) ([]Entry, string, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, "", err
	}
	in, before, err := f.check(a.now())
	if err != nil {
		return nil, "", err
	}
	var out []Entry
	reads := 0
	for _, day := range store.Days(in, MaxDays+1) {
		for more := true; more; reads++ {
			if reads == maxReads {
				return out, cursor(before), nil
			}
			list, next, err := a.Store.Audit(ctx, p, day, before, perRead)
			if err != nil {
				return nil, "", unread(err)
			}
			for i := range list {
				e := entryOf(&list[i])
				if e.At < in.From || !f.matches(p, &e) {
					continue
				}
				if out = append(out, e); len(out) == f.Limit {
					return out, cursor(list[i].Place), nil
				}
			}
			if more = next != ""; more {
				before = next
			}
		}
	}
	return out, "", nil
}

// check gives the span, and the place that all come before.
func (f *Filter) check(now message.Time) (in store.Range, before string, err error) {
	in = store.Range{From: now.Add(-7 * 24 * time.Hour), To: now + 1}
	var faults []problem.Field
	if f.Limit < 1 || f.Limit > MaxPage {
		faults = append(faults, problem.At("query:limit", problem.BadValue, "limit must be 1 to %d", MaxPage))
	}
	if !f.To.IsZero() {
		in.To = min(message.At(f.To), in.To)
		in.From = in.To.Add(-7 * 24 * time.Hour)
	}
	if !f.From.IsZero() {
		in.From = message.At(f.From)
	}
	if in.From >= in.To || in.To.Sub(in.From) > MaxDays*24*time.Hour {
		faults = append(faults, problem.At("query:from", problem.BadTime, "from must be before to, at most %d days", MaxDays))
	}
	before = store.DueSort(in.To)
	if f.After != "" {
		text, err := base64.RawURLEncoding.DecodeString(f.After)
		if at, _, ok := strings.Cut(string(text), "-"); err != nil || !ok || len(at) != len(before) || strings.Trim(at, "0123456789") != "" {
			faults = append(faults, problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
		} else {
			before = min(before, string(text))
		}
	}
	if len(faults) > 0 {
		return in, "", problem.Invalid(faults...)
	}
	return in, before, nil
}

func cursor(place string) string { return base64.RawURLEncoding.EncodeToString([]byte(place)) }

// matches tells whether an entry is meant, and whether the principal may see it: who works here is an admin's to
// know.
func (f *Filter) matches(p tenant.Principal, e *Entry) bool {
	if e.Kind == string(store.Users) && !p.May(tenant.Admin) {
		return false
	}
	_, short, _ := strings.Cut(e.By, ":")
	return (f.By == "" || f.By == e.By || f.By == short) && (f.What == "" || f.What == e.What) && (f.Kind == "" || f.Kind == e.Kind) &&
		(f.Name == "" || strings.Contains(e.Name, f.Name))
}
