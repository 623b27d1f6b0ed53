package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Kind is a kind of document: what developers and operators edit.
type Kind string

// The kinds.
const (
	Tenants   Kind = "tenant"
	APIKeys   Kind = "key"
	Templates Kind = "template"
	// TemplateVersions are immutable: written once, under a name that ends in @ and the version.
	TemplateVersions Kind = "template-version"
	// Bindings are what a version of a template is bound to at vendors: named like the version, which never
	// changes, while an approval comes days later.
	Bindings  Kind = "binding"
	Accounts  Kind = "account"
	Routes    Kind = "route"
	Schedules Kind = "schedule"
	// Endpoints are named tenant/name.
	Endpoints Kind = "endpoint"
	Recipes   Kind = "recipe" // those that were uploaded
	Users     Kind = "user"
	Settings  Kind = "settings" // one, for the whole installation
	// Erasures say which recipients were erased: by their hashes, so that it can be done again after an older state
	// of the store was brought back.
	Erasures Kind = "erasure"
)

// Doc is one version of a document, with who wrote it and why.
type Doc struct {
	Kind    Kind           `json:"-"`
	Name    string         `json:"-"`
	Tenant  string         `json:"t,omitzero"` // who owns it; "" is the whole installation
	Version int64          `json:"v"`
	Author  string         `json:"by"`
	Reason  string         `json:"why,omitzero"`
	At      message.Time   `json:"at"`
	Deleted bool           `json:"del,omitzero"`
	Body    jsontext.Value `json:"body,omitzero"`
}

// ErrConflict: the document has another version than the writer thought.
var ErrConflict = errors.New("store: the document was changed by somebody else")

func docKey(k Kind, name string) Key { return Key{"c#" + string(k), name} }

func versionKey(k Kind, name string, v int64) Key {
	return Key{"h#" + string(k) + "#" + name, fmt.Sprintf("%010d", v)}
}

// PutDoc writes the next version: d.Version is the one that it replaces, 0 for a new document. The
// version replaced is kept for good, first: a crash in between changes nothing.
func (s *Store) PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d Doc) (Doc, error) {
	if !p.Steers(d.Tenant) {
		return d, ErrNotFound
	}
	old := d.Version
	d.Version, d.At, d.Author = old+1, now, p.Name
	data, err := json.Marshal(d)
	if err != nil {
		return d, fmt.Errorf("store: %s %s: %w", d.Kind, d.Name, err)
	}
	head := listed(&d, Item{Key: docKey(d.Kind, d.Name), Rev: d.Version, Data: data})
	var ops []Op
	if old > 0 {
		items, err := s.driver.Get(ctx, head.Key)
		if err != nil {
			return d, fmt.Errorf("store: %s %s: %w", d.Kind, d.Name, err)
		}
		if items[0] == nil || items[0].Rev != old {
			return d, ErrConflict
		}
		have, err := readDoc(d.Kind, d.Name, items[0])
		if err != nil {
			return d, err
		}
		if !p.Steers(have.Tenant) {
			return d, ErrNotFound
		}
		ops = append(ops,
			Op{Cond: Always, Item: listed(&have, Item{Key: versionKey(d.Kind, d.Name, old), Rev: old, Data: items[0].Data})},
			Op{Cond: AtRev, At: old, Item: head})
	} else {
		ops = append(ops, Op{Cond: Absent, Item: head})
	}
	res, err := s.driver.Write(ctx, now, ops)
	if err != nil {
		return d, fmt.Errorf("store: %s %s: %w", d.Kind, d.Name, err)
	}
	if res[0].Applied < len(ops) {
		return d, ErrConflict
	}
	return d, nil
}

// AddDocs writes the first versions of many documents at once; those that exist are left alone.
func (s *Store) AddDocs(ctx context.Context, p tenant.Principal, now message.Time, docs ...Doc) error {
	sequences := make([][]Op, len(docs))
	for i, d := range docs {
		if !p.Steers(d.Tenant) {
			return ErrNotFound
		}
		d.Version, d.At, d.Author = 1, now, p.Name
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("store: %s %s: %w", d.Kind, d.Name, err)
		}
		sequences[i] = []Op{{Cond: Absent, Item: listed(&d, Item{Key: docKey(d.Kind, d.Name), Rev: 1, Data: data})}}
	}
	if _, err := s.driver.Write(ctx, now, sequences...); err != nil {
		return fmt.Errorf("store: documents: %w", err)
	}
	return nil
}

// maxDocName is how long a name may be, in bytes: longer ones, and those that are not ASCII, no driver takes in a key.
const maxDocName = 400

func readDoc(k Kind, name string, it *Item) (Doc, error) {
	var d Doc
	if err := json.Unmarshal(it.Data, &d); err != nil {
		return d, fmt.Errorf("store: %s %s cannot be read: %w", k, name, err)
	}
	d.Kind, d.Name = k, name
	return d, nil
}

// Doc reads the newest version; a deleted one too, so that it can be written again.
func (s *Store) Doc(ctx context.Context, k Kind, name string) (Doc, error) {
	return s.doc(ctx, k, name, docKey(k, name))
}

// DocVersion reads a version of any age.
func (s *Store) DocVersion(ctx context.Context, k Kind, name string, version int64) (Doc, error) {
	d, err := s.doc(ctx, k, name, docKey(k, name))
	if err != nil || d.Version == version {
		return d, err
	}
	return s.doc(ctx, k, name, versionKey(k, name, version))
}

func (s *Store) doc(ctx context.Context, k Kind, name string, at Key) (Doc, error) {
	if len(name) > maxDocName || strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r > unicode.MaxASCII }) {
		return Doc{}, ErrNotFound // a caller may ask for any text
	}
	items, err := s.driver.Get(ctx, at)
	if err != nil {
		return Doc{}, fmt.Errorf("store: %s %s: %w", k, name, err)
	}
	if items[0] == nil {
		return Doc{}, ErrNotFound
	}
	return readDoc(k, name, items[0])
}

// Docs reads all documents of a kind that are not deleted, in the order of their names. What cannot be
// read is reported beside the rest.
func (s *Store) Docs(ctx context.Context, k Kind) ([]Doc, []error, error) {
	items, err := s.all(ctx, Query{Index: ByPartition, Value: docKey(k, "").PK, Limit: 1000})
	if err != nil {
		return nil, nil, fmt.Errorf("store: %ss: %w", k, err)
	}
	var out []Doc
	var bad []error
	for i := range items {
		d, err := readDoc(k, items[i].SK, &items[i])
		if err != nil {
			bad = append(bad, err)
		} else if !d.Deleted {
			out = append(out, d)
		}
	}
	return out, bad, nil
}

// History reads all versions of a document, the newest first.
func (s *Store) History(ctx context.Context, k Kind, name string) ([]Doc, error) {
	head, err := s.Doc(ctx, k, name)
	if err != nil {
		return nil, err
	}
	items, err := s.all(ctx, Query{Index: ByPartition, Value: versionKey(k, name, 0).PK, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("store: history of %s %s: %w", k, name, err)
	}
	out := []Doc{head}
	for _, it := range slices.Backward(items) {
		d, err := readDoc(k, name, &it)
		if err != nil {
			return nil, err
		}
		if d.Version < head.Version { // a writer that lost may have kept the head again
			out = append(out, d)
		}
	}
	return out, nil
}

func (s *Store) all(ctx context.Context, q Query) ([]Item, error) {
	var out []Item
	for {
		page, err := s.driver.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if page.Next == "" {
			return out, nil
		}
		q.After = page.Next
	}
}
