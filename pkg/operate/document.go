package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Meta says which version of a document something is, and who made it when and why.
type Meta struct {
	Version int64
	Author  string
	Reason  string
	At      message.Time
	// Deleted marks the version that deleted the document; only a history has it.
	Deleted bool
}

// Versioned is what a version of a document holds.
type Versioned[T any] struct {
	Meta
	Body T
}

// Change is what every change carries.
type Change struct {
	// Version is the one that the caller read and that is replaced; 0 makes a new document.
	Version int64
	Reason  string
}

// document reads a head for judging a change: the zero Doc when there never was one. A deleted one is
// not live, and may be made anew.
func (o *Operate) document(ctx context.Context, k store.Kind, name string) (d store.Doc, live bool, err error) {
	d, err = o.Documents.Doc(ctx, k, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.Doc{Kind: k, Name: name}, false, nil
	}
	if err != nil {
		return d, false, unreadable(err)
	}
	return d, !d.Deleted, nil
}

// get reads what is in force, if the principal may know of it.
func get[T any](ctx context.Context, o *Operate, p tenant.Principal, k store.Kind, name string) (Versioned[T], error) {
	d, live, err := o.document(ctx, k, name)
	if err == nil && (!live || !p.Sees(d.Tenant)) {
		err = notFound(k, name)
	}
	if err != nil {
		return Versioned[T]{}, err
	}
	return decode[T](d)
}

// list reads all that the principal may know of, by name. What cannot be read is logged and left out.
func list[T any](ctx context.Context, o *Operate, p tenant.Principal, k store.Kind) ([]Versioned[T], error) {
	docs, bad, err := o.Documents.Docs(ctx, k)
	if err != nil {
		return nil, unreadable(err)
	}
	out := make([]Versioned[T], 0, len(docs))
	for _, d := range docs {
		if !p.Sees(d.Tenant) {
			continue
		}
		v, err := decode[T](d)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s %s: %w", k, d.Name, err))
			continue
		}
		out = append(out, v)
	}
	for _, err := range bad {
		o.Log.ErrorContext(ctx, "document unreadable", "kind", k, "error", err)
	}
	return out, nil
}

// history reads all versions, the newest first, of a deleted document too.
func history[T any](ctx context.Context, o *Operate, p tenant.Principal, k store.Kind, name string) ([]Versioned[T], error) {
	docs, err := o.Documents.History(ctx, k, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.Sees(docs[0].Tenant) {
		return nil, notFound(k, name)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	out := make([]Versioned[T], len(docs))
	for i, d := range docs {
		if out[i], err = decode[T](d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func decode[T any](d store.Doc) (Versioned[T], error) {
	v := Versioned[T]{Meta: metaOf(d)}
	if err := json.Unmarshal(d.Body, &v.Body); err != nil {
		return v, unreadable(fmt.Errorf("%s %s cannot be read: %w", d.Kind, d.Name, err))
	}
	return v, nil
}

func metaOf(d store.Doc) Meta {
	return Meta{Version: d.Version, Author: d.Author, Reason: d.Reason, At: d.At, Deleted: d.Deleted}
}

// expect refuses a change of another version than the newest.
func expect(head store.Doc, live bool, c Change) error {
	what := naming(head.Kind, head.Name)
	switch {
	case c.Version == head.Version, !live && c.Version == 0:
		return nil
	case c.Version == 0:
		return problem.New(problem.Conflict, "%s exists already, in version %d; send version %d to replace it", what, head.Version, head.Version)
	case live:
		return problem.New(problem.Conflict, "%s has version %d, by %s at %s; read it again and send version %d", what, head.Version, head.Author, head.At, head.Version)
	case head.Version == 0:
		return problem.New(problem.Conflict, "there is no %s; leave version out, or send 0, to make it", what)
	}
	return problem.New(problem.Conflict, "%s was deleted in version %d, by %s at %s; leave version out, or send 0, to make it anew", what, head.Version, head.Author, head.At)
}

// save writes body over head.
func (o *Operate) save(ctx context.Context, p tenant.Principal, head store.Doc, owner, reason string, body any) (Meta, error) {
	b, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return Meta{}, unkept(err)
	}
	head.Tenant, head.Reason, head.Body, head.Deleted = owner, reason, b, false
	return o.put(ctx, p, head)
}

// bury deletes: the last content stays with the tombstone.
func (o *Operate) bury(ctx context.Context, p tenant.Principal, head store.Doc, reason string) (Meta, error) {
	head.Reason, head.Deleted = reason, true
	return o.put(ctx, p, head)
}

func (o *Operate) put(ctx context.Context, p tenant.Principal, d store.Doc) (Meta, error) {
	saved, err := o.Documents.PutDoc(ctx, p, o.now(), d)
	o.Config.Changed(d.Kind) // after an error too: it may have been written
	switch {
	case err == nil:
		return metaOf(saved), nil
	case errors.Is(err, store.ErrNotFound):
		return Meta{}, notFound(d.Kind, d.Name)
	case errors.Is(err, store.ErrConflict):
		now, live, err := o.document(ctx, d.Kind, d.Name)
		if err != nil {
			return Meta{}, err
		}
		if err := expect(now, live, Change{Version: d.Version}); err != nil {
			return Meta{}, err
		}
		return Meta{}, problem.New(problem.Conflict, "%s was changed at the same time; read it again", naming(d.Kind, d.Name))
	case errors.Is(err, store.ErrTooLarge):
		return Meta{}, problem.Invalid(problem.At("", problem.TooLong, "the whole may have 380 KB; shorten it"))
	}
	return Meta{}, unkept(err)
}

// remove deletes a document that the principal may delete, unless guard objects.
func (o *Operate) remove(ctx context.Context, p tenant.Principal, k store.Kind, name string, c Change, guard func() error) error {
	if err := c.checkQuery(); err != nil {
		return err
	}
	head, live, err := o.document(ctx, k, name)
	if err != nil {
		return err
	}
	if !live || !p.Steers(head.Tenant) {
		return notFound(k, name)
	}
	if err := expect(head, live, c); err != nil {
		return err
	}
	if guard != nil {
		if err := guard(); err != nil {
			return err
		}
	}
	_, err = o.bury(ctx, p, head, c.Reason)
	return err
}

func naming(k store.Kind, name string) string {
	switch k {
	case store.TemplateVersions:
		k = store.Templates
	case store.Settings:
		return "document of settings"
	case store.Bindings:
		return "list of bindings of template " + name
	}
	return string(k) + " " + name
}

// notFound repeats the name only if it looks like one: callers put everything into paths.
func notFound(k store.Kind, name string) error {
	if len(name) > 100 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_/@") != "" {
		return problem.New(problem.NotFound, "there is no %s of that name", k)
	}
	return problem.New(problem.NotFound, "there is no %s", naming(k, name))
}

// unreadable and unkept are faults below us.
func unreadable(err error) error {
	return problem.New(problem.Unavailable, "it cannot be read right now; try again").After(time.Second).Because(err)
}

func unkept(err error) error {
	after := time.Second
	if errors.Is(err, store.ErrFull) {
		after = time.Minute
	}
	return problem.New(problem.Unavailable, "the change may not have been kept; read it again before you repeat it").After(after).Because(err)
}
