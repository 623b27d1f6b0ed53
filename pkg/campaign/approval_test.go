package campaign_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

// approved is a world whose tenant wants a second person for more than one recipient, and a campaign to four.
func approved(t *testing.T) (w *world, id, upload string) {
	w = newWorld(t)
	w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Region: "CN", Locale: "en", Owner: tenant.Owner{Name: "Wang"}, ApproveOver: 1})
	w.Config.Changed(store.Tenants)
	upload = w.upload(list(4))
	return w, w.create(hello(upload)).ID, upload
}

func (w *world) waits(id string) {
	w.t.Helper()
	w.work(3 * time.Second)
	if r := w.run(id); r.State != "waiting" || len(w.messages(id)) != 0 {
		w.t.Errorf("nobody said that it may go, and it is %s with %d messages", r.State, len(w.messages(id)))
	}
	if _, err := w.camp.SendRun(w.t.Context(), tenant.Of(tenant.Key{Tenant: "shop", ID: "other", Live: true, Scopes: []tenant.Scope{tenant.Send}}), id, "looks right"); err != nil {
		w.t.Fatal(err)
	}
}

// A campaign that is paused while it is weighed waits for the word that it needs: to resume it is another one.
func TestPauseIsNoApproval(t *testing.T) {
	t.Parallel()
	w, id, _ := approved(t)
	paused := false
	w.fault = func(call string) (f storetest.Fault) {
		if call == "Write" && !paused && strings.Contains(string(w.job(id).Cursor), `"weighing"`) {
			paused = true
			f.Hold = func(context.Context) {
				if _, err := w.camp.PauseRun(t.Context(), shop, id, "wait"); err != nil {
					t.Error(err)
				}
			}
		}
		return f
	}
	w.work(3 * time.Second)
	if _, err := w.camp.ResumeRun(t.Context(), shop, id, ""); problem.From(err).Code != problem.NotAllowedNow || !paused {
		t.Error("its author lets it go:", err)
	}
	w.waits(id)
}

// Whoever sends or resumes a campaign while it is weighed does not let it go though it waits a moment later.
func TestWordThatComesEarly(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(w *world, id string) error{
		"send":   func(w *world, id string) error { _, err := w.camp.SendRun(t.Context(), shop, id, ""); return err },
		"resume": func(w *world, id string) error { _, err := w.camp.ResumeRun(t.Context(), shop, id, ""); return err },
	} {
		w, id, _ := approved(t)
		gets := 0
		w.fault = func(call string) (f storetest.Fault) {
			if gets++; call == "Get" && gets == 2 { // between the look at the run and the word
				f.Hold = func(context.Context) { w.work(3 * time.Second) }
			}
			return f
		}
		if err := say(w, id); problem.From(err).Code != problem.NotAllowedNow || gets < 2 {
			t.Error(name, "lets it go:", err)
		}
		w.fault = nil
		w.waits(id)
	}
}

// What was weighed is what is sent, whatever is put under the address of the upload afterwards.
func TestUploadIsPinned(t *testing.T) {
	t.Parallel()
	w, id, upload := approved(t)
	w.work(3 * time.Second)
	if err := w.blobs.Put(t.Context(), "uploads/shop/"+upload, []byte(list(9))); err != nil {
		t.Fatal(err)
	}
	w.waits(id)
	w.work(3 * time.Second)
	if n := len(w.messages(id)); n != 4 {
		t.Errorf("%d messages", n)
	}
}
