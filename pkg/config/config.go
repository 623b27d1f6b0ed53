// Package config is what developers and operators edit, as the use cases read it: tenants, keys,
// templates, accounts, routes and endpoints, in snapshots that are at most MaxAge old. A change is in force within
// MaxAge everywhere without a deploy, and at once in the process that made it.
package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// MaxAge is how old a snapshot may be.
const MaxAge = 30 * time.Second

// Template is a template's head: which versions there are. Versions are documents of their own.
type Template struct {
	Name      string        `json:"name"`
	Tenant    string        `json:"tenant"`
	Class     message.Class `json:"class"`
	Shared    bool          `json:"shared,omitzero"`
	Latest    int           `json:"latest"`
	Published int           `json:"published,omitzero"` // 0: none
}

// Account is a configured account without its secrets.
type Account struct {
	Name     string            `json:"name"`
	Provider string            `json:"provider"`
	Channel  message.Channel   `json:"channel"`
	Config   map[string]string `json:"config,omitzero"`
	Secrets  []string          `json:"secrets,omitzero"` // names of the fields that the vault holds
	Off      bool              `json:"off,omitzero"`
	// These bound the calls; 0 takes the provider's documented limit.
	PerSecond   float64 `json:"per_second,omitzero"`
	PerMinute   int     `json:"per_minute,omitzero"`
	PerDay      int     `json:"per_day,omitzero"`
	Concurrency int     `json:"concurrency,omitzero"` // of each process
	// UrgentPercent of every limit is for codes only; 0 is UrgentPercent.
	UrgentPercent int `json:"urgent_percent,omitzero"`
	// InDoubt replaces the policy for attempts over it that are left without an answer; "" keeps it.
	InDoubt message.InDoubtPolicy `json:"in_doubt,omitzero"`
	// Price is what a message, or a segment of an SMS, costs, in Currency.
	Price    float64 `json:"price,omitzero"`
	Currency string  `json:"currency,omitzero"`
	Version  int64   `json:"-"`
}

// Recipe is an uploaded recipe: its YAML, with the version that it was kept as.
type Recipe struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Version int64  `json:"-"`
}

// Docs is what is read from the store.
type Docs interface {
	Docs(ctx context.Context, k store.Kind) ([]store.Doc, []error, error)
	Doc(ctx context.Context, k store.Kind, name string) (store.Doc, error)
}

// Source gives snapshots. It is safe for concurrent use.
type Source struct {
	docs Docs
	now  func() time.Time
	log  *slog.Logger

	tenants   shelf[tenant.Tenant]
	keys      shelf[tenant.Key]
	templates shelf[Template]
	accounts  shelf[Account]
	routes    shelf[route.Route]
	bindings  shelf[Bindings]
	endpoints shelf[Endpoint]
	recipes   shelf[Recipe]
	users     shelf[tenant.User]
	settings  shelf[Settings]

	mu       sync.Mutex
	versions map[string]*template.Compiled
}

// New makes a Source; nothing is read before it is asked for.
func New(docs Docs, now func() time.Time, log *slog.Logger) *Source {
	s := &Source{docs: docs, now: now, log: log, versions: map[string]*template.Compiled{}}
	s.tenants.kind, s.keys.kind, s.templates.kind = store.Tenants, store.APIKeys, store.Templates
	s.accounts.kind, s.routes.kind, s.recipes.kind = store.Accounts, store.Routes, store.Recipes
	s.bindings.kind, s.endpoints.kind, s.users.kind = store.Bindings, store.Endpoints, store.Users
	s.settings.kind = store.Settings
	return s
}

// Changed drops the snapshot of a kind: the next reader sees what was just written.
func (s *Source) Changed(k store.Kind) {
	switch k {
	case store.Tenants:
		s.tenants.drop()
	case store.APIKeys:
		s.keys.drop()
	case store.Templates:
		s.templates.drop()
	case store.Accounts:
		s.accounts.drop()
	case store.Routes:
		s.routes.drop()
	case store.Bindings:
		s.bindings.drop()
	case store.Endpoints:
		s.endpoints.drop()
	case store.Recipes:
		s.recipes.drop()
	case store.Users:
		s.users.drop()
	case store.Settings:
		s.settings.drop()
	}
}

// Tenant reads a tenant by name; false when there is none.
func (s *Source) Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error) {
	snap, err := s.tenants.get(ctx, s)
	t, ok := snap.byName[name]
	return t, ok, err
}

// Tenants lists them by name.
func (s *Source) Tenants(ctx context.Context) ([]tenant.Tenant, error) {
	snap, err := s.tenants.get(ctx, s)
	return snap.all, err
}

// Key reads an API key by its id; false when there is none.
func (s *Source) Key(ctx context.Context, id string) (tenant.Key, bool, error) {
	snap, err := s.keys.get(ctx, s)
	k, ok := snap.byName[id]
	return k, ok, err
}

// Template reads a template's head; false when there is none.
func (s *Source) Template(ctx context.Context, tenant, name string) (Template, bool, error) {
	snap, err := s.templates.get(ctx, s)
	t, ok := snap.byName[tenant+"/"+name]
	return t, ok, err
}

// Templates lists the heads by tenant and name.
func (s *Source) Templates(ctx context.Context) ([]Template, error) {
	snap, err := s.templates.get(ctx, s)
	return snap.all, err
}

// Account reads an account; false when there is none.
func (s *Source) Account(ctx context.Context, name string) (Account, bool, error) {
	snap, err := s.accounts.get(ctx, s)
	a, ok := snap.byName[name]
	return a, ok, err
}

// Accounts lists the accounts of a channel by name, those that are off too; of all channels for "".
func (s *Source) Accounts(ctx context.Context, ch message.Channel) ([]Account, error) {
	snap, err := s.accounts.get(ctx, s)
	if ch == "" {
		return snap.all, err
	}
	var out []Account
	for _, a := range snap.all {
		if a.Channel == ch {
			out = append(out, a)
		}
	}
	return out, err
}

// Routes lists the routes by name.
func (s *Source) Routes(ctx context.Context) ([]route.Route, error) {
	snap, err := s.routes.get(ctx, s)
	return snap.all, err
}

// Recipe reads an uploaded recipe; false when there is none.
func (s *Source) Recipe(ctx context.Context, name string) (Recipe, bool, error) {
	snap, err := s.recipes.get(ctx, s)
	r, ok := snap.byName[name]
	return r, ok, err
}

// Recipes lists the uploaded recipes by name.
func (s *Source) Recipes(ctx context.Context) ([]Recipe, error) {
	snap, err := s.recipes.get(ctx, s)
	return snap.all, err
}

// User reads a person who may sign in; false when there is none.
func (s *Source) User(ctx context.Context, name string) (tenant.User, bool, error) {
	snap, err := s.users.get(ctx, s)
	u, ok := snap.byName[name]
	return u, ok, err
}

// UserOf finds the person with a mail address; false when there is none.
func (s *Source) UserOf(ctx context.Context, email string) (tenant.User, bool, error) {
	snap, err := s.users.get(ctx, s)
	for _, u := range snap.all {
		if u.Is(email) {
			return u, true, err
		}
	}
	return tenant.User{}, false, err
}

// VersionName is the document's name of a template's version.
func VersionName(tenant, name string, version int) string {
	return fmt.Sprintf("%s/%s@%06d", tenant, name, version)
}

// maxVersions bounds the compiled versions that are remembered.
const maxVersions = 2048

// Version reads a version of a template, compiled; store.ErrNotFound when there is none. Versions are
// immutable, so they are read once.
func (s *Source) Version(ctx context.Context, ref message.Ref) (*template.Compiled, error) {
	name := VersionName(ref.Tenant, ref.Name, ref.Version)
	s.mu.Lock()
	c := s.versions[name]
	s.mu.Unlock()
	if c != nil {
		return c, nil
	}
	d, err := s.docs.Doc(ctx, store.TemplateVersions, name)
	if err != nil {
		return nil, err
	}
	if c, err = compile(d); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) >= maxVersions {
		clear(s.versions)
	}
	s.versions[name] = c
	return c, nil
}

func compile(d store.Doc) (*template.Compiled, error) {
	var t template.Template
	if err := json.Unmarshal(d.Body, &t); err != nil {
		return nil, fmt.Errorf("config: template %s cannot be read: %w", d.Name, err)
	}
	c, faults := template.Compile(t)
	if len(faults) > 0 {
		return nil, fmt.Errorf("config: template %s does not compile: %s %s", d.Name, faults[0].Pointer, faults[0].Detail)
	}
	return c, nil
}

// Versions reads and compiles every version of every template: for telling where a text came from. What
// cannot be read is logged and left out.
func (s *Source) Versions(ctx context.Context) ([]*template.Compiled, error) {
	docs, bad, err := s.docs.Docs(ctx, store.TemplateVersions)
	if err != nil {
		return nil, err
	}
	out := make([]*template.Compiled, 0, len(docs))
	for _, d := range docs {
		c, err := compile(d)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		out = append(out, c)
	}
	for _, err := range bad {
		s.log.ErrorContext(ctx, "document unreadable", "error", err)
	}
	return out, nil
}

// shelf is the snapshot of one kind.
type shelf[T any] struct {
	kind store.Kind

	mu    sync.RWMutex
	taken time.Time
	tried time.Time // when a refresh failed last
	drops int       // a reading that began before a drop is not fresh
	snap  snapshot[T]

	load sync.Mutex
}

type snapshot[T any] struct {
	all    []T
	byName map[string]T
}

func (h *shelf[T]) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken, h.tried = time.Time{}, time.Time{}
	h.drops++
}

// renew drops a snapshot that was taken before an instant.
func (h *shelf[T]) renew(since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken.Before(since) {
		h.taken = time.Time{}
		h.drops++
	}
}

// retryAfter is how long the old snapshot serves alone when it could not be refreshed: callers must not
// queue for a store that answers slowly or not at all.
const retryAfter = time.Second

func (h *shelf[T]) fresh(now time.Time) (snap snapshot[T], drops int, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	ok = !h.taken.IsZero() && now.Sub(h.taken) < MaxAge || !h.tried.IsZero() && now.Sub(h.tried) < retryAfter
	return h.snap, h.drops, ok
}

// failed notes a refresh that failed, unless the configuration was changed meanwhile: that must be seen.
func (h *shelf[T]) failed(at time.Time, drops int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drops == drops {
		h.tried = at
	}
}

// get gives the snapshot, reading it anew when it is too old. If that fails the old one serves on, and
// the fault is logged; only the first reading must succeed.
func (h *shelf[T]) get(ctx context.Context, s *Source) (snapshot[T], error) {
	if snap, _, ok := h.fresh(s.now()); ok {
		return snap, nil
	}
	h.load.Lock()
	defer h.load.Unlock()
	now := s.now()
	snap, drops, ok := h.fresh(now)
	if ok {
		return snap, nil
	}
	docs, bad, err := s.docs.Docs(ctx, h.kind)
	if err != nil {
		if snap.byName == nil {
			return snap, fmt.Errorf("config: %w", err)
		}
		if ctx.Err() == nil { // who asked and is gone says nothing of the store
			h.failed(s.now(), drops)
			s.log.WarnContext(ctx, "configuration not refreshed", "kind", h.kind, "error", err)
		}
		return snap, nil
	}
	next := snapshot[T]{byName: make(map[string]T, len(docs))}
	for _, d := range docs {
		var v T
		if err := json.Unmarshal(d.Body, &v); err != nil {
			bad = append(bad, fmt.Errorf("%s %s: %w", d.Kind, d.Name, err))
			continue
		}
		switch v := any(&v).(type) {
		case *Account:
			v.Version = d.Version
		case *Endpoint:
			v.Version = d.Version
		case *Recipe:
			v.Version = d.Version
		}
		next.all = append(next.all, v)
		next.byName[d.Name] = v
	}
	if len(bad) > 0 {
		s.log.ErrorContext(ctx, "document unreadable", "kind", h.kind, "error", errors.Join(bad...))
	}
	next.all = slices.Clip(next.all)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.snap, h.tried = next, time.Time{}
	if h.drops == drops {
		h.taken = now
	}
	return next, nil
}
