package campaign

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Uses are what sends with a template: schedules, and runs that have not ended.
type Uses struct {
	Schedules []Versioned
	Runs      []Run
}

// newest is how many of the latest campaigns of a tenant are looked at, and of the runs of each of its
// schedules: those that have not ended are among them.
const newest, newestOfSchedule = 300, 20

// Uses finds what sends with a template of a tenant; with one version of it, unless version is 0. A schedule
// without a version of its own sends with the one that is published.
func (c *Campaigns) Uses(ctx context.Context, p tenant.Principal, owner, name string, version int) (Uses, error) {
	if err := reads(p); err != nil {
		return Uses{}, err
	}
	return c.uses(ctx, p, owner, name, version)
}

func (c *Campaigns) uses(ctx context.Context, p tenant.Principal, owner, name string, version int) (Uses, error) {
	out := Uses{Schedules: []Versioned{}, Runs: []Run{}}
	head, ok, err := c.Config.Template(ctx, owner, name)
	switch {
	case err != nil:
		return out, unavailable(err)
	case !ok || !p.Sees(owner) && !head.Shared:
		return out, problem.New(problem.NotFound, "there is no template %s/%s", owner, name)
	}
	sends := func(of string, with Content) bool {
		o, n := templateOf(of, with.Template)
		return o == owner && n == name && (version == 0 || version == cmp.Or(with.Version, head.Published))
	}
	all, err := c.schedules(ctx, p, "", 1)
	if err != nil {
		return out, err
	}
	going := func(of, topic string, most int) error {
		return c.going(ctx, p, of, topic, most, func(r Run) {
			if sends(of, r.Content) {
				out.Runs = append(out.Runs, r)
			}
		})
	}
	for _, s := range all {
		if s.Tenant != owner && !head.Shared {
			continue
		}
		if sends(s.Tenant, s.Content) {
			out.Schedules = append(out.Schedules, s)
		}
		if err := going(s.Tenant, topic(s.Name), newestOfSchedule); err != nil {
			return out, err
		}
	}
	docs, _, err := c.Store.Docs(ctx, store.Tenants)
	if err != nil {
		return out, unavailable(err)
	}
	for _, d := range docs {
		if !p.Sees(d.Name) || d.Name != owner && !head.Shared {
			continue
		}
		if err := going(d.Name, "", newest); err != nil {
			return out, err
		}
	}
	return out, nil
}

// going gives the runs under a topic that have not ended, the newest first.
func (c *Campaigns) going(ctx context.Context, p tenant.Principal, of, topic string, most int, each func(Run)) error {
	for after, seen := "", 0; seen < most; {
		page, err := c.Store.Jobs(ctx, p, of, KindRun, topic, min(most, 100), after)
		if err != nil {
			return unavailable(err)
		}
		seen += len(page.Jobs)
		for _, j := range page.Jobs {
			if j.State.Ended() || j.State == store.JobStopping {
				continue
			}
			r, err := c.runView(j)
			if err != nil { // the others can be stopped
				c.Log.ErrorContext(ctx, "run unreadable", "run", j.ID, "error", err)
				continue
			}
			if r.Ended == 0 { // else only receipts are waited for
				each(r)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return nil
}

// StopUses stops the runs that send with a version of a template, for good: those that wait for a word and
// those that are paused, too. A dry run only finds them. What else waits with it is the intake's to stop.
func (c *Campaigns) StopUses(ctx context.Context, p tenant.Principal, owner, name string, version int, dry bool, why string) (Uses, error) {
	if err := may(p, tenant.Send, tenant.Operate); err != nil {
		return Uses{}, err
	}
	if err := (Change{Reason: why}).check(); err != nil {
		return Uses{}, err
	}
	if version < 1 {
		return Uses{}, problem.Invalid(problem.At("/version", problem.Required, "name the version that is to be stopped"))
	}
	out, err := c.uses(ctx, p, owner, name, version)
	out.Runs = slices.DeleteFunc(out.Runs, func(r Run) bool { return !p.Steers(r.Tenant) })
	if err != nil || dry {
		return out, err
	}
	for i, r := range out.Runs {
		stopped, err := c.steer(ctx, p, r.Job, store.JobStopping, why)
		switch pr := (*problem.Error)(nil); {
		case err == nil:
			out.Runs[i] = stopped
		case !errors.As(err, &pr) || pr.Code != problem.NotAllowedNow: // it ended meanwhile
			return out, err
		}
	}
	return out, nil
}
