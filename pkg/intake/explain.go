package intake

import (
	"context"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Explanation is what would become of one message, and why.
type Explanation struct {
	Message  message.Message
	To       message.Address
	Content  message.Content
	Segments *template.Segments // of an SMS
	// Stopped is the suppression that would hold it back; Duplicate the message that it would be answered
	// with, until WindowEnds.
	Stopped    *suppress.Entry
	Duplicate  *store.Record
	WindowEnds message.Time
	// Accounts is the order in which accounts would be tried; Route the route that says so, "" for none.
	Accounts []string
	Route    string
	// Held tells that a route would hold it back; nil where it would go out at once.
	Held *route.Verdict
	// Refused is the budget or the cap that Send would refuse it for right now.
	Refused *problem.Error
	// Barred are the accounts that are on but cannot carry it, by name.
	Barred map[string]config.Bar
	// Cost is the first account's price of it, in Currency; 0 where no price is set.
	Cost     float64
	Currency string
	Warnings []string
}

// Explain says what Send would do, and sends nothing, writes nothing.
func (in *Intake) Explain(ctx context.Context, p tenant.Principal, req *Request) ([]Explanation, error) {
	if !p.May(tenant.Send) && !p.May(tenant.Read) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	now := in.now()
	pl, err := in.plan(ctx, p, req, now)
	if err != nil {
		return nil, err
	}
	routes, err := in.Config.Routes(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]Explanation, 0, len(pl.drafts))
	for _, d := range pl.drafts {
		held, err := in.foresee(ctx, p, now, d)
		if err != nil {
			return nil, err
		}
		e := Explanation{Message: d.Message, To: d.To, Content: d.content, Stopped: told(p, d), Warnings: d.warnings,
			Duplicate: held.Record, WindowEnds: held.WindowEnds}
		accounts, err := in.Config.Accounts(ctx, d.Message.Channel)
		if err != nil {
			return nil, unavailable(err)
		}
		bars, err := config.Bars(ctx, accounts, in.Providers.Get, d.Message.Template, in.Config.Bindings)
		if err != nil {
			return nil, unavailable(err)
		}
		e.choose(routes, d, accounts, bars)
		if err := in.wayOut(ctx, &e); err != nil {
			return nil, unavailable(err)
		}
		if v, held := route.Holds(routes, d.subject, max(now, d.Message.SendAt)); held {
			e.Held = &v
		} else if e.Held, err = in.broke(ctx, now, d, &e); err != nil {
			return nil, unavailable(err)
		}
		if e.Refused, err = in.foretell(ctx, now, d); err != nil {
			return nil, unavailable(err)
		}
		out = append(out, e)
	}
	return out, nil
}

// told is the suppression that stops a draft, as the principal may know of it: what holds for everybody may come from
// another tenant's message.
func told(p tenant.Principal, d *planned) *suppress.Entry {
	e := d.stopped
	if e == nil || e.Tenant == d.Message.Tenant || p.May(tenant.Operate) {
		return e
	}
	if _, err := message.ParseID(e.Source); err != nil {
		return e
	}
	bare := *e
	bare.Source, bare.Note = "", ""
	return &bare
}

// wayOut warns of marketing mail that nobody can opt out of by a click.
func (in *Intake) wayOut(ctx context.Context, e *Explanation) error {
	m := &e.Message
	if m.Channel != message.Email || !m.Class.Defaults().Unsubscribe || strings.HasPrefix(in.PublicURL, "https://") {
		return nil
	}
	bound := config.Bindings{}
	if m.Template.Name != "" && len(e.Accounts) > 0 {
		var err error
		if bound, err = in.Config.Bindings(ctx, m.Template); err != nil {
			return err
		}
	}
	if len(e.Accounts) == 0 || bound[e.Accounts[0]].Fields[provider.BindingUnsubscribe] == "" {
		e.Warnings = append(slices.Clone(e.Warnings), "the mail has no List-Unsubscribe, which mailbox providers ask of marketing: no public https address is set (NOTIFY_PUBLIC_URL), and the template's binding names none (list_unsubscribe)")
	}
	return nil
}

// foresee looks at what the store would find: the message that holds the content window, else a suppression,
// which ends this one.
func (in *Intake) foresee(ctx context.Context, p tenant.Principal, now message.Time, d *planned) (store.Verdict, error) {
	held, err := in.Store.Peek(ctx, p, now, &d.Draft)
	if err != nil {
		return held, unavailable(err)
	}
	if d.Guarded && held.Record == nil {
		err = in.suppress(ctx, d)
	}
	return held, err
}

// choose fills in what the route decides, and its price.
func (e *Explanation) choose(routes []route.Route, d *planned, accounts []config.Account, bars map[string]config.Bar) {
	units := 1.0
	if d.Message.Channel == message.SMS {
		s := template.CountSegments(d.content.Text)
		e.Segments, units = &s, float64(s.Count)
	}
	byName := map[string]config.Account{}
	var candidates []route.Candidate
	for _, a := range accounts {
		switch bar := bars[a.Name]; {
		case a.Off:
		case bar != "":
			if e.Barred == nil {
				e.Barred = map[string]config.Bar{}
			}
			e.Barred[a.Name] = bar
		default:
			byName[a.Name] = a
			candidates = append(candidates, route.Candidate{Account: a.Name})
		}
	}
	c := route.Accounts(routes, d.subject, candidates, func(string) bool { return false }, 0)
	e.Accounts, e.Route = c.Accounts, c.Route
	if len(c.Accounts) > 0 {
		first := byName[c.Accounts[0]]
		e.Cost, e.Currency = first.Price*units, first.Currency
	}
}
