package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Draft is a message that is about to be accepted.
type Draft struct {
	// Message is complete, with its id; Claim is filled in here.
	Message message.Message
	To      message.Address
	Vars    []byte           // a JSON object; nil with free content
	Content *message.Content // free content; nil with a template
	// Key holds the request's idempotency key, if this message is the whole request.
	Key *KeyClaim
	// Window is how long equal content counts as one message; 0 is not at all. Same is what makes
	// content equal.
	Window time.Duration
	Same   []byte
	// Fixed tells that the id is known elsewhere: that of a run's row follows from what it is, that of a group's message is
	// in its group. It never becomes the message that somebody else promised, or they would not know it again.
	Fixed bool
	// Guarded drafts are recorded as suppressed if a suppression of the recipient says so. Of the others the
	// caller knows already.
	Guarded bool
}

// KeyClaim is an idempotency key in use.
type KeyClaim struct {
	Key  string
	Hash []byte        // of the request
	Keep time.Duration // how long it is kept
}

// Verdict is what became of a draft.
type Verdict struct {
	// Record is the message: the new one, or the live one that was there first.
	Record *Record
	// New tells that it was written just now; Replay that its idempotency key was used before with the
	// same request; Duplicate that equal content holds the window, until WindowEnds.
	New, Replay, Duplicate bool
	WindowEnds             message.Time
	// Mismatch: the idempotency key was used with another request; Record is nil.
	Mismatch bool
}

// claim is the record of a dedup item.
type claim struct {
	ID    message.ID `json:"id,omitzero"`
	Group string     `json:"g,omitzero"`
	Hash  []byte     `json:"h,omitzero"`
}

func (s *Store) keyClaim(tenant string, k *KeyClaim) Key {
	return Key{"k#" + s.digest("key", tenant, k.Key), "k"}
}

func (s *Store) contentClaim(d *Draft) Key {
	m := &d.Message
	return Key{"k#" + s.digest("content", m.Tenant, string(m.Channel), m.ID.Partition()[:24], string(d.Same)), "c"}
}

// Accept keeps drafts. Each is claimed and written in one sequence: idempotency key, content, no suppression
// of the recipient, free content, reference, record. So a duplicate asks for no suppression, and usually
// there is none. If there is one, the sequence is taken up where it stopped, once it is known whether that
// one stops this message. A claim whose record is missing was left by a crash: the draft takes over
// the id that the claim names, so that the first caller's retry and this one are the same message. A draft
// whose id is fixed takes over the claim only.
func (s *Store) Accept(ctx context.Context, p tenant.Principal, now message.Time, drafts ...*Draft) ([]Verdict, error) {
	work := make([]*acceptance, len(drafts))
	for i, d := range drafts {
		if !p.Steers(d.Message.Tenant) {
			return nil, fmt.Errorf("store: accept for another tenant: %w", ErrNotFound)
		}
		work[i] = &acceptance{draft: d}
		work[i].takeOver(d.Message.ID)
	}
	for pending := work; len(pending) > 0; {
		sequences := make([][]Op, len(pending))
		for i, a := range pending {
			var err error
			if a.ops, err = s.sequence(ctx, a, now); err != nil {
				return nil, err
			}
			sequences[i] = a.ops[len(a.written):]
		}
		results, err := s.driver.Write(ctx, now, sequences...)
		if err != nil {
			return nil, fmt.Errorf("store: accept: %w", err)
		}
		var again []*acceptance
		for i, a := range pending {
			at := len(a.written) + results[i].Applied
			if at == len(a.ops) || a.ops[at].Delete { // behind the record: the claim is somebody else's by now
				a.verdict = Verdict{Record: a.record, New: true}
				s.opts.Moved(nil, &a.record.Message, now)
				continue
			}
			retry, err := s.refused(ctx, a, at, results[i].Holder, now)
			if err != nil {
				return nil, err
			}
			if retry {
				again = append(again, a)
			}
		}
		pending = again
	}
	out := make([]Verdict, len(work))
	for i, a := range work {
		out[i] = a.verdict
	}
	return out, nil
}

// acceptance is a draft on its way.
type acceptance struct {
	draft   *Draft
	record  *Record
	ops     []Op // the sequence
	verdict Verdict
	tries   int
	// written are its elements that the next round goes on from; asked tells that suppressions were looked at.
	written []Op
	asked   bool
	// keyRev and contentRev are set when a claim is ours already and must be overwritten at that revision.
	keyRev, contentRev int64
	// byContent tells that the id was taken over from equal content, not from our own key.
	byContent bool
}

// errContended: the same key was fought for too often.
var errContended = errors.New("store: too many requests with one key at once")

// refused decides what the refusal of element i means: the answer, or another round.
func (s *Store) refused(ctx context.Context, a *acceptance, i int, holder *Item, now message.Time) (again bool, err error) {
	at, d := a.ops[i], a.draft
	if a.tries++; a.tries > 8 {
		return false, errContended
	}
	switch {
	case holder == nil: // it was there and is gone
		a.restart()
		return true, nil
	case at.Cond == Vacant:
		return true, s.weigh(ctx, a, i, now)
	case d.Key != nil && i == 0:
		return s.keyHeld(ctx, a, holder)
	case d.Window > 0 && at.Item.SK == "c" && at.Item.PK == a.record.Claim:
		if d.Key != nil {
			a.keyRev = a.ops[0].Item.Rev
		}
		return s.contentHeld(ctx, a, i, holder, now)
	default: // the record is there: whoever wrote it had the same key, or took over the same content's claim
		r, err := decode(holder)
		if err == nil {
			err = s.unclaim(ctx, a, r, now)
		}
		if err != nil {
			return false, err
		}
		own := d.Key != nil || r.Group != "" && r.Group == a.record.Group
		duplicate := (a.byContent || !own) && !r.Status.ReleasesContent()
		a.verdict = Verdict{Record: r, Replay: !duplicate, Duplicate: duplicate}
		for _, op := range a.ops {
			if duplicate && op.Item.SK == "c" {
				a.verdict.WindowEnds = message.Time(op.Item.Expires * 1000)
			}
		}
		return false, nil
	}
}

// keyHeld: the idempotency key is in use.
func (s *Store) keyHeld(ctx context.Context, a *acceptance, holder *Item) (again bool, err error) {
	var c claim
	if err := json.Unmarshal(holder.Data, &c); err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	if c.Group != "" || !slices.Equal(c.Hash, a.draft.Key.Hash) {
		a.verdict = Verdict{Mismatch: true}
		return false, nil
	}
	r, err := s.get(ctx, c.ID)
	if err == nil {
		a.verdict = Verdict{Record: r, Replay: true}
		return false, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	a.takeOver(c.ID)
	a.keyRev, a.byContent = holder.Rev, false
	return true, nil
}

// writing is how long who has a claim may still be about to write its record: no function lives longer than half a
// minute. Until then a claim without one is not taken for a crash's by who cannot become its message: both would be sent.
const writing = 35 * time.Second

// contentHeld: equal content went to the same recipient inside the window.
func (s *Store) contentHeld(ctx context.Context, a *acceptance, i int, holder *Item, now message.Time) (again bool, err error) {
	var c claim
	if err := json.Unmarshal(holder.Data, &c); err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	r, err := s.get(ctx, c.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		switch {
		case c.ID == a.record.ID: // our key's: of a try that a crash cut off, or another takes over too
			a.written = slices.Clip(a.ops[:i])
		case !a.draft.Fixed:
			a.takeOver(c.ID)
			a.byContent = true
		case now.Sub(message.Time(holder.Rev)) < writing: // its record may be there the next time that we look
			return true, nil
		}
		a.contentRev = holder.Rev
		return true, nil
	case err != nil:
		return false, err
	case c.ID == a.record.ID && !a.byContent: // our key's: another with it was quicker
		a.verdict = Verdict{Record: r, Replay: true}
		return false, nil
	case r.Status.ReleasesContent(): // it ended badly and its claim is about to be released
		a.contentRev = holder.Rev
		if r.Status == message.Suppressed && a.draft.Guarded {
			// So is this one, it seems: many at once must not fight for a claim that none of them keeps.
			return true, s.weigh(ctx, a, i, now)
		}
		return true, nil
	case a.draft.past(holder, r, now):
		a.contentRev = holder.Rev
		return true, nil
	}
	a.verdict = Verdict{Record: r, Duplicate: true, WindowEnds: message.Time(holder.Expires * 1000)}
	return s.pointKey(ctx, a, c.ID, now)
}

// past tells whether a message's window is over though its claim is not: a row of a run that is sent again, when its
// message is there and its claim has expired, has put one anew.
func (d *Draft) past(holder *Item, r *Record, now message.Time) bool {
	window := max(d.Window, message.Time(holder.Expires*1000).Sub(message.Time(holder.Rev)))
	return now > r.Created.Add(window+time.Second)
}

// pointKey makes the key claim, which was taken already, name the holder before the caller is answered,
// so that a retry finds the same message. Where a retry took the key meanwhile, its outcome is this one's.
func (s *Store) pointKey(ctx context.Context, a *acceptance, id message.ID, now message.Time) (again bool, err error) {
	k := a.draft.Key
	if k == nil || a.keyRev == 0 {
		return false, nil
	}
	data, err := json.Marshal(claim{ID: id, Hash: k.Hash})
	if err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	res, err := s.driver.Write(ctx, now, []Op{{Cond: AtRev, At: a.keyRev, Item: Item{Key: s.keyClaim(a.record.Tenant, k),
		Rev: max(int64(now), a.keyRev+1), Data: data, Expires: seconds(now.Add(k.Keep))}}})
	if err != nil {
		return false, fmt.Errorf("store: point key: %w", err)
	}
	if res[0].Applied == 0 {
		a.restart()
		return true, nil
	}
	return false, nil
}

// ByKey finds what an idempotency key holds: a message or a group. ErrNotFound when the key is not in use,
// was used with another request, or a crash left nothing behind it.
func (s *Store) ByKey(ctx context.Context, p tenant.Principal, now message.Time, tenant string, k *KeyClaim) (*Record, *Group, error) {
	if !p.Sees(tenant) {
		return nil, nil, ErrNotFound
	}
	items, err := s.driver.Get(ctx, s.keyClaim(tenant, k))
	if err != nil {
		return nil, nil, fmt.Errorf("store: by key: %w", err)
	}
	if items[0] == nil || items[0].Expires <= seconds(now) {
		return nil, nil, ErrNotFound
	}
	var c claim
	if err := json.Unmarshal(items[0].Data, &c); err != nil {
		return nil, nil, fmt.Errorf("store: claim: %w", err)
	}
	if !slices.Equal(c.Hash, k.Hash) {
		return nil, nil, ErrNotFound
	}
	if c.Group != "" {
		g, err := s.Group(ctx, p, c.Group)
		return nil, &g, err
	}
	r, err := s.Message(ctx, p, c.ID)
	return r, nil, err
}

// unclaim gives back the content claim that was just put for a record that turned out to be there without
// it: a row of a run whose recipient had a row before, or a message that was suppressed.
func (s *Store) unclaim(ctx context.Context, a *acceptance, r *Record, now message.Time) error {
	for _, op := range a.ops {
		if op.Item.SK != "c" || op.Delete || op.Item.PK == r.Claim {
			continue
		}
		if _, err := s.driver.Write(ctx, now, []Op{{Delete: true, Cond: AtRev, At: op.Item.Rev, Item: Item{Key: op.Item.Key}}}); err != nil {
			return fmt.Errorf("store: unclaim: %w", err)
		}
	}
	return nil
}

// takeOver makes the draft the message that a claim promised.
func (a *acceptance) takeOver(id message.ID) {
	m := a.draft.Message
	m.ID = id
	a.record, a.written = &Record{Message: m, rev: 1}, nil
}

// restart begins the sequence anew.
func (a *acceptance) restart() {
	a.keyRev, a.contentRev, a.asked = 0, 0, false
	a.takeOver(a.record.ID)
}

// Peek tells what Accept would find, without writing: the message that holds the content window.
func (s *Store) Peek(ctx context.Context, p tenant.Principal, now message.Time, d *Draft) (Verdict, error) {
	if !p.Sees(d.Message.Tenant) || d.Window <= 0 || d.Message.Status.Terminal() {
		return Verdict{}, nil
	}
	items, err := s.driver.Get(ctx, s.contentClaim(d))
	if err != nil {
		return Verdict{}, fmt.Errorf("store: peek: %w", err)
	}
	if items[0] == nil || items[0].Expires <= seconds(now) {
		return Verdict{}, nil
	}
	var c claim
	if err := json.Unmarshal(items[0].Data, &c); err != nil {
		return Verdict{}, fmt.Errorf("store: claim: %w", err)
	}
	r, err := s.get(ctx, c.ID)
	if errors.Is(err, ErrNotFound) || err == nil && (r.Status.ReleasesContent() || d.past(items[0], r, now)) {
		return Verdict{}, nil
	}
	return Verdict{Record: r, Duplicate: true, WindowEnds: message.Time(items[0].Expires * 1000)}, err
}
