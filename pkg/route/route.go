// Package route is the operators' strategy: which channels a message takes and which accounts carry it.
// It is pure: which accounts are healthy, and chance, are arguments.
package route

import (
	"cmp"
	"slices"

	"github.com/opennotify/notify/pkg/message"
)

// Strategy says how the channels of a route are used for one person.
type Strategy string

// The strategies.
const (
	One      Strategy = "one"      // the first channel that the person has an address for
	Fallback Strategy = "fallback" // one after the other, until one delivers
	All      Strategy = "all"      // every channel
)

// ValidStrategy tells whether s is one of them.
func ValidStrategy(s Strategy) bool { return s == One || s == Fallback || s == All }

// Route is a strategy for the messages that match. Of the routes that match, the one that says most about
// the message decides; Steps and Accounts are looked up apart, so a route may say only one of them.
type Route struct {
	Name  string `json:"name"`
	Match Match  `json:"match,omitzero"`
	// Strategy and Steps choose channels for requests that name none.
	Strategy Strategy `json:"strategy,omitzero"`
	Steps    []Step   `json:"steps,omitzero"`
	// Accounts chooses who carries the channel: in this order, or by weight if any is above 0.
	Accounts []Weighted `json:"accounts,omitzero"`
	// NoFailover keeps a message with the account that it was given first: another is never tried.
	NoFailover bool `json:"no_failover,omitzero"`
	// DedupSeconds replaces the class's content window; -1 switches it off, 0 keeps the default.
	DedupSeconds int `json:"dedup_seconds,omitzero"`
	// InDoubt replaces the policy for attempts that are left without an answer; "" keeps it.
	InDoubt message.InDoubtPolicy `json:"in_doubt,omitzero"`
	// Quiet, Cap and Silence hold messages back: hours, a frequency, a stop until an end.
	Quiet   *Quiet   `json:"quiet,omitzero"`
	Cap     *Cap     `json:"cap,omitzero"`
	Silence *Silence `json:"silence,omitzero"`
}

// Match says which messages a route is for; an empty field matches all.
type Match struct {
	Tenant   string          `json:"tenant,omitzero"`
	Template string          `json:"template,omitzero"` // name, or tenant/name
	Class    message.Class   `json:"class,omitzero"`
	Channel  message.Channel `json:"channel,omitzero"`
	Region   string          `json:"region,omitzero"` // of a phone number
}

// Step is one channel of a strategy.
type Step struct {
	Channel message.Channel `json:"channel"`
	// WaitSeconds is how long after sent a receipt is waited for before the next step of a fallback goes;
	// 0: sent is enough.
	WaitSeconds int `json:"wait_seconds,omitzero"`
}

// Weighted is an account and its share.
type Weighted struct {
	Account string `json:"account"`
	Weight  int    `json:"weight,omitzero"`
	// Regions and Tenants say whom it carries; without them, everybody.
	Regions []string `json:"regions,omitzero"` // of phone numbers, ISO 3166
	Tenants []string `json:"tenants,omitzero"`
}

// carries tells whether the account is for a message.
func (w Weighted) carries(s Subject) bool {
	return (len(w.Regions) == 0 || slices.Contains(w.Regions, s.Region)) && (len(w.Tenants) == 0 || slices.Contains(w.Tenants, s.Tenant))
}

// Subject is what routes are matched against.
type Subject struct {
	Tenant, TemplateTenant, Template string
	Class                            message.Class
	Channel                          message.Channel // "" while it is being chosen
	Region                           string
}

// score is how much a route says about a subject; -1 when it is not for it.
func (m Match) score(s Subject) int {
	total := 0
	for _, f := range []struct {
		want, have string
		worth      int
	}{
		{m.Template, s.Template, 16}, {m.Tenant, s.Tenant, 8}, {m.Region, s.Region, 4},
		{string(m.Class), string(s.Class), 2}, {string(m.Channel), string(s.Channel), 1},
	} {
		switch {
		case f.want == "":
		case f.want == f.have, f.worth == 16 && f.want == s.TemplateTenant+"/"+s.Template:
			total += f.worth
		default:
			return -1
		}
	}
	return total
}

// best is the route that says most among those that match and that has what is asked for.
func best(routes []Route, s Subject, has func(Route) bool) (Route, bool) {
	found, top := Route{}, -1
	for _, r := range routes {
		if n := r.Match.score(s); n >= 0 && has(r) && (n > top || n == top && r.Name < found.Name) {
			found, top = r, n
		}
	}
	return found, top >= 0
}

// Channels gives the strategy and its steps for a request that names no channel; false when no route
// says any.
func Channels(routes []Route, s Subject) (Route, bool) {
	return best(routes, s, func(r Route) bool { return len(r.Steps) > 0 })
}

// DedupSeconds is what the best route says of the content window; 0 when none does.
func DedupSeconds(routes []Route, s Subject) int {
	r, _ := best(routes, s, func(r Route) bool { return r.DedupSeconds != 0 })
	return r.DedupSeconds
}

// InDoubt is what the best route says of attempts without an answer; "" when none does.
func InDoubt(routes []Route, s Subject) message.InDoubtPolicy {
	r, _ := best(routes, s, func(r Route) bool { return r.InDoubt != "" })
	return r.InDoubt
}

// Candidate is an account that could carry a message.
type Candidate struct {
	Account string
	// Down tells that it is off or its breaker is open.
	Down bool
}

// Choice is the order in which accounts are to be tried, and why.
type Choice struct {
	Accounts []string
	Route    string // the route that decided; "" when none did
	// Fixed tells that only the first of Accounts may be tried.
	Fixed bool
}

// Accounts orders the candidates of a channel. Accounts that are down come last, so that a message is
// still tried when all look alike; tried ones come after those that were not. r is in [0,1).
func Accounts(routes []Route, s Subject, candidates []Candidate, tried func(account string) bool, r float64) Choice {
	chosen, ok := best(routes, s, func(rt Route) bool {
		return slices.ContainsFunc(rt.Accounts, func(w Weighted) bool { return w.carries(s) })
	})
	byName := map[string]Candidate{}
	for _, c := range candidates {
		byName[c.Account] = c
	}
	var order []Weighted
	if ok {
		for _, w := range chosen.Accounts {
			if _, has := byName[w.Account]; has && w.carries(s) && !slices.ContainsFunc(order, func(o Weighted) bool { return o.Account == w.Account }) {
				order = append(order, w)
			}
		}
	}
	choice := Choice{Route: chosen.Name, Fixed: chosen.NoFailover}
	if len(order) == 0 {
		choice.Route, choice.Fixed = "", false
		for _, c := range candidates {
			order = append(order, Weighted{Account: c.Account})
		}
		slices.SortFunc(order, func(a, b Weighted) int { return cmp.Compare(a.Account, b.Account) })
	}
	rank := func(w Weighted) int {
		n := 0
		if byName[w.Account].Down {
			n += 2
		}
		if tried(w.Account) {
			n++
		}
		return n
	}
	slices.SortStableFunc(order, func(a, b Weighted) int { return cmp.Compare(rank(a), rank(b)) })
	first := slices.IndexFunc(order, func(w Weighted) bool { return rank(w) != rank(order[0]) })
	if first < 0 {
		first = len(order)
	}
	order = append(draw(order[:first], r), order[first:]...)
	for _, w := range order {
		choice.Accounts = append(choice.Accounts, w.Account)
	}
	return choice
}

// draw moves one account to the front by weight; without weights the order stays.
func draw(order []Weighted, r float64) []Weighted {
	total := 0
	for _, w := range order {
		total += max(w.Weight, 0)
	}
	if total == 0 {
		return order
	}
	at := int(r * float64(total))
	for i, w := range order {
		if at -= max(w.Weight, 0); at < 0 {
			return append([]Weighted{w}, slices.Delete(slices.Clone(order), i, i+1)...)
		}
	}
	return order
}
