// Package redrive tries dead messages again, many at once: those that a filter names, counted first, no more
// of them a second than is asked for, as a job whose pages go through the control queue. What a message may
// be tried for is its own to say: one that has expired stays dead, and the worker looks at its suppressions
// and its account anew.
//
// A page may be done twice: a message that the job has tried again is not dead any more, and one that died
// again since is left alone. After a crash in the middle of a page its counts may be short; nothing is left
// out.
package redrive

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what redrives need of the store.
type Store interface {
	Troubles(ctx context.Context, p tenant.Principal, tenant, day string, in store.Range, limit int, after string) (store.Found, error)
	GoesOtherwise(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record) (bool, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
	Job(ctx context.Context, p tenant.Principal, id string) (store.Job, error)
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
	Jobs(ctx context.Context, p tenant.Principal, tenant, kind, topic string, limit int, after string) (store.FoundJobs, error)
}

// Tenants lists them.
type Tenants interface {
	Tenants(ctx context.Context) ([]tenant.Tenant, error)
}

// Jobs starts and steers jobs.
type Jobs interface {
	Start(ctx context.Context, p tenant.Principal, j store.Job) (store.Job, bool, error)
	Steer(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string, only ...store.JobState) (store.Job, error)
}

// Ports is everything that redrives need.
type Ports struct {
	Store   Store
	Tenants Tenants
	// Known refuses names that never were anybody's, where nothing was found; nil takes each for known.
	Known   func(ctx context.Context, where, tenant string, ch message.Channel, account string) error
	Jobs    Jobs
	Queue   queue.Queue
	Now     func() time.Time
	NewULID func(message.Time) string
	Log     *slog.Logger
}

// Redrive counts, starts and does redrives.
type Redrive struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Redrive, error) {
	if p.Store == nil || p.Tenants == nil || p.Jobs == nil || p.Queue == nil || p.Now == nil || p.NewULID == nil || p.Log == nil {
		return nil, errors.New("redrive: a port is missing")
	}
	return &Redrive{p, tenant.System("redrive")}, nil
}

func (r *Redrive) now() message.Time { return message.At(r.Now()) }

// Filter says which dead messages are meant. What is empty does not narrow.
type Filter struct {
	Tenant   string          `json:"tenant,omitzero"`
	Channel  message.Channel `json:"channel,omitzero"`
	Account  string          `json:"account,omitzero"`  // of the last attempt
	Template string          `json:"template,omitzero"` // tenant/name, or name with Tenant
	Reason   string          `json:"reason,omitzero"`   // why they died
	// From is inclusive, To exclusive: when they died.
	From message.Time `json:"from,omitzero"`
	To   message.Time `json:"to,omitzero"`
}

// known refuses a filter with a name that never was anybody's.
func (r *Redrive) known(ctx context.Context, f *Filter, where string) error {
	if r.Known == nil {
		return nil
	}
	return r.Known(ctx, where, f.Tenant, f.Channel, f.Account)
}

// matches tells whether a record is meant.
func (f *Filter) matches(r *store.Record) bool {
	if r.Status != message.Dead || f.Tenant != "" && r.Tenant != f.Tenant || f.Channel != "" && r.Channel != f.Channel || f.Reason != "" && r.Reason != f.Reason {
		return false
	}
	if f.Account != "" && (r.Last() == nil || r.Last().Account != f.Account) {
		return false
	}
	owner := r.Template.Tenant
	if owner == "" {
		owner = r.Tenant
	}
	if f.Template != "" && f.Template != owner+"/"+r.Template.Name {
		return false
	}
	died := r.Completed()
	return died >= f.From && (f.To == 0 || died < f.To)
}

const maxName = 128

// check refuses what cannot be meant; where is how its fields are named: /filter/ in a body, query: in a URL.
func (f *Filter) check(now message.Time, where string) error {
	var faults []problem.Field
	bad := func(name string, code problem.Code, format string, args ...any) {
		faults = append(faults, problem.At(where+name, code, format, args...))
	}
	if f.Tenant != "" && !tenant.ValidName(f.Tenant) {
		bad("tenant", problem.UnknownTenant, "there is no such tenant; see GET /v1/tenants")
	}
	if f.Channel != "" && !tenant.ValidName(string(f.Channel)) {
		bad("channel", problem.UnknownChannel, "a channel's name has 1 to 32 lower-case letters, digits and -, such as sms or email")
	}
	for _, v := range []struct{ name, value string }{{"account", f.Account}, {"template", f.Template}, {"reason", f.Reason}} {
		if len(v.value) > maxName {
			bad(v.name, problem.TooLong, "%s has at most %d bytes", v.name, maxName)
		}
	}
	if f.Template != "" && !strings.Contains(f.Template, "/") {
		if f.Tenant == "" {
			bad("template", problem.BadValue, "say whose template it is: tenant/name, or name with tenant")
		}
		f.Template = f.Tenant + "/" + f.Template
	}
	if f.To > 0 && f.From >= f.To || f.From > now {
		bad("from", problem.BadTime, "from must be before to, and not in the future")
	}
	if len(faults) > 0 {
		return problem.Invalid(faults...)
	}
	return nil
}

// place is how far a walk over the dead came: a day of acceptance, a tenant, and a cursor in its index.
type place struct {
	Day    string `json:"d"`
	Tenant string `json:"t"`
	After  string `json:"a,omitzero"`
}

// lookBack is how many days are looked through: longer than any class's messages live from their
// acceptance, unless they were accepted for a later time.
const lookBack = 7

// span is the days that a walk goes through, the newest first: one that is named, or the last.
func span(since message.Time, day string) []string {
	if day != "" {
		return []string{day}
	}
	return store.Days(store.Range{From: since.Add(-lookBack * 24 * time.Hour), To: since.Add(time.Hour)}, lookBack+2)
}

// places lists what is to be read of the days from a place on.
func (r *Redrive) places(ctx context.Context, name string, days []string, from place) ([]place, error) {
	names := []string{name}
	if name == "" {
		all, err := r.Tenants.Tenants(ctx)
		if err != nil {
			return nil, err
		}
		names = names[:0]
		for _, t := range all {
			names = append(names, t.Name)
		}
		slices.Sort(names)
	}
	var out []place
	for _, day := range days {
		for _, n := range names {
			switch at := (place{Day: day, Tenant: n}); {
			case from.Day == "", day < from.Day, day == from.Day && n > from.Tenant:
				out = append(out, at)
			case day == from.Day && n == from.Tenant:
				out = append(out, from)
			}
		}
	}
	return out, nil
}

// walk reads the dead of the days from a place on, until enough were given or read, or nothing is left. It gives where
// the next walk begins; false when there is no more. do is handed those that were read together, and tells how many count.
func (r *Redrive) walk(ctx context.Context, f *Filter, days []string, from place, enough int, do func([]*store.Record) (int, error)) (place, bool, error) {
	places, err := r.places(ctx, f.Tenant, days, from)
	if err != nil {
		return from, true, err
	}
	given := 0
	for reads := 0; len(places) > 0; reads++ {
		at := &places[0]
		if given >= enough || reads == maxReads {
			return *at, true, nil
		}
		// No more is read than may be given, as a cursor cannot point into a page.
		found, err := r.Store.Troubles(ctx, r.as, at.Tenant, at.Day, store.Range{}, min(enough-given, perRead), at.After)
		if err != nil {
			return from, true, err
		}
		r.unreadable(ctx, found)
		n, err := do(slices.DeleteFunc(found.Records, func(rec *store.Record) bool { return !f.matches(rec) }))
		if err != nil {
			return from, true, err
		}
		given += n
		if at.After = found.Next; at.After == "" {
			places = places[1:]
		}
	}
	return place{}, false, nil
}

func (r *Redrive) unreadable(ctx context.Context, found store.Found) {
	for _, u := range found.Bad {
		r.Log.ErrorContext(ctx, "record unreadable", "id", u.ID, "error", u.Err)
	}
}

const (
	maxReads = 60 // of the index, in one page
	perRead  = 200
)
