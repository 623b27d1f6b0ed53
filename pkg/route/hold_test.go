package route_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
)

func instant(t testing.TB, s string) message.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return message.At(at)
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	night := &route.Quiet{From: "22:00", To: "08:00", Zone: "America/New_York", Mode: route.Hold}
	noon := &route.Quiet{From: "12:00", To: "14:30", Zone: "Asia/Shanghai", Mode: route.Hold}
	for name, c := range map[string]struct {
		quiet  *route.Quiet
		region string
		now    string
		want   string // "" is let go
	}{
		"before midnight":                            {night, "CN", "2026-05-01T22:30:00+08:00", "2026-05-02T08:00:00+08:00"},
		"after midnight":                             {night, "CN", "2026-05-02T03:00:00+08:00", "2026-05-02T08:00:00+08:00"},
		"the first minute":                           {night, "CN", "2026-05-01T22:00:00+08:00", "2026-05-02T08:00:00+08:00"},
		"the last":                                   {night, "CN", "2026-05-02T07:59:59+08:00", "2026-05-02T08:00:00+08:00"},
		"the end":                                    {night, "CN", "2026-05-02T08:00:00+08:00", ""},
		"by day":                                     {night, "CN", "2026-05-01T21:59:59+08:00", ""},
		"the recipient's zone, not the route's":      {night, "JP", "2026-05-01T23:30:00+09:00", "2026-05-02T08:00:00+09:00"},
		"several zones: the route's":                 {night, "US", "2026-05-01T23:30:00-04:00", "2026-05-02T08:00:00-04:00"},
		"no region: the route's":                     {night, "", "2026-05-01T23:30:00-04:00", "2026-05-02T08:00:00-04:00"},
		"within a day":                               {noon, "CN", "2026-05-01T12:10:00+08:00", "2026-05-01T14:30:00+08:00"},
		"within a day, over":                         {noon, "CN", "2026-05-01T14:30:00+08:00", ""},
		"the night that is an hour shorter":          {night, "DE", "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		"the night that is an hour longer":           {night, "DE", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		"an end that the clock skips":                {&route.Quiet{From: "22:00", To: "02:30", Zone: "UTC", Mode: route.Hold}, "DE", "2026-03-28T23:00:00+01:00", "2026-03-29T03:30:00+02:00"},
		"the hour that comes twice":                  {&route.Quiet{From: "22:00", To: "01:30", Zone: "America/New_York", Mode: route.Hold}, "US", "2026-11-01T01:15:00-05:00", "2026-11-01T01:30:00-05:00"},
		"a midnight that the clock skips":            {&route.Quiet{From: "22:00", To: "00:30", Zone: "America/Havana", Mode: route.Hold}, "", "2026-03-07T23:45:00-05:00", "2026-03-08T01:30:00-04:00"},
		"the last day of a year":                     {night, "CN", "2026-12-31T23:00:00+08:00", "2027-01-01T08:00:00+08:00"},
		"hours of no length":                         {&route.Quiet{From: "08:00", To: "08:00", Zone: "UTC", Mode: route.Hold}, "CN", "2026-05-01T08:00:00+08:00", ""},
		"hours that cannot be read hold nobody back": {&route.Quiet{From: "8", To: "25:00", Zone: "UTC", Mode: route.Hold}, "CN", "2026-05-01T08:00:00+08:00", ""},
	} {
		s := subject
		s.Class, s.Region = message.Marketing, c.region
		got, held := route.Holds([]route.Route{{Name: "r", Quiet: c.quiet}}, s, instant(t, c.now))
		want := route.Verdict{}
		if c.want != "" {
			want = route.Verdict{Until: instant(t, c.want), Why: route.QuietHours, Route: "r"}
		}
		if d := cmp.Diff(want, got); d != "" || held != (c.want != "") {
			t.Errorf("%s: %v %s", name, got.Until, d)
		}
	}
}

// Whoever is held is let go at the end, not a moment before, and a day at most has passed.
func TestQuietHoursEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := rapid.Custom(func(t *rapid.T) string {
			return time.Date(0, 1, 1, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"), 0, 0, time.UTC).Format("15:04")
		})
		q := &route.Quiet{From: clock.Draw(t, "from"), To: clock.Draw(t, "to"), Zone: "UTC", Mode: route.Hold}
		s := subject
		s.Class, s.Region = message.Marketing, rapid.SampledFrom([]string{"", "CN", "DE", "MA", "EG", "NP"}).Draw(t, "region")
		routes := []route.Route{{Name: "r", Quiet: q}}
		now := message.Time(rapid.Int64Range(1.7e12, 1.9e12).Draw(t, "now"))
		v, held := route.Holds(routes, s, now)
		if !held {
			return
		}
		if v.Until <= now || v.Until.Sub(now) > 50*time.Hour {
			t.Fatalf("held at %v until %v", now, v.Until)
		}
		if again, still := route.Holds(routes, s, v.Until); still {
			t.Fatalf("held until %v, and then until %v", v.Until, again.Until)
		}
	})
}

func TestWhoIsHeld(t *testing.T) {
	t.Parallel()
	now := instant(t, "2026-05-01T23:00:00+08:00")
	quiet := &route.Quiet{From: "22:00", To: "08:00", Zone: "Asia/Shanghai", Mode: route.Hold}
	drop := &route.Quiet{From: "22:00", To: "08:00", Zone: "Asia/Shanghai", Mode: route.Drop}
	ends := instant(t, "2026-05-02T08:00:00+08:00")
	silence := func(until message.Time, m route.Mode) *route.Silence { return &route.Silence{Until: until, Mode: m} }
	for name, c := range map[string]struct {
		class  message.Class
		routes []route.Route
		want   *route.Verdict
	}{
		"marketing":                          {message.Marketing, []route.Route{{Name: "r", Quiet: quiet}}, &route.Verdict{Until: ends, Why: "quiet_hours", Route: "r"}},
		"a code is not":                      {message.OTP, []route.Route{{Name: "r", Quiet: quiet}}, nil},
		"an order is not":                    {message.Transactional, []route.Route{{Name: "r", Quiet: quiet}}, nil},
		"an order is, if the route names it": {message.Transactional, []route.Route{{Name: "r", Match: route.Match{Class: message.Transactional}, Quiet: quiet}}, &route.Verdict{Until: ends, Why: "quiet_hours", Route: "r"}},
		"dropped":                            {message.Marketing, []route.Route{{Name: "r", Quiet: drop}}, &route.Verdict{Drop: true, Why: "quiet_hours", Route: "r"}},
		"the best route decides":             {message.Marketing, []route.Route{{Name: "all", Quiet: quiet}, {Name: "shop", Match: route.Match{Tenant: "shop"}, Quiet: &route.Quiet{From: "01:00", To: "02:00", Zone: "UTC", Mode: route.Hold}}}, nil},
		"silenced, codes too":                {message.OTP, []route.Route{{Name: "s", Silence: silence(now+1, route.Hold)}}, &route.Verdict{Until: now + 1, Why: "silenced", Route: "s"}},
		"the silence is over":                {message.OTP, []route.Route{{Name: "s", Silence: silence(now, route.Hold)}}, nil},
		"a silence of others":                {message.OTP, []route.Route{{Name: "s", Match: route.Match{Tenant: "bank"}, Silence: silence(now+1, route.Hold)}}, nil},
		"every silence counts":               {message.OTP, []route.Route{{Name: "a", Match: route.Match{Tenant: "shop"}, Silence: silence(now+1, route.Hold)}, {Name: "b", Silence: silence(now+9, route.Hold)}}, &route.Verdict{Until: now + 9, Why: "silenced", Route: "b"}},
		"of silences one drops":              {message.OTP, []route.Route{{Name: "a", Silence: silence(now+9, route.Hold)}, {Name: "b", Silence: silence(now+1, route.Drop)}}, &route.Verdict{Drop: true, Why: "silenced", Route: "b"}},
	} {
		s := subject
		s.Class = c.class
		got, held := route.Holds(c.routes, s, now)
		want := route.Verdict{}
		if c.want != nil {
			want = *c.want
		}
		if d := cmp.Diff(want, got); d != "" || held != (c.want != nil) {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestWhomAnAccountCarries(t *testing.T) {
	t.Parallel()
	routes := []route.Route{
		{Name: "by country", Match: route.Match{Channel: message.SMS}, NoFailover: true, Accounts: []route.Weighted{{Account: "cn", Regions: []string{"CN"}}, {Account: "shop", Tenants: []string{"shop"}}, {Account: "us", Regions: []string{"US", "CA"}}}},
		{Name: "rest", Accounts: []route.Weighted{{Account: "world"}}},
	}
	candidates := []route.Candidate{{Account: "cn"}, {Account: "shop"}, {Account: "us"}, {Account: "world"}}
	for name, c := range map[string]struct {
		s    route.Subject
		want route.Choice
	}{
		"country and tenant": {subject, route.Choice{Accounts: []string{"cn", "shop"}, Route: "by country", Fixed: true}},
		"a country":          {route.Subject{Tenant: "bank", Channel: message.SMS, Region: "CA"}, route.Choice{Accounts: []string{"us"}, Route: "by country", Fixed: true}},
		"nobody's: the next": {route.Subject{Tenant: "bank", Channel: message.SMS, Region: "FR"}, route.Choice{Accounts: []string{"world"}, Route: "rest"}},
	} {
		if d := cmp.Diff(c.want, route.Accounts(routes, c.s, candidates, untried, 0)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// Every zone of the table exists, and no country of several has one.
func TestZones(t *testing.T) {
	t.Parallel()
	known := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			zone := route.Zone(string([]rune{a, b}))
			if _, err := time.LoadLocation(zone); err != nil {
				t.Error(err)
			}
			if zone != "" {
				known++
			}
		}
	}
	for _, several := range []string{"", "US", "CA", "BR", "RU", "AU", "MX", "ID", "KZ", "MN"} {
		if route.Zone(several) != "" {
			t.Errorf("%q has one zone", several)
		}
	}
	if known < 70 {
		t.Errorf("%d countries", known)
	}
}
