package operate

import (
	"time"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/tenant"
)

// The bounds of what holds messages back.
const (
	maxCapMessages = limit.MaxFrequency
	minCapSeconds  = 60
	maxCapSeconds  = 30 * 24 * 3600
	maxSilence     = 90 * 24 * time.Hour
	maxCarried     = 250 // regions or tenants of an account
)

// checkHolds checks quiet hours, a cap and a silence.
func checkHolds(f *faults, r route.Route, now message.Time) {
	mode := func(at string, m route.Mode) {
		if !route.ValidMode(m) {
			f.add(at+"/mode", problem.BadValue, "mode must be hold (it waits) or drop (it ends as suppressed)")
		}
	}
	if q := r.Quiet; q != nil {
		mode("/quiet", q.Mode)
		for _, end := range [][2]string{{"from", q.From}, {"to", q.To}} {
			if !route.ValidMinute(end[1]) {
				f.add("/quiet/"+end[0], problem.BadValue, "%s must be a time of day such as 22:00", end[0])
			}
		}
		if q.From == q.To && route.ValidMinute(q.From) {
			f.add("/quiet/to", problem.BadValue, "quiet hours that end when they begin hold nobody back; use a silence to stop everything")
		}
		if _, err := time.LoadLocation(q.Zone); err != nil || q.Zone == "" || q.Zone == "Local" {
			f.add("/quiet/zone", problem.BadValue, "zone must be a time zone of the IANA database, such as Asia/Shanghai")
		}
	}
	if c := r.Cap; c != nil {
		mode("/cap", c.Mode)
		f.number("/cap/messages", "messages", c.Messages, 1, maxCapMessages)
		f.number("/cap/seconds", "seconds", c.Seconds, minCapSeconds, maxCapSeconds)
	}
	if s := r.Silence; s != nil {
		mode("/silence", s.Mode)
		f.text("/silence/why", "why", s.Why, MaxReason, true)
		if s.Until <= now || s.Until > now.Add(maxSilence) {
			f.add("/silence/until", problem.BadValue, "until must be in the future, within 90 days; switch the account or the tenant off to stop for good")
		}
	}
}

// checkCarries checks whom an account of a route is for.
func checkCarries(f *faults, at string, w route.Weighted) {
	if len(w.Regions) > maxCarried || len(w.Tenants) > maxCarried {
		f.add(at, problem.TooMany, "an account of a route may list %d regions and %d tenants", maxCarried, maxCarried)
		return
	}
	for i, region := range w.Regions {
		if region == "" {
			f.add(index(at+"/regions", i), problem.Required, "a region is a country, ISO 3166-1, such as CN")
		}
		f.region(index(at+"/regions", i), region)
	}
	for i, name := range w.Tenants {
		if !tenant.ValidName(name) {
			f.add(index(at+"/tenants", i), problem.BadValue, "a tenant's name has 1 to 32 lower-case letters, digits and -")
		}
	}
}
