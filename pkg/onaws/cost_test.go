package onaws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/cost"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// What docs/cost.md and `notify bench cost` say that a message uses is what is counted here.
func TestCost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var docs []store.Doc
	for name, body := range map[string]string{
		"shop/code@000001": `{"tenant":"shop","name":"code","version":1,"class":"otp","variables":[{"name":"n","type":"string"}],"variants":[{"channel":"email","locale":"en","subject":"code","text":"{{n}}"}]}`,
		"shop/code":        `{"name":"code","tenant":"shop","class":"otp","latest":1,"published":1}`,
	} {
		kind := store.Templates
		if strings.Contains(name, "@") {
			kind = store.TemplateVersions
		}
		docs = append(docs, store.Doc{Kind: kind, Name: name, Tenant: "shop", Body: []byte(body)})
	}
	docs = append(docs, store.Doc{Kind: store.Accounts, Name: "mail", Body: []byte(`{"name":"mail","provider":"smtp","channel":"email","config":{"host":"mail.example.com","from":"shop@example.com"}}`)})
	if err := r.aws.Store.AddDocs(t.Context(), tenant.System("test"), message.At(time.Now()), docs...); err != nil {
		t.Fatal(err)
	}
	code := func(n int) *intake.Request { // caps are on persons: a webhook is none. Its lane has no queue here, but is asked
		req := r.request(n)
		req.Template, req.Channel, req.To = "code", message.Email, intake.To{One: fmt.Sprintf("user%d@example.com", n)}
		return req
	}
	r.send(t, r.request(0)) // configuration, templates and data keys are read once for all
	r.send(t, code(1))
	deliver := func(items []queue.Item) {
		for _, it := range items {
			if again := r.delivery.Handle(t.Context(), []queue.Item{it}); len(again) > 0 {
				t.Error("not delivered")
			}
		}
	}
	deliver(r.drain(t))
	use := func(do func()) cost.Use {
		_, units, lines := r.of(do)
		u := cost.Use{Writes: units, Reads: r.reads}
		for name, n := range r.calls {
			if strings.HasPrefix(name, "DynamoDB ") {
				u.Store += n
			} else if strings.HasPrefix(name, "SQS ") {
				u.Queue += n
			}
		}
		t.Log(lines)
		return u
	}
	for i, k := range cost.Kinds() {
		req := r.request(100 + i)
		switch k.Name {
		case "key":
			req.IdempotencyKey, req.Hash = "key", []byte("hash")
		case "code":
			req = code(100 + i)
		}
		if got := use(func() { r.send(t, req) }); got != k.Accept {
			t.Errorf("%s: accepting uses %+v, and %+v is said", k.Name, got, k.Accept)
		}
		items := r.drain(t)
		if k.Name == "code" { // delivered as any other
			if len(items) > 0 || k.Deliver != cost.Kinds()[0].Deliver {
				t.Errorf("%d messages, %+v", len(items), k.Deliver)
			}
			continue
		}
		if got := use(func() { deliver(items) }); got != k.Deliver || len(items) != 1 {
			t.Errorf("%s: delivering %d uses %+v, and %+v is said", k.Name, len(items), got, k.Deliver)
		}
	}
}
