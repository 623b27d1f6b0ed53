package senders_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/senders"
	"github.com/opennotify/notify/recipes"
)

// TestEveryDescriptorOpens: what the catalog lists can be sent with, coded or a recipe.
func TestEveryDescriptorOpens(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors(), recipes.FS())
	if err != nil {
		t.Fatal(err)
	}
	described, err := c.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := senders.All(nil)
	for _, d := range described {
		if all[d.Name] == nil && d.Name != "devinbox" {
			t.Errorf("%s is in the catalog but cannot be opened", d.Name)
		}
	}
	coded := senders.List(nil)
	for name := range senders.Recipes(recipes.FS()) {
		if coded[name] != nil {
			t.Errorf("%s is both coded and a recipe", name)
		}
	}
}

// pager is an uploaded recipe that would like to reach its host over anything.
const pager = `name: pager
title: {zh: 呼机, en: Pager}
docs: https://pager.example/docs
channels: [pager]
channel: {name: pager, title: {zh: 呼机, en: Pager}, address: "[0-9]{4}", example: "1234", content: text}
codes: {"42": {zh: 无此机, en: There is no such pager}}
---
request: {url: "https://127.0.0.1/pages", json: {to: "${to}"}}
answer: {code: json.code, table: [{when: status == 200, outcome: sent}, {codes: ["42"], outcome: permanent}]}
`

type uploads struct {
	catalog.Uploads
	recipe config.Recipe
}

func (u *uploads) Recipe(_ context.Context, name string) (config.Recipe, bool, error) {
	return u.recipe, name == u.recipe.Name, nil
}

// TestUploads: an uploaded recipe is compiled once per version, and never gets around the guard.
func TestUploads(t *testing.T) {
	t.Parallel()
	up := &uploads{recipe: config.Recipe{Name: "pager", Text: pager, Version: 1}}
	opened := senders.UploadsOf(up)
	e, _ := providertest.Env(t)
	e.Guarded = guard.Client(guard.Options{Public: true})
	a := provider.Account{Name: "ops", Provider: "pager", Channel: "pager"}
	open, d, err := opened.Open(t.Context(), "pager")
	if err != nil || d.Uploaded != 1 || !d.Has("pager") {
		t.Fatalf("%+v %v", d, err)
	}
	s, err := open(a, e)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Send(t.Context(), provider.Call{To: "1234"}); r.Outcome != message.AccountFault || r.Code != provider.CodeRefused {
		t.Errorf("it reaches this machine: %+v", r)
	}
	up.recipe = config.Recipe{Name: "pager", Text: strings.ReplaceAll(pager, "42", "43"), Version: 2}
	if _, d, err := opened.Open(t.Context(), "pager"); err != nil || d.Uploaded != 2 || d.Codes["43"].En == "" {
		t.Errorf("%+v %v", d, err)
	}
	up.recipe.Version, up.recipe.Text = 3, "name: pager\nfuture: true\n"
	if _, _, err := opened.Open(t.Context(), "pager"); err == nil || !strings.HasPrefix(err.Error(), "pager:2: ") {
		t.Errorf("%v", err)
	}
	if _, _, err := opened.Open(t.Context(), "beeper"); err == nil {
		t.Error("a recipe that nobody uploaded")
	}
}

func TestRecipeOpens(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	a := provider.Account{Name: "ops", Provider: "feishu-bot", Channel: message.Feishu, Secrets: map[string]message.Secret{"token": "x"}}
	if s, err := senders.All(nil)["feishu-bot"](a, e); s == nil || err != nil {
		t.Errorf("%v %v", s, err)
	}
	bad := fstest.MapFS{"acme/recipe.yaml": {Data: []byte("name: acme\nnam: x\n")}}
	if _, err := senders.Recipes(bad)["acme"](a, e); err == nil || !strings.HasPrefix(err.Error(), "acme/recipe.yaml:2: ") {
		t.Errorf("a bad recipe: %v", err)
	}
}
