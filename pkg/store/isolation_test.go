package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// principals are who may and who may not touch what belongs to the tenant shop.
func principals() map[string]struct {
	p   tenant.Principal
	may bool
} {
	of := func(name string, live bool, scopes ...tenant.Scope) tenant.Principal {
		return tenant.Of(tenant.Key{Tenant: name, ID: "k", Live: live, Scopes: scopes})
	}
	return map[string]struct {
		p   tenant.Principal
		may bool
	}{
		"own":                {shop, true},
		"own test key":       {of("shop", false, tenant.Send), true},
		"operator":           {of("ops", true, tenant.Operate), true},
		"operator of none":   {of("", true, tenant.Operate), true},
		"admin":              {of("ops", true, tenant.Admin), true},
		"worker":             {sys, true},
		"person of the two":  {tenant.Person(tenant.User{Name: "li", Role: tenant.RoleDeveloper, Tenants: []string{"bank", "shop"}}), true},
		"person of another":  {tenant.Person(tenant.User{Name: "li", Role: tenant.RoleDeveloper, Tenants: []string{"bank"}}), false},
		"another":            {of("bank", true, tenant.Send, tenant.Read), false},
		"another's test key": {of("bank", false, tenant.Send), false},
		"of none":            {of("", true, tenant.Send, tenant.Read), false},
		"zero":               {tenant.Principal{}, false},
	}
}

func TestEveryMethodKnowsThePrincipal(t *testing.T) {
	t.Parallel()
	for name, who := range principals() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for method, try := range methods() {
				w := newWorld(t)
				r, kept := w.furnish()
				before := w.sql.Stats().Commits
				saw, err := try(w, who.p, r, kept)
				switch {
				case err != nil && !errors.Is(err, store.ErrNotFound):
					t.Errorf("%s: %v", method, err)
				case saw != who.may:
					t.Errorf("%s: seen %t, want %t", method, saw, who.may)
				case !who.may && w.sql.Stats().Commits != before:
					t.Errorf("%s: something was written", method)
				}
			}
		})
	}
}

// Support reads what every tenant owns and changes nothing.
func TestSupportReads(t *testing.T) {
	t.Parallel()
	changes := []string{"Accept", "OpenGroup", "SaveGroup", "Save", "Update", "Release", "PutDoc", "PutSuppression", "AddSuppression", "LiftSuppression", "Finish"}
	support := tenant.Person(tenant.User{Name: "li", Role: tenant.RoleSupport})
	for method, try := range methods() {
		w := newWorld(t)
		r, kept := w.furnish()
		before := w.sql.Stats().Commits
		saw, err := try(w, support, r, kept)
		switch change := slices.Contains(changes, method); {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			t.Errorf("%s: %v", method, err)
		case saw == change:
			t.Errorf("%s: seen %t", method, saw)
		case w.sql.Stats().Commits != before:
			t.Errorf("%s: something was written", method)
		}
	}
}

var entry = suppress.Entry{Tenant: "shop", Reason: suppress.Manual, Masked: "x", At: t0}

// furnish gives the tenant shop one of everything.
func (w *world) furnish() (*store.Record, store.Group) {
	w.Helper()
	r := accept(w, w.Store, t0, w.draft(anna, t0, key("k", "h"), func(d *store.Draft) { d.Message.Reference = "order-1" })).Record
	w.apply(t0, accept(w, w.Store, t0, w.draft("+8613800138001", t0)).Record, message.Poison{})
	g, _, err := w.OpenGroup(w.Context(), shop, t0, store.Group{ID: store.GroupPrefix + newULID(t0), Tenant: "shop", Kind: store.GroupList, Created: t0}, nil, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	if err := w.PutSuppression(w.Context(), sys, t0, message.Phone, anna, entry); err != nil {
		w.Fatal(err)
	}
	return r, g
}

// methods say of every method whether a principal got to a message of the tenant shop.
func methods() map[string]func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
	found := func(f store.Found, err error) (bool, error) {
		return len(f.Records)+len(f.Bad) > 0, err
	}
	return map[string]func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error){
		"Accept": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			v, err := w.Accept(w.Context(), p, t0, w.draft(anna, t0, key("k2", "h")))
			return len(v) > 0, err
		},
		"Peek": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			v, err := w.Peek(w.Context(), p, t0, w.draft(anna, t0))
			return v.Record != nil, err
		},
		"ByKey": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			r, _, err := w.ByKey(w.Context(), p, t0, "shop", &store.KeyClaim{Key: "k", Hash: []byte("h")})
			return r != nil, err
		},
		"OpenGroup": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			g.ID = store.GroupPrefix + newULID(t0)
			_, _, err := w.OpenGroup(w.Context(), p, t0, g, nil, time.Hour)
			return err == nil, err
		},
		"Group": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			got, err := w.Group(w.Context(), p, g.ID)
			return got.ID != "", err
		},
		"SaveGroup": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			_, err := w.SaveGroup(w.Context(), p, t0, g, time.Hour)
			return err == nil, err
		},
		"Message": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			got, err := w.Message(w.Context(), p, r.ID)
			return got != nil, err
		},
		"Messages": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			got, bad, err := w.Messages(w.Context(), p, r.ID)
			return got[0] != nil || len(bad) > 0, err
		},
		"Save": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			_, err := w.Save(w.Context(), p, t0, r, r.Message)
			return err == nil, err
		},
		"Update": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			got, err := w.Update(w.Context(), p, t0, r, message.Cancel{})
			return err == nil && got.Status == message.Cancelled, err
		},
		"Release": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			if err := w.Release(w.Context(), p, t0, r); err != nil {
				return false, err
			}
			v, err := w.Peek(w.Context(), shop, t0, w.draft(anna, t0))
			return v.Record == nil, err
		},
		"ByRecipient": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			return found(w.ByRecipient(w.Context(), p, r.ID.Partition(), store.Range{}, 10, ""))
		},
		"ByReference": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			return found(w.ByReference(w.Context(), p, "shop", "order-1", store.Range{}, 10, ""))
		},
		"ByTenant": func(w *world, p tenant.Principal, _ *store.Record, _ store.Group) (saw bool, err error) {
			for shard := range w.ListShards() {
				f, e := w.ByTenant(w.Context(), p, "shop", store.Day(t0), shard, store.Range{}, 10, "")
				saw, err = saw || len(f.Records) > 0, errors.Join(err, e)
			}
			return saw, err
		},
		"Troubles": func(w *world, p tenant.Principal, r *store.Record, g store.Group) (bool, error) {
			return found(w.Troubles(w.Context(), p, "shop", store.Day(t0), store.Range{}, 10, ""))
		},
		"PutDoc": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			_, err := w.PutDoc(w.Context(), p, t0, store.Doc{Kind: store.Templates, Name: "shop/x", Tenant: "shop", Body: []byte("{}")})
			return err == nil, err
		},
		"PutSuppression": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			err := w.PutSuppression(w.Context(), p, t0, message.Phone, anna, entry)
			return err == nil, err
		},
		"AddSuppression": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			news := entry
			news.Reason = suppress.OptOut
			return w.AddSuppression(w.Context(), p, t0, message.Phone, anna, news)
		},
		"Finish": func(w *world, p tenant.Principal, r *store.Record, _ store.Group) (bool, error) {
			_, err := w.Finish(w.Context(), p, t0, r, message.Cancel{}, store.Trail{Account: "a", ProviderID: "p"})
			return err == nil, err
		},
		"LiftSuppression": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			err := w.LiftSuppression(w.Context(), p, t0, message.Phone, anna, entry, suppress.Lift{At: t0})
			return err == nil, err
		},
		"ListSuppressions": func(w *world, p tenant.Principal, _ *store.Record, g store.Group) (bool, error) {
			got, _, err := w.ListSuppressions(w.Context(), p, 10, "")
			return len(got) > 0, err
		},
	}
}

// What is the whole installation's is operators' only.
func TestInstallationWide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	global := suppress.Entry{Reason: suppress.Bounce, Masked: "+86138****8000", At: t0}
	if err := w.PutSuppression(t.Context(), sys, t0, message.Phone, anna, global); err != nil {
		t.Fatal(err)
	}
	for name, who := range principals() {
		operates := who.p.May(tenant.Operate)
		got, _, err := w.ListSuppressions(t.Context(), who.p, 10, "")
		if err != nil || (len(got) > 0) != operates {
			t.Errorf("%s lists %d, %v", name, len(got), err)
		}
		if err := w.PutSuppression(t.Context(), who.p, t0, message.Mail, "a@example.com", global); (err == nil) != operates {
			t.Errorf("%s puts: %v", name, err)
		}
		if err := w.LiftSuppression(t.Context(), who.p, t0, message.Mail, "a@example.com", global, suppress.Lift{At: t0}); operates && err != nil || !operates && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s deletes: %v", name, err)
		}
		if _, err := w.PutDoc(t.Context(), who.p, t0, store.Doc{Kind: store.Routes, Name: fmt.Sprintf("r-%s", name), Body: []byte("{}")}); (err == nil) != operates {
			t.Errorf("%s puts a route: %v", name, err)
		}
	}
}

// A record that cannot be read belongs to nobody: a search by recipient, who may have messages of many
// tenants, does not tell its id to one of them.
func TestUnreadableIsTheOperators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	k := store.Key{PK: "m#" + r.ID.Partition(), SK: r.ID.ULID()}
	if _, err := w.db.Write(t.Context(), t0, []store.Op{{Item: store.Item{Key: k, Rev: 9, Data: []byte("{")}}}); err != nil {
		t.Fatal(err)
	}
	for name, who := range principals() {
		f, err := w.ByRecipient(t.Context(), who.p, r.ID.Partition(), store.Range{}, 10, "")
		if err != nil || len(f.Records) > 0 || (len(f.Bad) == 1) != who.p.May(tenant.Operate) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	var u *store.Unreadable
	if _, err := w.Message(t.Context(), sys, r.ID); !errors.As(err, &u) || u.ID != r.ID {
		t.Error(err)
	}
}

func TestNoSuchID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	got, bad, err := w.Messages(t.Context(), shop, "", r.ID, r.ID, "")
	if err != nil || len(bad) > 0 || len(got) != 4 || got[0] != nil || got[1] == nil || got[2] == nil || got[3] != nil {
		t.Errorf("%v, %v, %v", got, bad, err)
	}
	if got, _, err := w.Messages(t.Context(), shop, ""); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for _, id := range []string{"", "grp_", "x", "grp_\x00", "grp_" + string(make([]byte, 600)), "grp_é", r.ID.ULID(), "grp_" + r.ID.ULID() + "0", "grp_" + r.ID.ULID()} {
		if _, err := w.Group(t.Context(), shop, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("group %q: %v", id, err)
		}
	}
}
