package intaketest

import (
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Principal is that of a tenant's key.
func Principal(name string, live bool, scopes ...tenant.Scope) tenant.Principal {
	return tenant.Of(tenant.Key{Tenant: name, ID: "key0000001", Live: live, Scopes: scopes})
}

// The principals that most tests use. Shop is in China, writes English, and may send free content; bank
// may not.
var (
	Shop     = Principal("shop", true, tenant.Send, tenant.Read)
	ShopTest = Principal("shop", false, tenant.Send, tenant.Read)
	Bank     = Principal("bank", true, tenant.Send, tenant.Read)
	Operator = Principal("ops", true, tenant.Send, tenant.Operate)
	Root     = Principal("", true, tenant.Admin)
)

func (w *World) seed() {
	w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang"}, FreeContent: true, Region: "CN", Locale: "en"})
	w.Put(store.Tenants, "bank", "bank", tenant.Tenant{Name: "bank", Owner: tenant.Owner{Name: "Li"}, Region: "CN", Locale: "zh"})
	w.Put(store.Tenants, "ops", "ops", tenant.Tenant{Name: "ops", Owner: tenant.Owner{Name: "Zhao"}})
	w.Put(store.Tenants, "closed", "closed", tenant.Tenant{Name: "closed", Disabled: true})
	for _, t := range templates() {
		published := t.Version
		if t.Name == "draft" {
			published = 0
		}
		w.Template(t, published)
	}
	for _, a := range []config.Account{
		{Name: "sms-a", Provider: "devinbox", Channel: message.SMS, Price: 0.05, Currency: "CNY"},
		{Name: "sms-b", Provider: "devinbox", Channel: message.SMS, Price: 0.04, Currency: "CNY"},
		{Name: "sms-off", Provider: "devinbox", Channel: message.SMS, Off: true},
		{Name: "mail", Provider: "devinbox", Channel: message.Email},
		{Name: "feishu", Provider: "devinbox", Channel: message.Feishu},
		{Name: "whatsapp", Provider: "devinbox", Channel: message.WhatsApp},
		{Name: "hook", Provider: "webhook", Channel: message.Webhook},
		{Name: "pager", Provider: "pager", Channel: "pager"},
		{Name: "push-off", Provider: "devinbox", Channel: message.Push, Off: true},
	} {
		w.Put(store.Accounts, a.Name, "", a)
	}
}

// Template writes a version of a template and says which one is published; 0 is none.
func (w *World) Template(t template.Template, published int) {
	w.Helper()
	if _, faults := template.Compile(t); len(faults) > 0 {
		w.Fatalf("template %s: %+v", t.Name, faults)
	}
	w.Put(store.TemplateVersions, config.VersionName(t.Tenant, t.Name, t.Version), t.Tenant, t)
	w.Put(store.Templates, t.Tenant+"/"+t.Name, t.Tenant,
		config.Template{Name: t.Name, Tenant: t.Tenant, Class: t.Class, Shared: t.Shared, Latest: t.Version, Published: published})
}

func templates() []template.Template {
	code := template.Variable{Name: "code", MaxLength: 8, Pattern: "[0-9]{4,8}", Secret: true}
	name := template.Variable{Name: "name", MaxLength: 50}
	hello := []template.Variant{
		{Channel: message.SMS, Locale: "en", Text: "[Shop] Hello {{name}}"}, {Channel: message.SMS, Locale: "zh", Text: "【商城】您好{{name}}"},
		{Channel: message.Email, Locale: "en", Subject: "Hello {{name}}", Text: "Hello {{name}}"},
		{Channel: message.WhatsApp, Locale: "en", Text: "Hello {{name}}"},
		{Channel: message.Feishu, Locale: "en", Title: "Hello", Text: "Hello {{name}}"},
		{Channel: message.Push, Locale: "en", Title: "Hello", Text: "Hello {{name}}"},
		{Channel: message.Webhook, Locale: "en", Data: `{"hello":"{{name}}"}`},
		{Channel: "pager", Locale: "en", Text: "Hello {{name}}"},
	}
	return []template.Template{
		{Tenant: "shop", Name: "login", Version: 1, Class: message.OTP, DedupExclude: []string{"code"}, Variables: []template.Variable{code},
			Variants: []template.Variant{{Channel: message.SMS, Locale: "en", Text: "[Shop] Your code is {{code}}."}, {Channel: message.Email, Locale: "en", Subject: "Code", Text: "{{code}}"}}},
		{Tenant: "shop", Name: "hello", Version: 1, Class: message.Transactional, Variables: []template.Variable{name}, Variants: hello},
		{Tenant: "shop", Name: "promo", Version: 1, Class: message.Marketing, Variables: []template.Variable{name}, Variants: hello},
		{Tenant: "shop", Name: "draft", Version: 1, Class: message.Transactional, Variables: []template.Variable{name}, Variants: hello},
		{Tenant: "shop", Name: "bill", Version: 1, Class: message.Transactional,
			Variables: []template.Variable{{Name: "amount", Type: "number"}, {Name: "lines", Type: "list", Optional: true, MaxLength: 1000}},
			Variants:  []template.Variant{{Channel: message.SMS, Locale: "en", Text: "[Shop] You pay {{amount}}.{{#lines}} {{sku}}{{/lines}}"}}},
		{Tenant: "bank", Name: "notice", Version: 1, Class: message.Transactional, Shared: true, Variables: []template.Variable{name}, Variants: hello},
		{Tenant: "bank", Name: "private", Version: 1, Class: message.Transactional, Variables: []template.Variable{name}, Variants: hello},
	}
}
