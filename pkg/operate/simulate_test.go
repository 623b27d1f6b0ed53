package operate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// sent keeps a message of so long ago.
func (w *world) sent(t *testing.T, of string, ago time.Duration, n int, change func(*message.Message)) {
	t.Helper()
	at := message.At(clock.Add(-ago))
	ulid := message.ULIDFloor(at)[:20] + fmt.Sprintf("%06d", n)
	m := message.Message{ID: message.NewID(w.docs.Partition(message.Phone, fmt.Sprint(n), 1, ""), ulid), Tenant: of, Channel: message.SMS, Class: message.Marketing,
		Template: message.Ref{Tenant: of, Name: "sale", Version: 1, Locale: "en"}, Region: "CN", Created: at, Expires: at.Add(time.Hour)}
	change(&m)
	_, err := w.docs.Accept(t.Context(), tenant.System("test"), at, &store.Draft{Message: message.New(m, at), To: "+8613800138000", Vars: []byte(`{}`)})
	ok(t, err)
}

func TestSimulateRoute(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	_, err := w.PutTenant(ctx, admin, tenant.Tenant{Name: "bank", Owner: tenant.Owner{Name: "Han", Email: "han@example.com"}}, operate.Change{})
	ok(t, err)
	for _, name := range []string{"a1", "a2"} {
		_, err := w.PutAccount(ctx, admin, operate.AccountRequest{Account: config.Account{Name: name, Provider: "devinbox", Channel: message.SMS}}, operate.Change{})
		ok(t, err)
	}
	none := func(*message.Message) {}
	for n := range 20 {
		w.sent(t, "shop", time.Duration(n)*time.Minute, n, none)
	}
	w.sent(t, "shop", 2*time.Hour, 100, none) // too long ago
	w.sent(t, "bank", time.Minute, 101, none)
	w.sent(t, "shop", time.Minute, 102, func(m *message.Message) { m.Class = message.OTP })
	a2 := []route.Weighted{{Account: "a2"}}
	first, second := operate.Fate{Account: "a1"}, operate.Fate{Account: "a2", Route: "r"}

	simulate := func(r route.Route) operate.Simulation {
		t.Helper()
		s, err := w.SimulateRoute(ctx, ops, r)
		ok(t, err)
		if n := len(s.Examples); n != min(s.Changed, 20) {
			t.Errorf("%d examples of %d", n, s.Changed)
		}
		s.Examples = nil
		return s
	}
	from, to := message.At(clock.Add(-time.Hour)), message.At(clock)
	for name, c := range map[string]struct {
		draft route.Route
		want  operate.Simulation
	}{
		"another account": {route.Route{Name: "r", Accounts: a2},
			operate.Simulation{From: from, To: to, Messages: 22, Changed: 22, Moves: []operate.Move{{first, second, 22}}}},
		"of one tenant": {route.Route{Name: "r", Match: route.Match{Tenant: "bank"}, Accounts: a2},
			operate.Simulation{From: from, To: to, Messages: 1, Changed: 1, Moves: []operate.Move{{first, second, 1}}}},
		"nothing new": {route.Route{Name: "r", Accounts: []route.Weighted{{Account: "a1"}}},
			operate.Simulation{From: from, To: to, Messages: 22}},
		// It is 10:44 to 11:04 in China.
		"quiet hours": {route.Route{Name: "r", Quiet: &route.Quiet{From: "10:00", To: "11:00", Zone: "UTC", Mode: route.Drop}},
			operate.Simulation{From: from, To: to, Messages: 22, Changed: 15, Moves: []operate.Move{{first, operate.Fate{Held: "quiet_hours", Drop: true, Route: "r"}, 15}}}},
	} {
		if d := cmp.Diff(c.want, simulate(c.draft)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}

	// The draft takes the place of the route of its name, and whom that one let go counts too.
	_, err = w.PutRoute(ctx, ops, route.Route{Name: "r", Accounts: a2}, operate.Change{})
	ok(t, err)
	s := simulate(route.Route{Name: "r", Match: route.Match{Tenant: "bank"}, Accounts: a2})
	if d := cmp.Diff([]operate.Move{{second, first, 21}}, s.Moves); d != "" || s.Messages != 22 {
		t.Error(d, s.Messages)
	}
	if routes, err := w.Routes(ctx, ops); err != nil || len(routes) != 1 || routes[0].Version != 1 {
		t.Errorf("a simulation has written: %v %+v", err, routes)
	}
}
