package local

import (
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
)

//go:embed demo.yaml
var demoFile embed.FS

// demoData is demo.yaml: what a developer finds on the first start.
type demoData struct {
	Tenant    tenant.Tenant
	Settings  config.Settings
	Templates []template.Template
	Canary    template.Template // made where canaries are sent
	Accounts  []config.Account
}

// demoCanary is the name of its template.
const demoCanary = "canary"

// demoKey is the file that holds the demo tenant's key, so that a restart can show it again, and another world
// have the same. It opens nothing but demo tenants.
const demoKey = "demo.key"

// demo gives the demo tenant's key. It seeds a world that does not know it, if there is to be a demo tenant;
// what is there is left alone.
func demo(ctx context.Context, w *World, dir string) (message.Secret, error) {
	path := filepath.Join(dir, demoKey)
	secret, err := readKey(path)
	if err != nil {
		return "", err
	}
	if secret != "" {
		id, _, _, _ := tenant.ParseKey(string(secret)) // as readKey did
		if _, err := w.Store.Doc(ctx, store.APIKeys, id); err == nil || !errors.Is(err, store.ErrNotFound) {
			return secret, err
		}
	}
	if !w.Demo {
		return "", nil
	}
	if secret == "" {
		var random [27]byte
		if _, err := io.ReadFull(w.Random, random[:]); err != nil {
			return "", err
		}
		_, secret = tenant.NewKey(random, tenant.Key{Live: true}, 0)
	}
	if err := seed(ctx, &w.Backend, secret); err != nil {
		return "", err
	}
	// The key's file comes last, whole or not at all: a crash before it seeds again, with another key.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".new", []byte(string(secret)+"\n"), 0o600); err != nil {
		return "", err
	}
	return secret, os.Rename(path+".new", path)
}

// readKey is "" without a file.
func readKey(path string) (message.Secret, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(text))
	if _, _, _, err := tenant.ParseKey(key); err != nil {
		return "", fmt.Errorf("%s does not hold a key; remove it, and the next start makes a new one", path)
	}
	return message.Secret(key), nil
}

// seed writes the demo tenant, with a key of that text.
func seed(ctx context.Context, b *wire.Backend, secret message.Secret) error {
	d, err := readDemo()
	if err != nil {
		return err
	}
	s := seeder{ctx: ctx, b: b}
	now := message.At(b.Now())
	s.put(store.Tenants, d.Tenant.Name, d.Tenant.Name, d.Tenant)
	s.put(store.Settings, config.SettingsName, "", d.Settings)
	for _, t := range d.Templates {
		s.template(d.Tenant.Name, t)
	}
	for _, a := range d.Accounts {
		if len(a.Secrets) > 0 {
			s.vault(a)
		}
		s.put(store.Accounts, a.Name, "", a)
	}
	k, err := tenant.Remake(secret, tenant.Key{Tenant: d.Tenant.Name, Title: "demo", By: "demo",
		Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate, tenant.Admin}}, now)
	if err != nil {
		return err
	}
	s.put(store.APIKeys, k.ID, k.Tenant, k)
	if s.err != nil {
		return s.err
	}
	return b.Store.AddDocs(ctx, tenant.System("demo"), now, s.docs...)
}

func readDemo() (demoData, error) {
	var d demoData
	text, err := demoFile.ReadFile("demo.yaml")
	if err != nil {
		return d, err
	}
	// By way of JSON, so that the documents' own names are used.
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return d, err
	}
	b, err := json.Marshal(tree)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(b, &d, json.MatchCaseInsensitiveNames(true), json.RejectUnknownMembers(true))
}

// seeder collects documents until the first fault.
type seeder struct {
	ctx  context.Context
	b    *wire.Backend
	docs []store.Doc
	err  error
}

// template is a template of a tenant's, published.
func (s *seeder) template(owner string, t template.Template) {
	t.Tenant, t.Version = owner, 1
	if _, faults := template.Compile(t); len(faults) > 0 {
		s.err = errors.Join(s.err, fmt.Errorf("template %s: %s %s", t.Name, faults[0].Pointer, faults[0].Detail))
		return
	}
	s.put(store.TemplateVersions, config.VersionName(owner, t.Name, 1), owner, t)
	s.put(store.Templates, owner+"/"+t.Name, owner, config.Template{Name: t.Name, Tenant: owner, Class: t.Class, Latest: 1, Published: 1})
}

// vault gives an account a webhook signing secret of its own in each of its secret fields
// (https://github.com/standard-webhooks/standard-webhooks: 24 to 64 random bytes).
func (s *seeder) vault(a config.Account) {
	fields := map[string]message.Secret{}
	for _, name := range a.Secrets {
		var random [32]byte
		if _, err := io.ReadFull(s.b.Random, random[:]); err != nil {
			s.err = errors.Join(s.err, err)
			return
		}
		fields[name] = message.Secret("whsec_" + base64.StdEncoding.EncodeToString(random[:]))
	}
	s.err = errors.Join(s.err, s.b.Vault.Put(s.ctx, a.Name, fields))
}

func (s *seeder) put(k store.Kind, name, owner string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("%s %s: %w", k, name, err))
		return
	}
	s.docs = append(s.docs, store.Doc{Kind: k, Name: name, Tenant: owner, Reason: "first start", Body: body})
}
