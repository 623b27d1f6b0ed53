package store

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
)

// Record is a message as it is kept: its state, and what is sealed. Treat it as immutable: Save gives a
// new one.
type Record struct {
	message.Message
	to, vars []byte // sealed
	rev      int64
}

// wire is a record's bytes.
type wire struct {
	M    message.Message `json:"m"`
	To   []byte          `json:"to,omitzero"`
	Vars []byte          `json:"vr,omitzero"`
}

// Sealed content lies in an item beside the record.
const contentSuffix = "#c"

func messageKey(id message.ID) Key { return Key{"m#" + id.Partition(), id.ULID()} }

func contentKey(id message.ID) Key { return Key{"m#" + id.Partition(), id.ULID() + contentSuffix} }

func encode(r *Record) ([]byte, error) {
	b, err := json.Marshal(wire{r.Message, r.to, r.vars})
	if err != nil {
		return nil, fmt.Errorf("store: encode %s: %w", r.ID, err)
	}
	return b, nil
}

// Unreadable is a record that cannot be decoded: its id is known, its content is not.
type Unreadable struct {
	ID  message.ID
	Err error
}

// Error names the record.
func (u *Unreadable) Error() string {
	return fmt.Sprintf("store: record %s cannot be read: %v", u.ID, u.Err)
}

// Unwrap is the fault.
func (u *Unreadable) Unwrap() error { return u.Err }

func decode(it *Item) (*Record, error) {
	id := message.NewID(strings.TrimPrefix(it.PK, "m#"), it.SK)
	var w wire
	if err := json.Unmarshal(it.Data, &w); err != nil {
		return nil, &Unreadable{id, err}
	}
	if w.M.ID != id {
		return nil, &Unreadable{id, errors.New("it holds another id")}
	}
	return &Record{w.M, w.To, w.Vars, it.Rev}, nil
}

// item promotes what indexes need.
func (s *Store) item(r *Record) (Item, error) {
	data, err := encode(r)
	if err != nil {
		return Item{}, err
	}
	m := &r.Message
	created := m.ID.Created()
	it := Item{Key: messageKey(m.ID), Rev: r.rev, Data: data,
		Expires: seconds(max(m.Created, m.SendAt).Add(m.Class.Defaults().KeepRecord))}
	if m.Due > 0 {
		it.DueShard, it.DueAt = s.dueShard(m.ID), m.Due
	}
	// Callbacks are found by their endpoint, not among the tenant's messages.
	if m.Class != message.Callback {
		it.List = s.list(m.Tenant, Day(created), s.shard(m.ID))
		it.ListSort = m.ID.ULID() + m.ID.Partition()
	}
	if m.Status == message.Dead || m.Status.Trouble() && m.Class != message.Callback {
		it.Trouble = trouble(m.Tenant, Day(created), s.shard(m.ID))
	}
	return it, nil
}

// seal fills in what is sealed of a new record.
func (s *Store) seal(ctx context.Context, r *Record, to message.Address, vars []byte, now message.Time) error {
	key, expires := sealKey(&r.Message, sealRecipient)
	box, err := s.keys.box(ctx, key, now, expires, true)
	if err != nil {
		return err
	}
	if r.to, err = box.Seal(s.opts.Random, []byte(to), string(r.ID)+"/to"); err != nil {
		return err
	}
	if len(vars) == 0 {
		return nil
	}
	key, expires = sealKey(&r.Message, sealContent)
	if box, err = s.keys.box(ctx, key, now, expires, true); err != nil {
		return err
	}
	r.vars, err = box.Seal(s.opts.Random, vars, string(r.ID)+"/vars")
	return err
}

// Address opens the recipient's address; ErrErased when it is gone.
func (s *Store) Address(ctx context.Context, r *Record) (message.Address, error) {
	if r.Erased() {
		return "", ErrErased
	}
	key, _ := sealKey(&r.Message, sealRecipient)
	box, err := s.keys.box(ctx, key, 0, 0, false)
	if errors.Is(err, errNoKey) {
		return "", ErrErased
	}
	if err != nil {
		return "", err
	}
	b, err := box.Open(r.to, string(r.ID)+"/to")
	return message.Address(b), err
}

// ErrErased: the address, variables or content were blanked, or their time is over.
var ErrErased = errors.New("store: erased")

// Vars opens the variables, numbers as encoding/json's Number; nil when there were none, ErrErased when they are gone.
func (s *Store) Vars(ctx context.Context, r *Record) (map[string]any, error) {
	if r.vars == nil && r.Template.Name == "" {
		return nil, nil
	}
	b, err := s.Event(ctx, r)
	if err != nil {
		return nil, err
	}
	// Numbers stay as they were written, so that what is rendered again is the same text.
	var vars map[string]any
	dec := stdjson.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&vars); err != nil {
		return nil, fmt.Errorf("store: variables of %s: %w", r.ID, err)
	}
	return vars, nil
}

// Event opens the variables as they were kept, which of a callback are its event; ErrErased when they are gone.
func (s *Store) Event(ctx context.Context, r *Record) ([]byte, error) {
	if r.vars == nil {
		return nil, ErrErased
	}
	key, _ := sealKey(&r.Message, sealContent)
	box, err := s.keys.box(ctx, key, 0, 0, false)
	if errors.Is(err, errNoKey) {
		return nil, ErrErased
	}
	if err != nil {
		return nil, err
	}
	return box.Open(r.vars, string(r.ID)+"/vars")
}

// Content opens free content, which is kept beside the record; ErrErased when it is gone.
func (s *Store) Content(ctx context.Context, r *Record) (message.Content, error) {
	var c message.Content
	items, err := s.driver.Get(ctx, contentKey(r.ID))
	if err != nil {
		return c, fmt.Errorf("store: content of %s: %w", r.ID, err)
	}
	if items[0] == nil {
		return c, ErrErased
	}
	key, _ := sealKey(&r.Message, sealContent)
	box, err := s.keys.box(ctx, key, 0, 0, false)
	if errors.Is(err, errNoKey) {
		return c, ErrErased
	}
	if err != nil {
		return c, err
	}
	b, err := box.Open(items[0].Data, string(r.ID)+"/content")
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("store: content of %s: %w", r.ID, err)
	}
	return c, nil
}

// Hint is what a queue carries: a message's id, and optionally the record that it was made from. A lease
// at that record's revision that succeeds proves it current, so the happy path needs no read.
type Hint struct {
	ID     message.ID
	Record *Record // nil: read it
	// Redrive is set on the copy of a dead message in a dead-letter queue: the epoch that it died at. A
	// hint with it means "try again"; one without is only a repeated hint.
	Redrive int
}

type wireHint struct {
	ID      message.ID     `json:"id"`
	Rev     int64          `json:"rev,omitzero"`
	Record  jsontext.Value `json:"record,omitzero"`
	Redrive int            `json:"redrive,omitzero"`
}

// Hint encodes a record as a hint.
func (s *Store) Hint(r *Record) ([]byte, error) {
	w := wireHint{ID: r.ID, Rev: r.rev}
	var err error
	if w.Record, err = encode(r); err != nil {
		return nil, err
	}
	b, err := json.Marshal(w)
	return queue.Text(b), err
}

// BareHint names a message and no more.
func BareHint(id message.ID) []byte { return []byte(`{"id":"` + string(id) + `"}`) }

// DeadHint is the copy of a dead message.
func DeadHint(m *message.Message) []byte {
	return fmt.Appendf(nil, `{"id":%q,"redrive":%d}`, string(m.ID), max(m.Epoch, 1))
}

// ReadHint decodes a hint.
func ReadHint(body []byte) (Hint, error) {
	var w wireHint
	if err := json.Unmarshal(body, &w); err != nil {
		return Hint{}, fmt.Errorf("store: hint: %w", err)
	}
	id, err := message.ParseID(string(w.ID))
	if err != nil {
		return Hint{}, fmt.Errorf("store: hint: %w", err)
	}
	h := Hint{ID: id, Redrive: w.Redrive}
	if w.Rev > 0 && len(w.Record) > 0 {
		// One that cannot be read is no loss: the record itself will be.
		h.Record, _ = decode(&Item{Key: messageKey(id), Rev: w.Rev, Data: w.Record})
	}
	return h, nil
}
