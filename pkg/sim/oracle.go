package sim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

// Invariant is a promise, by its name.
type Invariant string

// The promises.
const (
	Durable      Invariant = "durability"       // what was answered 2xx is in the store
	NoLoss       Invariant = "no loss"          // it comes to an end, and is not late for nothing
	Idempotent   Invariant = "idempotent"       // one key, one answer
	ContentOnce  Invariant = "content window"   // equal content inside the window is one message
	SendBound    Invariant = "send bound"       // taken at most once, and once more for each doubt or redrive
	BlindResend  Invariant = "blind resend"     // what may have been sent is not sent again but by policy
	SameKey      Invariant = "same key"         // all calls of a message carry one key
	Guarded      Invariant = "guarded call"     // no call without a lease, in time, and in a state to be sent
	SingleOwner  Invariant = "single owner"     // one lease at a time; a late writer changes nothing
	Monotone     Invariant = "monotone"         // no status falls
	ReceiptKept  Invariant = "receipt kept"     // what a provider was told 2xx for is in the record
	ReceiptScope Invariant = "receipt scope"    // and what others say is not
	Attempts     Invariant = "attempts"         // not too many, not too soon
	Schedule     Invariant = "schedule"         // not before its time, and a cancel that was confirmed holds
	Conservation Invariant = "conservation"     // what has not ended is due
	RedriveSafe  Invariant = "redrive safe"     // old hints send nothing again
	Pinned       Invariant = "pinned"           // what was accepted is what is sent
	NoLeak       Invariant = "no leak"          // no secret outside of what is sealed
	Suppressed   Invariant = "suppressed"       // what is asked for after an address was suppressed ends at once
	Isolation    Invariant = "isolation"        // no tenant touches another
	Truth        Invariant = "truth"            // the record says what happened
	Released     Invariant = "claims released"  // what ended badly may be asked for again
	DeadShown    Invariant = "dead shown"       // a dead message has a copy in the dead-letter queue
	Blanked      Invariant = "blanked"          // an ended code is erased
	Counted      Invariant = "counted"          // counters are what happened
	FallbackGoes Invariant = "fallback goes on" // the next way is tried when one failed
	Told         Invariant = "told"             // who wants to hear of a status does, once
	OneRun       Invariant = "one run"          // an instant of a schedule is one run
	OnceARun     Invariant = "once a run"       // which writes to nobody twice
	RunWhole     Invariant = "run whole"        // and leaves nobody out
	Steered      Invariant = "steered"          // and makes nothing more when it was paused or stopped
	OwnerTold    Invariant = "owner told"       // who owns a run hears that it failed
	RedriveWhole Invariant = "redrive whole"    // a redrive leaves nobody out
	Limited      Invariant = "limit"            // no second exceeds an account's
	Capped       Invariant = "cap"              // nobody gets more than is allowed
	CountedOnce  Invariant = "counted once"     // a request has one place of a cap, however often it is tried
	Budgeted     Invariant = "budget"           // no tenant sends more than his day and his money allow
	Approved     Invariant = "approved"         // what waits for a word is not sent without it
	Forgotten    Invariant = "forgotten"        // of a recipient who was erased nothing is left
	Failover     Invariant = "failover"         // messages leave an account that is down, and what died over it is tried again
)

// story is what the oracle knows of a message.
type story struct {
	m     message.Message // as it is on the disk
	rev   int64
	vars  bool
	order *order
	calls []*call
	taken int
	key   string
	lease message.Time // of the newest attempt, by its worker's clock
	// leases is when each attempt was leased, by the world's.
	leases map[int]message.Time
	// doubted are attempts that may have been taken when the next one began.
	doubted   map[int]bool
	redrives  int
	redriven  message.Time
	released  message.Time // when it first had a status that gives its claim back
	failed    message.Time // since when it is, as a run's failures are
	cancelled bool         // and somebody was told so
	accepted  bool         // a caller was told so
	heard     []provenReceipt
	turns     map[message.Time]message.Status // that somebody is to be told of
	erased    bool
	// What was taken, and how it stood, before everything was redriven.
	expected int
	atRest   message.Status
}

// call is one that a provider saw.
type call struct {
	epoch   int
	account string
	at, end message.Time // end 0: nobody heard an answer
	clock   message.Time // its caller's
	outcome message.Outcome
	redrive int // how often it was redriven before
}

type oracle struct {
	w          *world
	stories    map[message.ID]*story
	order      []*story // as they were written
	orders     map[string]*order
	keys       map[string]*answeredKey
	suppressed map[string][]stop // by the hash of the address
	violations []Violation
	log        bytes.Buffer
	counted    sums // what the changes on the disk mean
	courses    map[string]*course
	runs       []*course // as they were written
	instants   map[instant]*course
	writes     *process // the last that wrote
	again      map[string]*again
	redrives   []*again
	erasing    int // that were not answered
	bounds     bounds
}

// stop is a suppression, and since when it is on the disk. Nobody lifts one here.
type stop struct {
	suppress.Entry
	since message.Time
}

func newOracle(w *world) *oracle {
	return &oracle{w: w, stories: map[message.ID]*story{}, orders: map[string]*order{}, keys: map[string]*answeredKey{}, suppressed: map[string][]stop{}, counted: sums{},
		courses: map[string]*course{}, instants: map[instant]*course{}, again: map[string]*again{}, bounds: newBounds()}
}

func (o *oracle) violate(i Invariant, format string, args ...any) {
	if len(o.violations) < 5 {
		o.violations = append(o.violations, Violation{i, fmt.Sprintf(format, args...)})
	}
	o.w.mark("VIOLATION", string(i))
}

// tell is violate about a message.
func (o *oracle) tell(i Invariant, s *story, format string, args ...any) {
	b, _ := json.Marshal(s.m)
	o.violate(i, "%s\n\ttaken %d, redrives %d, at %s: %s", fmt.Sprintf(format, args...), s.taken, s.redrives, o.w.now, b)
}

// state is the column of the coverage that a message is in.
func (o *oracle) state(id message.ID) int {
	if s := o.stories[id]; s != nil {
		return slices.Index(message.Statuses(), s.m.Status)
	}
	return states
}

// tolerance is how far two clocks may differ.
func (o *oracle) tolerance() time.Duration { return 2 * o.w.skew }

// changed judges every change on the disk.
func (o *oracle) changed(before, after *store.Item) {
	if after != nil && (bytes.Contains(after.Data, []byte(canary)) || strings.Contains(after.PK+after.SK+after.ListSort, canary) || strings.Contains(after.PK+after.SK, digits)) {
		o.violate(NoLeak, "a secret lies open in item %s %s", after.PK, after.SK)
	}
	it := after
	if it == nil {
		it = before
	}
	if hash, is := strings.CutPrefix(it.PK, "s#"); is && after != nil {
		s := stop{since: o.w.now}
		if err := json.Unmarshal(after.Data, &s.Entry); err != nil {
			o.violate(Truth, "suppression %s cannot be read: %v", after.SK, err)
		}
		o.suppressed[hash] = append(o.suppressed[hash], s)
	}
	if after != nil && o.w.parts != 0 {
		o.wrote(after)
	}
	if it.PK == "breaker" && o.w.parts&Outages != 0 {
		o.broke(before, after)
	}
	if !strings.HasPrefix(it.PK, "m#") || strings.Contains(it.SK, "#") {
		return
	}
	if after == nil {
		o.violate(Durable, "record %s was deleted", it.SK)
		return
	}
	var r struct {
		M    message.Message `json:"m"`
		Vars []byte          `json:"vr"`
	}
	if err := json.Unmarshal(after.Data, &r); err != nil {
		o.violate(Truth, "record %s cannot be read: %v", it.SK, err)
		return
	}
	s, was := o.stories[r.M.ID], message.Status("")
	if s == nil {
		s = &story{m: r.M, rev: after.Rev, order: o.orders[r.M.Reference], doubted: map[int]bool{}, leases: map[int]message.Time{}}
		o.stories[r.M.ID], o.order = s, append(o.order, s)
		o.counts(nil, &s.m)
		o.created(s)
	} else {
		prev, rev := s.m, s.rev
		was = prev.Status
		s.m, s.rev = r.M, after.Rev
		if before == nil || after.Rev != rev+1 {
			o.tell(SingleOwner, s, "revision %d follows %d", after.Rev, rev)
		}
		o.counts(&prev, &s.m)
		o.moved(s, &prev)
	}
	s.vars = len(r.Vars) > 0
	o.indexed(s, after)
	if s.released == 0 && s.m.Status.ReleasesContent() {
		s.released = o.w.now
	}
	if failed(s.m.Status) && (before == nil || s.failed == 0 || !failed(was)) {
		s.failed = o.w.now
	}
}

func failed(s message.Status) bool {
	return s == message.Failed || s == message.Dead || s == message.Undelivered
}

// indexed holds the index against the record: what has not ended is seen by the sweep.
func (o *oracle) indexed(s *story, it *store.Item) {
	m := &s.m
	if m.Due != it.DueAt || (m.Due > 0) != (it.DueShard != "") {
		o.tell(Conservation, s, "due %s, and in the index at %s", m.Due, it.DueAt)
	}
	if (!m.Status.Terminal() && m.Status != message.Sent || m.Todo != 0) && m.Due == 0 {
		o.tell(Conservation, s, "nobody will look at it again")
	}
}

// created judges a new record.
func (o *oracle) created(s *story) {
	m := &s.m
	if m.Class == message.Callback {
		o.callbackMade(s)
		return
	}
	if o.turned(s, 0); s.order == nil || s.order.tenant != m.Tenant {
		o.tell(Isolation, s, "tenant %s did not ask for it", m.Tenant)
		return
	}
	o.coded(s)
	if o.budgeted(s); s.order.shape == run {
		o.madeByRun(s)
	}
	for _, e := range o.suppressed[m.ID.Partition()[:message.PartitionLen-1]] {
		stops := e.Stops(m.Tenant, m.Channel, m.Class, max(m.Created, m.SendAt).Add(o.tolerance()))
		if stops && m.Created > e.since.Add(o.tolerance()) && m.Status != message.Suppressed {
			o.tell(Suppressed, s, "its address is suppressed since %s", e.since)
		}
	}
	if s.order.window != nil || m.Status.Terminal() {
		return
	}
	for _, other := range o.order {
		if other == s || other.order == nil || other.order.window != nil || other.released != 0 || other.same() != s.same() {
			continue
		}
		window := m.Class.Defaults().DedupWindow
		if age := m.Created.Sub(other.m.Created); age > -window+o.tolerance() && age < window-o.tolerance() && o.w.now.Sub(other.m.Created) < window-o.tolerance() {
			o.tell(ContentOnce, s, "%s said the same to the same recipient %s before", other.m.ID, age)
		}
	}
}

// to is who an order's message is for.
func (s *story) to() string {
	number := s.order.phones[0]
	switch s.order.shape {
	case many, batch:
		number = s.order.phones[s.m.Place]
	case run:
		number = s.order.phones[min(max(s.m.Place, 1), len(s.order.phones))-1]
	}
	if s.m.Channel == message.Email {
		return mailOf(number)
	}
	return number
}

// same is what makes content equal.
func (s *story) same() string {
	code := s.order.code
	if s.m.Class == message.OTP {
		code = "" // left out by the template
	}
	return strings.Join([]string{s.m.Tenant, string(s.m.Channel), s.to(), s.m.Template.Name, code}, "|")
}

// after are the statuses that may follow one another.
var evidence = []message.Status{message.Sent, message.Delivered, message.Undelivered, message.Bounced, message.Complained}

func follows(from, to message.Status) bool {
	if from == to {
		return true
	}
	proven := slices.Contains(evidence, to)
	switch from {
	case message.Scheduled:
		return to != message.InDoubt && to != message.Simulated
	case message.Queued, message.Sending, message.InDoubt:
		return to != message.Simulated
	case message.Sent, message.Undelivered, message.Bounced:
		return proven && (from != message.Sent || to != message.Sent)
	case message.Delivered:
		return to == message.Complained
	case message.Failed, message.Dead:
		return proven || to == message.Queued || to == message.Scheduled
	case message.Expired, message.Cancelled, message.Suppressed:
		return proven
	}
	return false
}

// sent judges what goes into a queue.
func (o *oracle) sent(to queue.Name, it queue.Item) {
	if err := it.Check(); err != nil {
		o.violate(Truth, "an item for %s that no queue takes: %v", to, err)
	}
	if bytes.Contains(it.Body, []byte(canary)) || bytes.Contains(it.Body, []byte(digits)) {
		o.violate(NoLeak, "a secret lies open in queue %s", to)
	}
}

// ears listen to the log for what may not be in it.
type ears struct{ o *oracle }

func (e ears) Enabled(context.Context, slog.Level) bool { return e.o.w.Record || e.o.w.Seed%8 == 0 }

func (e ears) Handle(ctx context.Context, r slog.Record) error {
	e.o.log.Reset()
	if err := slog.NewTextHandler(&e.o.log, nil).Handle(ctx, r); err != nil {
		return err
	}
	b := e.o.log.Bytes()
	if bytes.Contains(b, []byte(canary)) || bytes.Contains(b, []byte(digits)) {
		e.o.violate(NoLeak, "in the log: %s", b)
	}
	if e.o.w.Record {
		e.o.w.history = append(e.o.w.history, "        log  "+strings.TrimSpace(e.o.log.String()))
	}
	return nil
}

func (e ears) WithAttrs([]slog.Attr) slog.Handler { return e }
func (e ears) WithGroup(string) slog.Handler      { return e }
