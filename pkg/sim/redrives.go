package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	pages "github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// again is what the oracle knows of a redrive.
type again struct {
	store.Job
	filter  redrive.Filter
	meant   []*story // that had been dead for a while when it began: it finds them in an index
	tried   map[message.ID]bool
	stopped bool // somebody did
}

// redrives starts redrives of many, at once, and stops some.
func (o *operators) redrives(span time.Duration) {
	w := o.w
	for range 2 + w.chance.IntN(3) {
		f := []redrive.Filter{{}, {}, {Tenant: tenants[0]}, {Account: "sms-a"}, {Channel: message.SMS}}[w.chance.IntN(5)]
		rate, stops := 1+w.chance.IntN(3), w.percent(20)
		w.after(w.between(span/4, span*3/2), func() { o.startRedrive(f, rate, stops) })
	}
}

var chief = tenant.Of(tenant.Key{ID: "chief", Live: true, Scopes: []tenant.Scope{tenant.Operate}})

func (o *operators) startRedrive(f redrive.Filter, rate int, stops bool) {
	id := ""
	o.w.plans.insist("redrive many", func(ctx context.Context, p *process) error {
		j, err := p.redrive.Start(ctx, chief, f, rate, "it works again")
		id = j.ID
		return err
	}, func(*problem.Error, int) {
		if stops {
			o.w.after(o.w.between(0, 5*time.Second), func() {
				o.w.plans.insist("stop redrive", func(ctx context.Context, p *process) error {
					_, err := p.redrive.Stop(ctx, chief, id, "enough")
					return err
				}, func(*problem.Error, int) {})
			})
		}
	})
}

// redrove judges what becomes of a redrive.
func (o *oracle) redrove(j store.Job) {
	a := o.again[j.ID]
	if a == nil {
		a = &again{tried: map[message.ID]bool{}}
		if err := json.Unmarshal(j.Spec, &a.filter); err != nil {
			o.violate(Truth, "redrive %s cannot be read: %v", j.ID, err)
		}
		for _, s := range o.order {
			if f := &a.filter; s.m.Status == message.Dead && o.w.now.Sub(s.failed) >= lag && s.m.Completed() <= j.Created && s.m.Completed() >= f.From && (f.Tenant == "" || f.Tenant == s.m.Tenant) &&
				(f.Channel == "" || f.Channel == s.m.Channel) && (f.Account == "" || s.m.Last() != nil && s.m.Last().Account == f.Account) {
				a.meant = append(a.meant, s)
			}
		}
		o.again[j.ID], o.redrives = a, append(o.redrives, a)
	}
	a.Job = j
	a.stopped = a.stopped || j.State == store.JobStopping
}

// triedAgain judges that a redrive tried a message again.
func (o *oracle) triedAgain(s *story, prev *message.Message) {
	for _, n := range s.m.Notes {
		id, _, by := strings.Cut(n.Why, ": ")
		a := o.again[id]
		if n.What != "redriven" || !by || a == nil || hasNote(prev, n) {
			continue
		}
		if a.tried[s.m.ID] {
			o.tell(RedriveSafe, s, "redrive %s tries it twice", id)
		}
		if a.tried[s.m.ID] = true; o.w.now >= s.m.Expires.Add(o.tolerance()+10*time.Minute) {
			o.tell(RedriveSafe, s, "redrive %s tries it after it expired", id)
		}
	}
}

func hasNote(m *message.Message, n message.Note) bool {
	for _, old := range m.Notes {
		if old == n {
			return true
		}
	}
	return false
}

// quietRedrives judges redrives at rest: each is over, and left nobody out.
func (o *oracle) quietRedrives() {
	for _, a := range o.redrives {
		if !a.State.Ended() {
			o.violate(NoLoss, "redrive %s is not at its end: it is %s, %s", a.ID, a.State, a.Fault)
			continue
		}
		for _, s := range a.meant {
			if a.State == store.JobDone && !a.tried[s.m.ID] && !o.replaced(s, a.Created) && s.m.Status == message.Dead && s.redriven < a.Created && s.m.Expires > a.Finished.Add(o.tolerance()) {
				o.tell(RedriveWhole, s, "redrive %s of %s is done, and left it out: %v", a.ID, a.Created, a.Counts)
			}
		}
	}
}

// replaced tells whether another way of a message's fallback, or one of equal content, was not in vain at a time.
func (o *oracle) replaced(s *story, at message.Time) bool {
	return slices.ContainsFunc(o.order, func(other *story) bool {
		return other != s && other.order != nil && s.order != nil && (s.m.Fallback && other.m.Group == s.m.Group || other.same() == s.same()) &&
			!other.m.Hold && (other.released == 0 || other.released >= at || other.redriven > 0 || !other.m.Status.ReleasesContent())
	})
}

// redrives is how redrives are done, but for the bug that is planted.
func (b Bug) redrives(do pages.Page) pages.Kind {
	return pages.Kind{Page: func(ctx context.Context, j store.Job) (pages.Step, error) {
		step, err := do(ctx, j)
		if err != nil && b == BugRedriveCutOff {
			return pages.Step{Done: true}, nil
		}
		return step, err
	}}
}
