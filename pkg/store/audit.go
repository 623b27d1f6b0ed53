package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Deed is what somebody did that leaves no version of a document: it was written before it was done, so
// nothing is done that does not stand here, and what stands here was at least asked for.
type Deed struct {
	At      message.Time `json:"at"`
	By      string       `json:"by"`
	What    string       `json:"w"` // a verb in the past tense: revealed, suppressed, redriven, …
	Kind    string       `json:"k"` // of the object: message, address, redrive, run
	Object  string       `json:"o"` // to what: a message's id, a redrive's; an address is masked
	Tenant  string       `json:"t,omitzero"`
	Reason  string       `json:"why,omitzero"`
	IP      string       `json:"ip,omitzero"`
	Request string       `json:"rq,omitzero"`
	// Changes are what is to come of it, or what came of it where that is something else.
	Changes []Change `json:"ch,omitzero"`
}

// Change is a value that was changed. What was not set before, or is not after, is "".
type Change struct {
	Path   string `json:"p"`          // as /owner/name
	Before string `json:"b,omitzero"` // as JSON
	After  string `json:"a,omitzero"`
}

// Moved is the change of a message's status.
func Moved(before, after message.Status) Change {
	return Change{Path: "/status", Before: `"` + string(before) + `"`, After: `"` + string(after) + `"`}
}

// Audited is a line of the audit: a version of a document with the one that it replaced, or a deed.
type Audited struct {
	Place  string // in the order of the audit, as a cursor
	Doc    *Doc
	Before *Doc // nil for the first version
	Deed   *Deed
}

// The audit is a list for each day of all versions of all documents, where they lie anyway, and of deeds.
func auditList(day string) string { return "audit#" + day }

// auditPlace is where something stands in its day.
func auditPlace(at message.Time, what ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(what, "#")))
	return DueSort(at) + "-" + hex.EncodeToString(sum[:10])
}

// listed puts an item that holds a version of a document into the audit.
func listed(d *Doc, it Item) Item {
	it.List, it.ListSort = auditList(Day(d.At)), auditPlace(d.At, string(d.Kind), d.Name, fmt.Sprint(d.Version))
	return it
}

// AddDeed keeps a deed. The same one at the same time takes its place: so its changes are mended.
func (s *Store) AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d Deed) error {
	d.At, d.By = now, p.Name
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("store: deed: %w", err)
	}
	place := auditPlace(now, "deed", d.By, d.What, d.Object)
	it := Item{Key: Key{"a#" + Day(now), place}, Rev: 1, Data: data, List: auditList(Day(now)), ListSort: place}
	if _, err := s.driver.Write(ctx, now, []Op{{Cond: Always, Item: it}}); err != nil {
		return fmt.Errorf("store: deed: %w", err)
	}
	return nil
}

// Audit reads a page of a day, the newest first, of what the principal may see; before is the place that they
// all come before, "" for none. It gives the place of the last that it looked at, "" at the day's end.
func (s *Store) Audit(ctx context.Context, p tenant.Principal, day, before string, limit int) ([]Audited, string, error) {
	page, err := s.driver.Query(ctx, Query{Index: ByList, Value: auditList(day), To: before, Desc: true, Limit: limit})
	if err != nil {
		return nil, "", fmt.Errorf("store: audit: %w", err)
	}
	next := ""
	if n := len(page.Items); n > 0 && page.Next != "" {
		next = page.Items[n-1].ListSort
	}
	items, err := s.whole(ctx, page.Items)
	if err != nil {
		return nil, "", fmt.Errorf("store: audit: %w", err)
	}
	var out []Audited
	for i := range items {
		a, err := audited(&items[i])
		if err != nil {
			return nil, "", err
		}
		// The list may lag behind a document that was changed since: its newer version is on its way to its own
		// place. And a writer that died may have kept a version under both its keys.
		if seen := func(b Audited) bool { return b.Place == a.Place }; Day(a.at()) != day || before != "" && a.Place >= before || slices.ContainsFunc(out, seen) || !p.Sees(a.tenant()) {
			continue
		}
		out = append(out, a)
	}
	return out, next, s.befores(ctx, out)
}

func audited(it *Item) (Audited, error) {
	kind, rest, _ := strings.Cut(it.PK, "#")
	a := Audited{Place: it.ListSort}
	var err error
	switch kind {
	case "a":
		a.Deed = new(Deed)
		err = json.Unmarshal(it.Data, a.Deed)
	case "h":
		of, name, _ := strings.Cut(rest, "#")
		err = a.read(Kind(of), name, it)
	default:
		err = a.read(Kind(rest), it.SK, it)
	}
	if err != nil {
		return a, fmt.Errorf("store: audit %s %s: %w", it.PK, it.SK, err)
	}
	return a, nil
}

func (a *Audited) read(k Kind, name string, it *Item) error {
	d, err := readDoc(k, name, it)
	a.Doc, a.Place = &d, listed(&d, Item{}).ListSort
	return err
}

func (a *Audited) at() message.Time {
	if a.Deed != nil {
		return a.Deed.At
	}
	return a.Doc.At
}

func (a *Audited) tenant() string {
	if a.Deed != nil {
		return a.Deed.Tenant
	}
	return a.Doc.Tenant
}

// befores reads the versions that were replaced.
func (s *Store) befores(ctx context.Context, list []Audited) error {
	var keys []Key
	var of []*Audited
	for i := range list {
		if d := list[i].Doc; d != nil && d.Version > 1 {
			keys, of = append(keys, versionKey(d.Kind, d.Name, d.Version-1)), append(of, &list[i])
		}
	}
	if len(keys) == 0 {
		return nil
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	for i, it := range items {
		if it == nil {
			continue
		}
		d, err := readDoc(of[i].Doc.Kind, of[i].Doc.Name, it)
		if err != nil {
			return err
		}
		of[i].Before = &d
	}
	return nil
}
