package senders_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
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
	all := senders.All(nil)
	for _, d := range c.All() {
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
