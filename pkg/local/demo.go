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
	Templates []template.Template
	Accounts  []config.Account
}

// demoKey is the file that holds the demo tenant's key, so that a restart can show it again. It opens
// nothing but this folder's data.
const demoKey = "demo.key"

// demo seeds an empty data folder; what is there is left alone. It gives the demo tenant's key.
func demo(ctx context.Context, b *wire.Backend, dir string) (message.Secret, error) {
	path := filepath.Join(dir, demoKey)
	text, err := os.ReadFile(path)
	if err == nil {
		key := strings.TrimSpace(string(text))
		if _, _, _, err := tenant.ParseKey(key); err != nil {
			return "", fmt.Errorf("%s does not hold a key; remove it, and the next start makes a new one", path)
		}
		return message.Secret(key), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	d, err := readDemo()
	if err != nil {
		return "", err
	}
	s := seeder{ctx: ctx, b: b}
	now := message.At(b.Now())
	s.put(store.Tenants, d.Tenant.Name, d.Tenant.Name, d.Tenant)
	for _, t := range d.Templates {
		t.Tenant, t.Version = d.Tenant.Name, 1
		if _, faults := template.Compile(t); len(faults) > 0 {
			return "", fmt.Errorf("template %s: %s %s", t.Name, faults[0].Pointer, faults[0].Detail)
		}
		s.put(store.TemplateVersions, config.VersionName(t.Tenant, t.Name, 1), t.Tenant, t)
		s.put(store.Templates, t.Tenant+"/"+t.Name, t.Tenant,
			config.Template{Name: t.Name, Tenant: t.Tenant, Class: t.Class, Latest: 1, Published: 1})
	}
	for _, a := range d.Accounts {
		if len(a.Secrets) > 0 {
			s.vault(a)
		}
		s.put(store.Accounts, a.Name, "", a)
	}
	var random [27]byte
	if _, err := io.ReadFull(b.Random, random[:]); err != nil {
		return "", err
	}
	k, secret := tenant.NewKey(random, tenant.Key{Tenant: d.Tenant.Name, Title: "demo", Live: true, By: "demo",
		Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate, tenant.Admin}}, now)
	s.put(store.APIKeys, k.ID, k.Tenant, k)
	if s.err != nil {
		return "", s.err
	}
	if err := b.Store.AddDocs(ctx, tenant.System("demo"), now, s.docs...); err != nil {
		return "", err
	}
	// The key's file comes last, whole or not at all: a crash before it seeds again, with another key.
	if err := os.WriteFile(path+".new", []byte(string(secret)+"\n"), 0o600); err != nil {
		return "", err
	}
	return secret, os.Rename(path+".new", path)
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
