package operate

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// sampleAddress is an address of a kind that belongs to nobody who could mind: 138 0013 8000 is China
// Mobile's own, example.com is RFC 2606's.
var sampleAddress = map[message.AddressKind]string{
	message.Phone:   "+8613800138000",
	message.Mail:    "someone@example.com",
	message.URL:     "https://example.com/hook",
	message.Token:   "device-token",
	message.Account: "ops-alerts",
}

// try makes a request out of the tenant's own first published template, so that a new key can be tried
// by pasting one line. Nil when the key does not send, or there is no template; a fault only means that.
func (o *Operate) try(ctx context.Context, k tenant.Key) map[string]any {
	if k.Tenant == "" || !tenant.Of(k).May(tenant.Send) {
		return nil
	}
	heads, err := list[config.Template](ctx, o, tenant.System("operate"), store.Templates)
	if err != nil {
		return nil
	}
	for _, h := range heads {
		if h.Body.Tenant != k.Tenant || h.Body.Published == 0 {
			continue
		}
		v, err := o.version(ctx, h.Body.Tenant, h.Body.Name, h.Body.Published)
		if err != nil || len(v.Body.Variants) == 0 {
			continue
		}
		ch := v.Body.Variants[0].Channel
		known, _, err := o.Catalog.Channel(ctx, ch)
		if err != nil {
			return nil
		}
		out := map[string]any{"template": v.Body.Name, "channel": ch, "to": cmp.Or(known.Example, sampleAddress[known.Address])}
		if vars := exampleVars(v.Body); len(vars) > 0 {
			out["vars"] = vars
		}
		return out
	}
	return nil
}

// exampleVars are the declared examples, as values of their types.
func exampleVars(t template.Template) map[string]any {
	out := map[string]any{}
	for _, v := range t.Variables {
		if x, ok := example(v); ok {
			out[v.Name] = x
		}
	}
	return out
}

func example(v template.Variable) (any, bool) {
	if v.Example == "" {
		return nil, false
	}
	switch v.Type {
	case "number":
		return json.Number(v.Example), json.Valid([]byte(v.Example))
	case "boolean":
		return v.Example == "true", true
	case "list":
		var entries []any
		err := json.Unmarshal([]byte(v.Example), &entries)
		return entries, err == nil
	}
	return v.Example, true
}
