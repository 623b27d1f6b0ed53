package stats

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Query says which figures are asked for. What is "" or zero does not narrow, or has a default.
type Query struct {
	// From is inclusive, To exclusive; both are moved outwards to whole steps.
	From, To time.Time
	Step     string // minute, hour, day; minute
	Zone     string // whose days, as Asia/Shanghai; UTC's
	By       string // tenant, channel, account, template, status; "" tells nothing apart
	Top      int    // groups, the largest first; the rest is one. 0 is 10

	Tenant, Channel, Account, Template string
}

const (
	defaultTop = 10
	maxTop     = 100
	maxPoints  = 750
)

// By is what figures are told apart by.
func By() []string { return []string{"tenant", "channel", "account", "template", ByStatus} }

// ByStatus makes a group of each counter.
const ByStatus = "status"

// Steps are the lengths of a point.
func Steps() []string { return []string{minutes.name, hours.name, days.name} }

// asked is a query that was checked.
type asked struct {
	span   span           // of the sheets that are read
	zone   *time.Location // whose days they make; nil where a sheet is a point
	in     store.Range
	by     string
	top    int
	filter store.Cell
}

// check fills in the defaults and refuses what cannot be told.
func (q Query) check(p tenant.Principal, now message.Time) (asked, error) {
	a := asked{by: q.By, top: q.Top, filter: store.Cell{Tenant: q.Tenant, Channel: q.Channel, Account: q.Account, Template: q.Template}}
	var faults []problem.Field
	bad := func(name string, code problem.Code, format string, args ...any) {
		faults = append(faults, problem.At("query:"+name, code, format, args...))
	}
	if a.filter.Tenant == "" && !p.May(tenant.Operate) {
		a.filter.Tenant = p.Tenant
	}
	switch name := a.filter.Tenant; {
	case name != "" && !tenant.ValidName(name):
		bad("tenant", problem.BadValue, "a tenant's name has 1 to 32 lower-case letters, digits and -")
	case !p.Sees(name):
		bad("tenant", problem.UnknownTenant, "there is no such tenant for this key; leave tenant out to see its own")
	}
	for _, f := range []struct{ name, value string }{{"channel", q.Channel}, {"account", q.Account}, {"template", q.Template}} {
		if len(f.value) > 128 || strings.Trim(f.value, "abcdefghijklmnopqrstuvwxyz0123456789-_/.") != "" {
			bad(f.name, problem.BadValue, "%s must be a name: lower-case letters, digits, - and _", f.name)
		}
	}
	if t := a.filter.Template; t != "" && t != telemetry.Free && t != Other && !strings.Contains(t, "/") {
		a.filter.Template = a.filter.Tenant + "/" + t
		if a.filter.Tenant == "" {
			bad("template", problem.BadValue, "say whose template it is: tenant/name, or name with tenant")
		}
	}
	if a.by != "" && !slices.Contains(By(), a.by) {
		bad("by", problem.BadValue, "by must be one of %s", strings.Join(By(), ", "))
	}
	if a.top == 0 {
		a.top = defaultTop
	}
	if a.top < 1 || a.top > maxTop {
		bad("top", problem.BadValue, "top must be 1 to %d", maxTop)
	}
	var known bool
	if a.span, known = spanOf(q.Step); !known {
		bad("step", problem.BadValue, "step must be one of %s", strings.Join(Steps(), ", "))
	} else if why := a.days(q.Zone); why != "" {
		bad("zone", problem.BadValue, "%s", why)
	} else if why := a.bound(q.From, q.To, now); why != "" {
		bad("from", problem.BadTime, "%s", why)
	}
	if len(faults) > 0 {
		return a, problem.Invalid(faults...)
	}
	return a, nil
}

// spanOf finds a step by its name.
func spanOf(step string) (span, bool) {
	switch step {
	case "", minutes.name:
		return minutes, true
	case hours.name:
		return hours, true
	case days.name:
		return days, true
	}
	return span{}, false
}

// days makes the days those of a zone: of the hours, whose sheets are kept for less long.
func (a *asked) days(zone string) (why string) {
	if zone == "" {
		return ""
	}
	if a.span != days {
		return "zone says whose days are meant: it goes with step=day"
	}
	var err error
	if a.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return "zone must be a name like Asia/Shanghai"
	}
	a.span = hours
	return ""
}

// step is the name of what was asked for.
func (a *asked) step() string {
	if a.zone != nil {
		return days.name
	}
	return a.span.name
}

// floor is where the point of an instant begins. Where a zone's midnight is in the middle of an hour, the hour is of the
// day that has more of it.
func (a *asked) floor(t message.Time) message.Time {
	if a.zone == nil {
		return a.span.floor(t)
	}
	return a.midnight(hours.floor(t).Add(hours.long/2), 0)
}

// midnight is where the day of an instant begins, or that of so many days before.
func (a *asked) midnight(t message.Time, before int) message.Time {
	year, month, date := t.Std().In(a.zone).Date()
	return message.At(time.Date(year, month, date-before, 0, 0, 0, 0, a.zone))
}

// lately is how many points there are where nobody says since when.
var lately = map[string]int{minutes.name: 60, hours.name: 24, days.name: 30}

// bound sets the range, or says what is wrong with it.
func (a *asked) bound(from, to time.Time, now message.Time) string {
	sp := a.span
	end := now + 1
	if !to.IsZero() {
		end = min(end, message.At(to))
	}
	a.in.To = sp.ceil(end)
	a.in.From = a.in.To.Add(-time.Duration(lately[sp.name]) * sp.long)
	if a.zone != nil {
		a.in.From = a.midnight(a.in.To-1, lately[days.name]-1)
	}
	if !from.IsZero() {
		a.in.From = a.floor(message.At(from))
	}
	points := int(a.in.To.Sub(a.in.From) / sp.long)
	switch {
	case a.in.From >= a.in.To:
		return "from must be before to, and not in the future"
	case a.in.From < sp.floor(now.Add(-sp.keep)):
		longer := ""
		if a.zone != nil {
			longer = ", which days of a zone are made of; older figures are there by days of UTC"
		} else if sp != days {
			longer = "; older figures are there with a longer step"
		}
		return fmt.Sprintf("figures by the %s are kept for %d days%s", sp.name, sp.keep/day, longer)
	case points > maxPoints && a.zone == nil:
		return fmt.Sprintf("that is %d points, and at most %d are told; take a longer step or a shorter time", points, maxPoints)
	}
	return ""
}
