package accounts_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/accounts"
	"github.com/opennotify/notify/pkg/secret"
)

const canary = "canary-secret"

// world is the catalog, the vault and the clock.
type world struct {
	now    time.Time
	kept   map[string]message.Secret
	away   error
	reads  int
	opened int
	fails  error
	// uploaded is the version of the provider's recipe, if it is one that was uploaded; faulty is one that
	// cannot be opened, and lost that none can be read.
	uploaded, faulty int64
	lost             error
}

func (w *world) Get(_ context.Context, name string) (provider.Descriptor, bool, error) {
	if name == "none" || w.lost != nil {
		return provider.Descriptor{}, false, w.lost
	}
	return provider.Descriptor{Name: "fake", Uploaded: w.uploaded, Channels: []message.Channel{message.SMS}, Dedup: true,
		Fields: []provider.Field{{Name: "token", Type: "string", Required: true, Secret: true}, {Name: "sign", Type: "string", Default: "S"}}}, true, nil
}

// vault is the world's.
type vault struct{ *world }

func (v vault) Get(context.Context, string) (map[string]message.Secret, error) {
	v.reads++
	if v.away == nil && v.kept == nil {
		return nil, secret.ErrNotFound
	}
	return v.kept, v.away
}
func (vault) Put(context.Context, string, map[string]message.Secret) error { return nil }

// sender remembers what it was opened with.
type sender struct{ account provider.Account }

func (*sender) Send(context.Context, provider.Call) message.Result { return message.Result{} }

func newAccounts(w *world) *accounts.Accounts {
	w.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.kept = map[string]message.Secret{"token": canary}
	return accounts.New(accounts.Ports{Catalog: w, Vault: vault{w}, Env: provider.Env{Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)},
		Senders: map[string]provider.OpenFunc{"fake": func(a provider.Account, _ provider.Env) (provider.Sender, error) {
			w.opened++
			return &sender{a}, w.fails
		}}, Uploaded: w.recipe})
}

func (w *world) recipe(ctx context.Context, name string) (provider.OpenFunc, provider.Descriptor, error) {
	d, _, err := w.Get(ctx, name)
	if w.uploaded == w.faulty {
		err = errors.New("does not compile")
	}
	return func(a provider.Account, _ provider.Env) (provider.Sender, error) {
		w.opened++
		return &sender{a}, nil
	}, d, err
}

func account() config.Account {
	return config.Account{Name: "a1", Provider: "fake", Channel: message.SMS, Secrets: []string{"token"}, Config: map[string]string{}, Version: 1}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	w := &world{}
	s := newAccounts(w)
	a := account()
	first, desc, err := s.Open(t.Context(), a)
	if err != nil || !desc.Dedup || first.(*sender).account.Secrets["token"] != canary || first.(*sender).account.Config["sign"] != "S" || len(a.Config) != 0 {
		t.Fatalf("%+v %v", first, err)
	}
	open := func(same bool, why string) {
		t.Helper()
		got, _, err := s.Open(t.Context(), a)
		if err != nil || (got == first) != same {
			t.Errorf("%s: the same is %v, %v", why, got == first, err)
		}
		first = got
	}
	open(true, "at once")
	w.now = w.now.Add(6 * time.Minute)
	open(true, "the secrets are read again and are the same: tokens are not fetched anew")
	w.kept = map[string]message.Secret{"token": "rotated"}
	open(true, "within their time")
	w.now = w.now.Add(6 * time.Minute)
	open(false, "rotated")
	w.now, w.away = w.now.Add(6*time.Minute), errors.New("the vault is away")
	open(true, "the vault is away")
	w.now, w.away, w.kept = w.now.Add(11*time.Second), nil, map[string]message.Secret{"token": "once more"}
	open(false, "the vault is back")
	a.Version = 2
	open(false, "the account was changed")
	if w.reads != 6 || w.opened != 4 {
		t.Errorf("%d reads, %d opened", w.reads, w.opened)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do    func(w *world, a *config.Account)
		want  string
		knows bool // what the provider is
	}{
		"no provider":   {func(_ *world, a *config.Account) { a.Provider = "none" }, "there is no provider", false},
		"not here":      {func(_ *world, a *config.Account) { a.Provider = "other" }, "cannot be used here", true},
		"no secret":     {func(w *world, _ *config.Account) { w.kept = nil }, `field "token" is required`, true},
		"no vault":      {func(w *world, _ *config.Account) { w.away = errors.New("the vault is away") }, "the vault is away", true},
		"other channel": {func(_ *world, a *config.Account) { a.Channel = message.Email }, "does not send on channel", true},
		"other field":   {func(_ *world, a *config.Account) { a.Config["token"] = canary }, "no plain field", true},
		"open":          {func(w *world, _ *config.Account) { w.fails = errors.New("a bad token") }, "a bad token", true},
	} {
		w := &world{}
		s := newAccounts(w)
		a := account()
		tt.do(w, &a)
		for range 2 { // a fault is not kept
			got, desc, err := s.Open(t.Context(), a)
			if err == nil || got != nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "account a1") || strings.Contains(err.Error(), canary) || desc.Dedup != tt.knows {
				t.Errorf("%s: %v %+v %v", name, got, desc, err)
			}
		}
	}
}

// TestUploaded: an account is opened anew when its recipe has a new version, and only then. One that cannot be
// used, or read, leaves the last one in service.
func TestUploaded(t *testing.T) {
	t.Parallel()
	w := &world{uploaded: 1}
	s := newAccounts(w)
	a := account()
	first, desc, err := s.Open(t.Context(), a)
	if err != nil || desc.Uploaded != 1 {
		t.Fatalf("%+v %v", desc, err)
	}
	open := func(same bool, version int64, why string) {
		t.Helper()
		got, desc, err := s.Open(t.Context(), a)
		if err != nil || (got == first) != same || desc.Uploaded != version {
			t.Errorf("%s: the same is %v, version %d, %v", why, got == first, desc.Uploaded, err)
		}
		first = got
	}
	open(true, 1, "at once")
	w.uploaded = 2
	open(false, 2, "a new version")
	open(true, 2, "which is open now")
	w.uploaded, w.faulty = 3, 3
	open(true, 2, "a version that cannot be used")
	reads := w.reads
	open(true, 2, "and is not tried for every message")
	if w.reads != reads {
		t.Error("the secrets were read again")
	}
	w.lost = errors.New("the store is away")
	open(true, 2, "the recipes cannot be read")
	w.lost, w.uploaded = nil, 4
	open(false, 4, "a good version")
	w.lost = errors.New("the store is away")
	if _, _, err := s.Open(t.Context(), config.Account{Name: "a2", Provider: "fake", Channel: message.SMS}); err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("an account that was never open: %v", err)
	}
}

// A crowd opens an account once.
func TestCrowd(t *testing.T) {
	t.Parallel()
	w := &world{}
	s := newAccounts(w)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, _, err := s.Open(t.Context(), account()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w.opened != 1 || w.reads != 1 {
		t.Errorf("%d opened, %d reads", w.opened, w.reads)
	}
}
