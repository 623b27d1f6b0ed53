package trace

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

const hook, bot, otherMobile = "https://hooks.example.com/orders", "ops-alerts", "+8613900139000"

// kept is a message of the random world, and what it was typed as.
type kept struct {
	message.Message
	to string
}

// fillRandom keeps n messages of all kinds, many of them in the same few milliseconds.
func fillRandom(w *world, n int) (all []kept) {
	pick := func(of ...string) string { return of[w.rand.IntN(len(of))] }
	for range n {
		to := pick(mobile, otherMobile, mailbox, hook, hook, bot, bot)
		ch := message.Channel(pick("sms", "whatsapp"))
		switch to {
		case mailbox:
			ch = message.Email
		case hook:
			ch = message.Webhook
		case bot:
			ch = message.Channel(pick("feishu", "slack", "wechat"))
		}
		status := message.Status(pick("failed", "dead", "delivered", "expired", "simulated", "bounced"))
		at := t0 - message.Time(w.rand.IntN(12))*oneDay - message.Time(w.rand.IntN(3))
		m := message.Message{Tenant: pick("order", "order", "market"), Channel: ch, Class: message.Class(pick("otp", "marketing")), Created: at,
			Template: message.Ref{Tenant: pick("order", "market"), Name: pick("a", "b"), Version: 1},
			Base:     status, Status: status, Reference: pick("", "", "r1", "r2")}
		all = append(all, kept{w.accept(m, to, "{}", nil).Message, to})
	}
	return all
}

// expected is the brute force: every message that fits, the newest first.
func expected(p tenant.Principal, f Filter, all []kept, from message.Time) (ids []message.ID) {
	for _, k := range all {
		fits := p.Sees(k.Tenant) && k.ID.Created() >= from && (f.To.IsZero() || k.ID.Created() < message.At(f.To)) &&
			(f.Recipient == "" || f.Recipient == k.to) && (f.Tenant == "" || f.Tenant == k.Tenant) && (f.Channel == "" || f.Channel == k.Channel) &&
			(f.Status == "" || f.Status == k.Status) && (f.Class == "" || f.Class == k.Class) && (f.Reference == "" || f.Reference == k.Reference) &&
			(f.Template == "" || f.Template == k.Template.Name || f.Template == k.Template.Tenant+"/"+k.Template.Name)
		if fits {
			ids = append(ids, k.ID)
		}
	}
	slices.SortFunc(ids, newer)
	return ids
}

// Over all pages of any search there are no gaps and no repeats, whatever the budget, and every page comes
// further.
func TestSearchFindsAllOnce(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 3} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shards)
			all := fillRandom(w, 100)
			rapid.Check(t, func(t *rapid.T) {
				p := rapid.SampledFrom([]tenant.Principal{operator(), readerOf("order"), readerOf("market"), readerOf("login"), tenant.System("x")}).Draw(t, "principal")
				f := Filter{
					Recipient: rapid.SampledFrom([]string{"", "", mobile, otherMobile, mailbox, hook, bot}).Draw(t, "recipient"),
					Channel:   rapid.SampledFrom([]message.Channel{"", "", "sms", "feishu", "webhook"}).Draw(t, "channel"),
					Status:    rapid.SampledFrom([]message.Status{"", "", "failed", "bounced", "delivered"}).Draw(t, "status"),
					Class:     rapid.SampledFrom([]message.Class{"", "", "otp"}).Draw(t, "class"),
					Template:  rapid.SampledFrom([]string{"", "", "a", "market/b"}).Draw(t, "template"),
					Reference: rapid.SampledFrom([]string{"", "", "r1"}).Draw(t, "reference"),
					Limit:     rapid.SampledFrom([]int{1, 3, 20, 200}).Draw(t, "limit"),
				}
				if p.Tenant == "" && rapid.Bool().Draw(t, "of a tenant") {
					f.Tenant = "order"
				}
				if rapid.Bool().Draw(t, "bounded") {
					f.From = (t0 - message.Time(rapid.IntRange(4, 40).Draw(t, "from"))*oneDay).Std()
					f.To = (t0 - message.Time(rapid.IntRange(0, 3).Draw(t, "to"))*oneDay).Std()
				}
				w := &world{TB: w, Trace: &Trace{Ports: w.Ports, budget: rapid.SampledFrom([]int{1, 2, 7, 50, maxLook}).Draw(t, "budget")}}
				if f.Channel != "" && f.Recipient != "" { // the way in which it is read must be the channel's
					info, _ := f.Channel.Info()
					if _, err := w.Addresses.Normalise(info.Address, f.Recipient, "CN"); err != nil {
						f.Channel = ""
					}
				}
				w.follow(t, p, f, all)
			})
		})
	}
}

// follow reads all pages and compares them with the brute force.
func (w *world) follow(t *rapid.T, p tenant.Principal, f Filter, all []kept) {
	var got []message.ID
	var last cursor
	searched := 0
	for range 2 * len(all) {
		page, err := w.Search(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			got = append(got, r.ID)
		}
		searched += page.Searched
		if len(page.Records) > f.Limit {
			t.Fatalf("a page of %d", len(page.Records))
		}
		if page.Next == "" {
			if diff := cmp.Diff(expected(p, f, all, page.From), got); diff != "" {
				t.Fatalf("%s index: %s", page.Index, diff)
			}
			if searched < len(got) || page.None != nil && len(got) > 0 {
				t.Fatalf("searched %d, found %d, none is %v", searched, len(got), page.None)
			}
			return
		}
		next, err := readCursor(page.Next, page.Index)
		if err != nil {
			t.Fatal(err)
		}
		if next.Before != "" && !slices.ContainsFunc(all, func(k kept) bool { return k.ID == next.Before && p.Sees(k.Tenant) }) {
			t.Fatal("the cursor names another tenant's message")
		}
		if next == last {
			t.Fatal("the search stands still")
		}
		f.Cursor, last = page.Next, next
	}
	t.Fatal("the search does not end")
}

func TestSearchReadsEverySpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.doc(store.Tenants, "overseas", tenant.Tenant{Name: "overseas", Region: "US"})
	sms := w.accept(message.Message{Tenant: "order"}, mobile, "{}", nil)
	mail := w.accept(message.Message{Tenant: "order", Channel: message.Email}, "Wang@Example.com", "{}", nil)
	us := w.accept(message.Message{Tenant: "overseas"}, "+12015550123", "{}", nil)
	alias := w.accept(message.Message{Tenant: "order", Channel: message.Feishu}, "13800138000", "{}", nil)
	push := w.accept(message.Message{Tenant: "order", Channel: "carrier-pigeon"}, "loft-7", "{}", nil)
	for _, c := range []struct {
		typed string
		f     Filter
		want  []message.ID
	}{
		{typed: "+86 138-0013-8000", want: []message.ID{sms.ID}},
		{typed: "１３８ ００１３ ８０００", want: []message.ID{sms.ID}},
		{typed: "008613800138000", want: []message.ID{sms.ID}},
		{typed: "13800138000", want: []message.ID{sms.ID, alias.ID}},
		{typed: "13800138000", f: Filter{Channel: message.SMS}, want: []message.ID{sms.ID}},
		{typed: " wang@EXAMPLE.com ", want: []message.ID{mail.ID}},
		{typed: "(201) 555-0123", f: Filter{Tenant: "overseas"}, want: []message.ID{us.ID}},
		{typed: "loft-7", f: Filter{Channel: "carrier-pigeon"}, want: []message.ID{push.ID}},
	} {
		c.f.Recipient = c.typed
		page, err := w.Search(t.Context(), operator(), c.f)
		if err != nil {
			t.Errorf("%q: %v", c.typed, err)
			continue
		}
		got := map[message.ID]bool{}
		for _, r := range page.Records {
			got[r.ID] = true
		}
		want := map[message.ID]bool{}
		for _, id := range c.want {
			want[id] = true
		}
		if diff := cmp.Diff(want, got); diff != "" || page.Index != ByRecipient {
			t.Errorf("%q: %s %s", c.typed, page.Index, diff)
		}
	}
}

func TestSearchShowsNoAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.accept(message.Message{Tenant: "order", Owner: "Wang"}, mobile, "{}", nil)
	page, err := w.Search(t.Context(), readerOf("order"), Filter{Recipient: mobile})
	if err != nil || len(page.Records) != 1 || page.Searched != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	r := page.Records[0]
	if r.To != "+86138****8000" || r.Owner != "Wang" || r.Verdict.Code != "queued" {
		t.Errorf("%+v", r)
	}
	if s := fmt.Sprintf("%+v", page); strings.Contains(s, mobile) {
		t.Errorf("the address is in %s", s)
	}
	if page.From != t0+message.At(time.UnixMilli(int64(slack/time.Millisecond)))-180*oneDay || page.To != t0 {
		t.Errorf("searched from %v to %v", page.From, page.To)
	}
}

func TestSearchSaysWhenThereIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.accept(message.Message{Tenant: "order"}, mobile, "{}", nil)
	for _, c := range []struct {
		p    tenant.Principal
		f    Filter
		want string
	}{
		{operator(), Filter{Recipient: otherMobile}, "none"},
		{readerOf("market"), Filter{Recipient: mobile}, "none"},
		{operator(), Filter{Recipient: mobile, Status: message.Dead}, "none_matching"},
		{operator(), Filter{Status: message.Dead}, "none_matching"},
		{operator(), Filter{Recipient: mobile}, ""},
	} {
		page, err := w.Search(t.Context(), c.p, c.f)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if page.None != nil {
			got = page.None.Code
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}

// One damaged record hides no other, and of one whose tenant cannot be known only operators hear.
func TestSearchPassesDamage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	good := w.accept(message.Message{Tenant: "order"}, mobile, "{}", nil)
	hurt := w.accept(message.Message{Tenant: "order", Created: t0 - second}, mobile, "{}", nil)
	key := store.Key{PK: "m#" + hurt.ID.Partition(), SK: hurt.ID.ULID()}
	items, err := w.store.Driver().Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	items[0].Data = []byte("{")
	if _, err := w.store.Driver().Write(t.Context(), t0, []store.Op{{Item: *items[0]}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    tenant.Principal
		f    Filter
		want []message.ID
	}{
		{operator(), Filter{}, []message.ID{hurt.ID}},
		{readerOf("order"), Filter{}, []message.ID{hurt.ID}},
		{operator(), Filter{Recipient: mobile}, []message.ID{hurt.ID}},
		{readerOf("order"), Filter{Recipient: mobile}, nil},
		{readerOf("market"), Filter{Recipient: mobile}, nil},
	} {
		page, err := w.Search(t.Context(), c.p, c.f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, page.Unreadable); diff != "" {
			t.Errorf("%s %+v: %s", c.p.Name, c.f, diff)
		}
		if found := len(page.Records) == 1 && page.Records[0].ID == good.ID; found != c.p.Sees("order") {
			t.Errorf("%s %+v: %d records", c.p.Name, c.f, len(page.Records))
		}
	}
	if _, err := w.Get(t.Context(), operator(), string(hurt.ID)); problem.From(err).Code != problem.Internal {
		t.Errorf("get: %v", err)
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for i := range 3 {
		w.accept(message.Message{Tenant: "order", Created: t0 - message.Time(i)}, mobile, "{}", nil)
	}
	page, err := w.Search(t.Context(), operator(), Filter{Tenant: "order", Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	forge := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	day := t0.Std()
	for _, c := range []struct {
		p       tenant.Principal
		f       Filter
		pointer string
	}{
		{operator(), Filter{Limit: 201}, "/limit"},
		{operator(), Filter{Limit: -1}, "/limit"},
		{operator(), Filter{Status: "lost"}, "/status"},
		{operator(), Filter{Class: "urgent"}, "/class"},
		{operator(), Filter{Channel: "SMS!"}, "/channel"},
		{operator(), Filter{Tenant: "Order"}, "/tenant"},
		{operator(), Filter{From: day, To: day}, "/from"},
		{operator(), Filter{From: time.Unix(0, 0)}, "/from"},
		{operator(), Filter{Recipient: "12"}, ""}, // an alias may be so short
		{operator(), Filter{Recipient: "  "}, "/recipient"},
		{operator(), Filter{Recipient: "张三"}, "/recipient"},
		{operator(), Filter{Recipient: strings.Repeat("1", 5000)}, "/recipient"},
		{operator(), Filter{Recipient: "13", Channel: message.SMS}, "/recipient"},
		{readerOf("order"), Filter{Tenant: "market"}, "/tenant"},
		{readerOf("order"), Filter{Tenant: "no-such"}, "/tenant"},
		{readerOf(""), Filter{}, "/tenant"},
		{operator(), Filter{Cursor: "x"}, "/cursor"},
		{operator(), Filter{Cursor: page.Next + "A"}, "/cursor"},
		{operator(), Filter{Cursor: page.Next, Recipient: mobile}, "/cursor"},
		{operator(), Filter{Cursor: strings.Repeat("A", 2000)}, "/cursor"},
		{operator(), Filter{Cursor: forge(`{"v":2,"i":"tenant","f":1,"t":2}`)}, "/cursor"},
		{operator(), Filter{Cursor: forge(`{"v":1,"i":"tenant","f":3,"t":2}`)}, "/cursor"},
		{operator(), Filter{Cursor: forge(`{"v":1,"i":"tenant","f":1,"t":2,"b":"msg_x"}`)}, "/cursor"},
		{operator(), Filter{Cursor: forge(`{"v":1,"i":"tenant","f":1,"t":2,"x":1}`)}, "/cursor"},
		{operator(), Filter{Cursor: forge(`{"v":1,"i":"tenant","f":1,"t":281474976710656}`)}, ""}, // reads no further than now
	} {
		_, err := w.Search(t.Context(), c.p, c.f)
		var p *problem.Error
		switch {
		case c.pointer == "" && err != nil:
			t.Errorf("%+v: %v", c.f, err)
		case c.pointer == "":
		case !errors.As(err, &p) || p.Code != problem.InvalidRequest || p.Fields[0].Pointer != c.pointer:
			t.Errorf("%+v: %v, want a fault at %s", c.f, err, c.pointer)
		case c.f.Recipient != "" && len(c.f.Recipient) > 2 && strings.Contains(p.Error(), c.f.Recipient):
			t.Errorf("the error repeats the recipient: %v", p)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{Version: 1, Index: ByTenant, From: 1, To: 2}.String())
	id := message.NewID("0123456789abcdefghjkmnpq0", message.ULIDFloor(t0))
	f.Add(cursor{Version: 1, Index: ByTenant, From: 1, To: t0 + 1, Before: id}.String())
	f.Fuzz(func(t *testing.T, s string) {
		c, err := readCursor(s, ByTenant)
		if err != nil {
			if problem.From(err).Fields[0].Pointer != "/cursor" {
				t.Fatal(err)
			}
			return
		}
		if again, err := readCursor(c.String(), ByTenant); err != nil || again != c {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
	})
}

// TestOwnChannel: messages of a recipe's channel are found by the address as it is typed, with the channel and
// without, also when the recipe is gone.
func TestOwnChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	own := &provider.Own{Name: "flare", Address: "[0-9]{2} [0-9]{4}|<[a-z]+>", Example: "07 1234", Content: message.PlainText}
	w.Providers.(providers)["flare"] = provider.Descriptor{Name: "flare", Own: own}
	const to = "07 1234"
	ulid := w.ulid(w.now)
	m := message.New(message.Message{ID: message.NewID(w.store.Partition(message.Account, to, 1, ulid), ulid), Tenant: "order", Channel: "flare",
		Class: message.Transactional, Created: w.now, Expires: w.now + oneDay, Free: true}, w.now)
	if _, err := w.store.Accept(t.Context(), tenant.System("test"), w.now, &store.Draft{Message: m, To: to, Content: &message.Content{Text: "x"}}); err != nil {
		t.Fatal(err)
	}
	found := func(f Filter, want int) {
		t.Helper()
		page, err := w.Search(t.Context(), tenant.System("test"), f)
		if err != nil || len(page.Records) != want || want > 0 && page.Records[0].ID != m.ID {
			t.Errorf("%+v: %+v %v", f, page, err)
		}
	}
	found(Filter{Recipient: " " + to, Channel: "flare"}, 1)
	found(Filter{Recipient: to}, 1)
	found(Filter{Recipient: "<abc>"}, 0)
	_, err := w.Search(t.Context(), tenant.System("test"), Filter{Recipient: "7", Channel: "flare"})
	if p := problem.From(err); len(p.Fields) != 1 || !strings.Contains(p.Fields[0].Detail, "such as 07 1234") {
		t.Errorf("%v", err)
	}
	delete(w.Providers.(providers), "flare")
	found(Filter{Channel: "flare"}, 1)
}

// The messages of a run are found by it, and only they: not what else was accepted in its instant, and not by
// who may not see it.
func TestSearchByRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	at := t0 - 3*oneDay
	j, _, err := w.store.AddJob(t.Context(), tenant.System("schedule"), t0, store.Job{ID: "run_1", Kind: "run", Tenant: "order", Created: at})
	if err != nil {
		t.Fatal(err)
	}
	add := func(request, to string, status message.Status) message.ID {
		return w.accept(message.Message{Tenant: "order", Channel: "sms", Class: message.Marketing, Created: at, Request: request, Base: status, Status: status}, to, "{}", nil).ID
	}
	sent, failed := add(j.ID, mobile, message.Delivered), add(j.ID, otherMobile, message.Failed)
	add("req_1", mobile, message.Failed)
	for _, tc := range []struct {
		p    tenant.Principal
		f    Filter
		want []message.ID
	}{
		{operator(), Filter{Run: j.ID}, []message.ID{sent, failed}},
		{readerOf("order"), Filter{Run: j.ID}, []message.ID{sent, failed}},
		{operator(), Filter{Run: j.ID, Status: message.Failed}, []message.ID{failed}},
		{operator(), Filter{Run: j.ID, Recipient: mobile}, []message.ID{sent}},
		{readerOf("market"), Filter{Run: j.ID}, nil},
		{operator(), Filter{Run: "run_2"}, nil},
		{operator(), Filter{Run: j.ID, Tenant: "market"}, nil},
		{operator(), Filter{Run: j.ID, From: t0.Std()}, nil},
	} {
		page, err := w.Search(t.Context(), tc.p, tc.f)
		if tc.want == nil {
			if p := problem.From(err); err == nil || p.Code != problem.InvalidRequest || p.Fields[0].Pointer != "/run" {
				t.Errorf("%+v: %v", tc.f, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(tc.f, err)
		}
		var got []message.ID
		for _, m := range page.Records {
			got = append(got, m.ID)
		}
		slices.SortFunc(got, newer)
		slices.SortFunc(tc.want, newer)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%+v: %v, want %v", tc.f, got, tc.want)
		}
	}
}
