package route_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
)

var subject = route.Subject{Tenant: "shop", TemplateTenant: "lib", Template: "login", Class: message.OTP, Channel: message.SMS, Region: "CN"}

func TestTheMostSpecificDecides(t *testing.T) {
	t.Parallel()
	steps := []route.Step{{Channel: message.SMS}}
	r := func(name string, m route.Match) route.Route { return route.Route{Name: name, Match: m, Steps: steps} }
	order := []route.Route{ // each beats all behind it
		r("template and all", route.Match{Template: "login", Tenant: "shop", Region: "CN", Class: message.OTP, Channel: message.SMS}),
		r("template, tenant", route.Match{Template: "lib/login", Tenant: "shop"}),
		r("template", route.Match{Template: "login"}),
		r("tenant and the rest", route.Match{Tenant: "shop", Region: "CN", Class: message.OTP, Channel: message.SMS}),
		r("tenant", route.Match{Tenant: "shop"}),
		r("region, class", route.Match{Region: "CN", Class: message.OTP}),
		r("region", route.Match{Region: "CN"}),
		r("class", route.Match{Class: message.OTP}),
		r("channel", route.Match{Channel: message.SMS}),
		r("a", route.Match{}),
		r("b", route.Match{}),
	}
	for i := range order {
		have := slices.Clone(order[i:])
		rand.New(rand.NewPCG(1, uint64(i))).Shuffle(len(have), func(a, b int) { have[a], have[b] = have[b], have[a] })
		if got, ok := route.Channels(have, subject); !ok || got.Name != order[i].Name {
			t.Errorf("%s instead of %s", got.Name, order[i].Name)
		}
	}
	for name, m := range map[string]route.Match{
		"tenant": {Tenant: "bank"}, "template": {Template: "logout"}, "template's tenant": {Template: "shop/login"}, "class": {Class: message.Marketing},
		"channel": {Channel: message.Email}, "region": {Region: "US"}, "one of many": {Template: "login", Tenant: "shop", Region: "US"},
	} {
		if got, ok := route.Channels([]route.Route{r(name, m)}, subject); ok {
			t.Errorf("%s matches", got.Name)
		}
	}
}

// Steps, accounts and windows are looked up apart: a better route that says nothing of them is passed over.
func TestLookedUpApart(t *testing.T) {
	t.Parallel()
	routes := []route.Route{
		{Name: "window", Match: route.Match{Template: "login"}, DedupSeconds: -1},
		{Name: "steps", Match: route.Match{Tenant: "shop"}, Steps: []route.Step{{Channel: message.SMS}}},
		{Name: "accounts", Accounts: []route.Weighted{{Account: "b"}}},
	}
	rt, _ := route.Channels(routes, subject)
	c := route.Accounts(routes, subject, []route.Candidate{{Account: "a"}, {Account: "b"}}, untried, 0)
	if n := route.DedupSeconds(routes, subject); rt.Name != "steps" || n != -1 || c.Route != "accounts" || !slices.Equal(c.Accounts, []string{"b"}) {
		t.Errorf("%s %d %+v", rt.Name, n, c)
	}
	if n := route.DedupSeconds(routes, route.Subject{}); n != 0 {
		t.Error(n)
	}
	if _, ok := route.Channels(routes, route.Subject{}); ok {
		t.Error("a route for nobody")
	}
}

func untried(string) bool { return false }

func TestOrder(t *testing.T) {
	t.Parallel()
	by := func(accounts ...route.Weighted) []route.Route { return []route.Route{{Name: "r", Accounts: accounts}} }
	all := []route.Candidate{{Account: "a"}, {Account: "b"}, {Account: "c", Down: true}, {Account: "d"}}
	for name, c := range map[string]struct {
		routes []route.Route
		r      float64
		tried  string
		want   []string
		route  string
	}{
		"no route: by name, the one down last": {nil, 0.9, "", []string{"a", "b", "d", "c"}, ""},
		"the route's order":                    {by(route.Weighted{Account: "d"}, route.Weighted{Account: "b"}), 0.9, "", []string{"d", "b"}, "r"},
		"unknown accounts, twice":              {by(route.Weighted{Account: "x"}, route.Weighted{Account: "b"}, route.Weighted{Account: "b"}), 0, "", []string{"b"}, "r"},
		"only unknown accounts":                {by(route.Weighted{Account: "x"}), 0, "", []string{"a", "b", "d", "c"}, ""},
		"down comes last":                      {by(route.Weighted{Account: "c"}, route.Weighted{Account: "a"}), 0, "", []string{"a", "c"}, "r"},
		"all down: still tried":                {by(route.Weighted{Account: "c"}), 0, "", []string{"c"}, "r"},
		"tried comes after":                    {by(route.Weighted{Account: "d"}, route.Weighted{Account: "b"}), 0, "d", []string{"b", "d"}, "r"},
		"tried is better than down":            {by(route.Weighted{Account: "c"}, route.Weighted{Account: "a"}), 0, "a", []string{"a", "c"}, "r"},
		"weights, the first part":              {by(route.Weighted{Account: "a", Weight: 1}, route.Weighted{Account: "b", Weight: 3}), 0.24, "", []string{"a", "b"}, "r"},
		"weights, the second":                  {by(route.Weighted{Account: "a", Weight: 1}, route.Weighted{Account: "b", Weight: 3}), 0.25, "", []string{"b", "a"}, "r"},
		"a weight of 0 is a spare":             {by(route.Weighted{Account: "a"}, route.Weighted{Account: "b", Weight: 3}), 0, "", []string{"b", "a"}, "r"},
	} {
		got := route.Accounts(c.routes, subject, all, func(a string) bool { return a == c.tried }, c.r)
		if d := cmp.Diff(route.Choice{Accounts: c.want, Route: c.route}, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// The choice has the candidates that the route allows, each once; healthy ones before others; it does not
// depend on the order of routes and candidates, and changes none of them.
func TestChoice(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(t *rapid.T) {
		var candidates []route.Candidate
		down := map[string]bool{}
		for _, n := range names {
			if rapid.Bool().Draw(t, "has") {
				down[n] = rapid.Bool().Draw(t, "down")
				candidates = append(candidates, route.Candidate{Account: n, Down: down[n]})
			}
		}
		weighted := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) route.Weighted {
			return route.Weighted{Account: rapid.SampledFrom(names).Draw(t, "account"), Weight: rapid.IntRange(-1, 9).Draw(t, "weight")}
		}), 0, 6).Draw(t, "accounts")
		routes := []route.Route{{Name: "r", Accounts: weighted}, {Name: "z", Accounts: []route.Weighted{{Account: "e"}}}}
		kept := slices.Clone(weighted)
		r := rapid.Float64Range(0, 0.999999).Draw(t, "r")
		got := route.Accounts(routes, subject, candidates, untried, r)
		slices.Reverse(routes)
		slices.Reverse(candidates)
		if again := route.Accounts(routes, subject, candidates, untried, r); cmp.Diff(got, again) != "" || cmp.Diff(kept, weighted) != "" {
			t.Fatalf("%+v, then %+v", got, again)
		}
		if len(candidates) > 0 && len(got.Accounts) == 0 {
			t.Fatal("no account")
		}
		seen, sick := map[string]bool{}, false
		for _, a := range got.Accounts {
			if _, is := down[a]; !is || seen[a] {
				t.Fatalf("%v of %v", got.Accounts, candidates)
			}
			if sick && !down[a] {
				t.Fatalf("a healthy one behind: %v", got.Accounts)
			}
			seen[a], sick = true, down[a]
		}
	})
}

// Over many draws accounts come first by their weights.
func TestWeights(t *testing.T) {
	t.Parallel()
	routes := []route.Route{{Name: "r", Accounts: []route.Weighted{{Account: "a", Weight: 7}, {Account: "b", Weight: 2}, {Account: "c", Weight: 1}}}}
	first := map[string]int{}
	for i := range 1000 {
		first[route.Accounts(routes, subject, []route.Candidate{{Account: "a"}, {Account: "b"}, {Account: "c"}}, untried, float64(i)/1000).Accounts[0]]++
	}
	if d := cmp.Diff(map[string]int{"a": 700, "b": 200, "c": 100}, first); d != "" {
		t.Error(d)
	}
}
