package sim

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

var tenants = [...]string{"shop", "bank"}

// templates of every tenant; each has as many versions as there are texts.
var templates = [...]struct {
	name  string
	class message.Class
}{{"code", message.OTP}, {"order", message.Transactional}, {"promo", message.Marketing}}

const versions = 2

// text is what a version of a template says: the oracle's own rendering.
func text(owner, name string, version int, code string) string {
	return fmt.Sprintf("%s %s v%d: %s", owner, name, version, code)
}

// found makes the world as the operators set it up, before anything can go wrong.
func (w *world) found() {
	ctx := context.Background()
	s, err := store.Open(ctx, w.disk, keeper{w}, start, store.Options{DueShards: 2, ListShards: 1, Random: w.random})
	if err != nil {
		panic(err)
	}
	w.raw = s
	for _, d := range w.documents() {
		if _, err := s.PutDoc(ctx, tenant.System("sim"), start, d); err != nil {
			panic(err)
		}
	}
}

func (w *world) documents() []store.Doc {
	var out []store.Doc
	add := func(k store.Kind, name, owner string, body any) {
		b, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		out = append(out, store.Doc{Kind: k, Name: name, Tenant: owner, Body: b})
	}
	for _, owner := range tenants {
		add(store.Tenants, owner, "", w.tenant(owner))
		for _, t := range templates {
			for v := range versions {
				add(store.TemplateVersions, config.VersionName(owner, t.name, v+1), owner, version(owner, t.name, t.class, v+1))
			}
			add(store.Templates, owner+"/"+t.name, owner, head(owner, t.name, t.class, 1))
		}
	}
	add(store.Settings, config.SettingsName, "", config.Settings{Codes: w.codes()})
	accounts := []string{"sms-a", "sms-b", "mail-a", "mallory"}
	if w.dedup {
		accounts = append(accounts, "sms-k")
	}
	if w.named {
		accounts = append(accounts, "sms-n")
	}
	for _, name := range accounts {
		add(store.Accounts, name, "", w.account(name, name == "mallory"))
	}
	if e, there := w.hook(); there {
		add(store.Endpoints, e.Tenant+"/"+e.Name, e.Tenant, e)
	}
	add(store.Routes, "reach", "", route.Route{Name: "reach", Strategy: route.Fallback,
		Steps: []route.Step{{Channel: message.SMS, WaitSeconds: []int{0, 60, 1200}[w.chance.IntN(3)]}, {Channel: message.Email}}})
	add(store.Routes, "carry", "", w.carry())
	return out
}

// tenant is a tenant: of budgets, of people who look at each other's campaigns.
func (w *world) tenant(name string) tenant.Tenant {
	t := tenant.Tenant{Name: name, Owner: tenant.Owner{Name: "ann"}, FreeContent: true, Region: "CN", Locale: "en"}
	if w.parts&Budgets != 0 && name == tenants[0] {
		t.PerDay, t.PerMonth, t.Currency = dayMost, monthMost, "CNY"
	}
	if w.approves() {
		t.ApproveOver = approveOver
	}
	return t
}

// account is an account as it is configured.
func (w *world) account(name string, off bool) config.Account {
	a := config.Account{Name: name, Provider: "plain", Channel: message.SMS, Off: off}
	switch name {
	case "mail-a":
		a.Channel = message.Email
	case "sms-k":
		a.Provider = "keyed"
	case "sms-n":
		a.Provider = "named"
	}
	if w.parts&Budgets != 0 {
		a.Price, a.Currency = price, "CNY"
	}
	return a
}

// carry is the route of the text messages: an order of accounts, or weights.
func (w *world) carry() route.Route {
	r := route.Route{Name: "carry", Match: route.Match{Channel: message.SMS}, Cap: w.frequency()}
	for _, i := range w.chance.Perm(4) {
		a := route.Weighted{Account: []string{"sms-a", "sms-b", "sms-k", "sms-n"}[i]}
		if w.seedIsOdd() {
			a.Weight = 1 + i
		}
		r.Accounts = append(r.Accounts, a)
	}
	if w.percent(30) { // nothing to fail over to: every attempt is at one provider
		r.Accounts = []route.Weighted{{Account: "sms-a"}}
	}
	return r
}

func (w *world) seedIsOdd() bool { return w.Seed%2 == 1 }

func version(owner, name string, class message.Class, v int) template.Template {
	t := template.Template{Name: name, Tenant: owner, Version: v, Class: class, Variables: []template.Variable{{Name: "code"}}}
	says := text(owner, name, v, "{{code}}")
	t.Variants = []template.Variant{{Channel: message.SMS, Locale: "en", Text: says}, {Channel: message.Email, Locale: "en", Subject: "hello", Text: says}}
	if class == message.OTP {
		t.DedupExclude = []string{"code"}
	}
	return t
}

func head(owner, name string, class message.Class, published int) config.Template {
	return config.Template{Name: name, Tenant: owner, Class: class, Latest: versions, Published: published}
}
