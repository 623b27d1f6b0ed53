package deploy_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Emulators let everybody do everything, so what the functions that face outside do to the table is compared with what
// their roles may: each of these needs what is done seldom, too.
func TestRolesMayWhatIsNeeded(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	for role, does := range map[string]func(*testing.T, *intaketest.World, *store.Store){"IngestRole": ingest, "ReceiptRole": receive} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			may := granted(t, role, r.Resources[role])
			w := intaketest.New(t)
			seen := &observed{Driver: w.DB, did: map[string]bool{}}
			does(t, w, w.Open(seen))
			for _, what := range slices.Sorted(maps.Keys(seen.did)) {
				if !slices.Contains(may, role+"  dynamodb:"+what) {
					t.Errorf("%s needs dynamodb:%s", role, what)
				}
			}
			if len(seen.did) < 4 {
				t.Error("not much was done:", seen.did)
			}
		})
	}
}

// code is one without a template: it is erased with its message's end.
func code() *intake.Request {
	return &intake.Request{To: intake.To{One: "anna@example.com"}, Channel: message.Email, Class: message.OTP, Content: &message.Content{Subject: "Code", Text: "123456"}, Reference: "login 1"}
}

// ingest takes what there is of requests, to whom may be written to and to whom not, and takes back what it can.
func ingest(t *testing.T, w *intaketest.World, s *store.Store) {
	in := w.Over(s, w.Queue)
	if err := w.Store.PutSuppression(t.Context(), tenant.System("test"), w.Time(), message.Mail, "berta@example.com", suppress.Entry{Reason: suppress.Bounce, Masked: "x", At: w.Time()}); err != nil {
		t.Fatal(err)
	}
	berta := code()
	berta.To.One, berta.IdempotencyKey = "berta@example.com", "k"
	both := code()
	both.To = intake.To{List: []string{"anna@example.com", "berta@example.com"}}
	for _, req := range []*intake.Request{berta, both} {
		if _, err := in.Send(t.Context(), intaketest.Shop, req); err != nil {
			t.Error(err)
		}
	}
	req := code()
	req.To.One = "carla@example.com"
	a, err := in.Send(t.Context(), intaketest.Shop, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Cancel(t.Context(), intaketest.Shop, a.Verdicts[0].Record.ID, "a mistake"); err != nil {
		t.Error(err)
	}
	if _, err := in.Stop(t.Context(), intaketest.Shop, intake.StopFilter{Template: "hello"}, false, "a mistake"); err != nil {
		t.Error(err)
	}
}

// receive applies the receipt of a code.
func receive(t *testing.T, w *intaketest.World, s *store.Store) {
	a, err := w.Intake.Send(t.Context(), intaketest.Shop, code())
	if err != nil {
		t.Fatal(err)
	}
	worker, now := tenant.System("test"), w.Time()
	r := a.Verdicts[0].Record
	for _, e := range []message.Event{message.Lease{Account: "mail", Provider: "devinbox", Until: now.Add(message.Grace)},
		message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: "p1"}}} {
		if r, err = w.Store.Update(t.Context(), worker, now, r, e); err != nil {
			t.Fatal(err)
		}
	}
	said := message.Reported{ProviderID: "p1", Receipt: message.Receipt{State: message.ReceiptDelivered, At: now}}
	if _, err := s.Resolve(t.Context(), worker, now, "mail", "p2", said); err != nil {
		t.Error(err)
	}
	if r, err = s.Message(t.Context(), worker, r.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), worker, now, r, said); err != nil {
		t.Error(err)
	}
	if _, err := s.ByRecipient(t.Context(), worker, r.ID.Partition(), store.Range{}, 10, ""); err != nil {
		t.Error(err)
	}
	if err := s.Count(t.Context(), worker, 1, store.Tally{Minute: now, Fields: map[string]int64{"delivered": 1}}); err != nil {
		t.Error(err)
	}
}

// observed is a driver that remembers by which actions, on which resource, DynamoDB would do what it is asked for.
type observed struct {
	store.Driver
	mu  sync.Mutex
	did map[string]bool
}

func (d *observed) does(actions ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range actions {
		d.did[a] = true
	}
}

func (d *observed) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	d.does(map[bool]string{true: "GetItem  <Table.Arn>", false: "BatchGetItem  <Table.Arn>"}[len(keys) == 1])
	return d.Driver.Get(ctx, keys...)
}

func (d *observed) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	results, err := d.Driver.Write(ctx, now, sequences...)
	for i, done := range results {
		for _, op := range sequences[i][:min(done.Applied+1, len(sequences[i]))] { // the refused one was tried
			switch {
			case op.Cond == store.Vacant:
				d.does("Query  <Table.Arn>")
			case op.Delete:
				d.does("DeleteItem  <Table.Arn>")
			default:
				d.does("PutItem  <Table.Arn>")
			}
		}
	}
	return results, err
}

func (d *observed) Add(ctx context.Context, deltas ...store.Delta) ([]int64, error) {
	d.does("UpdateItem  <Table.Arn>")
	return d.Driver.Add(ctx, deltas...)
}

func (d *observed) Query(ctx context.Context, q store.Query) (store.Page, error) {
	d.does("Query  <Table.Arn>" + map[store.Index]string{store.ByList: "/index/list", store.ByDue: "/index/due", store.ByTrouble: "/index/trouble"}[q.Index])
	return d.Driver.Query(ctx, q)
}
