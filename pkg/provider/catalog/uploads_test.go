package catalog_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
)

// pager is a recipe with a channel of its own.
func pager(name, pattern string) string {
	return strings.NewReplacer("acme", name, "channels: [sms]", "channels: ["+name+"]\nchannel: {name: "+name+
		", title: {zh: 呼机, en: Pager}, address: \""+pattern+"\", example: \"1234\", content: text}").Replace(good) + "---\nrequest: {}\n"
}

type uploads struct {
	recipes []config.Recipe
	err     error
	reads   int
}

func (u *uploads) Recipe(_ context.Context, name string) (config.Recipe, bool, error) {
	u.reads++
	i := slices.IndexFunc(u.recipes, func(r config.Recipe) bool { return r.Name == name })
	if i < 0 || u.err != nil {
		return config.Recipe{}, false, u.err
	}
	return u.recipes[i], true, nil
}

func (u *uploads) Recipes(context.Context) ([]config.Recipe, error) {
	u.reads++
	return u.recipes, u.err
}

func (u *uploads) put(name, text string, version int64) {
	u.recipes = slices.DeleteFunc(u.recipes, func(r config.Recipe) bool { return r.Name == name })
	u.recipes = append(u.recipes, config.Recipe{Name: name, Text: text, Version: version})
}

// TestUploads: an uploaded recipe is described like a shipped one, from its newest version on.
func TestUploads(t *testing.T) {
	t.Parallel()
	up := &uploads{}
	c := catalog.Open(provider.Descriptors(), fstest.MapFS{"beeper/recipe.yaml": {Data: []byte(pager("beeper", "[0-9]{4}"))}}).With(up)
	channel := func(name message.Channel, known bool) provider.Channel {
		t.Helper()
		ch, ok, err := c.Channel(t.Context(), name)
		if err != nil || ok != known || ch.Channel != name {
			t.Fatalf("%s: %+v %v %v", name, ch, ok, err)
		}
		return ch
	}
	if _, ok, err := c.Get(t.Context(), "webhook"); !ok || err != nil || channel(message.SMS, true).Address != message.Phone || up.reads > 0 {
		t.Errorf("what is built in is looked for among the uploads: %v %v, %d reads", ok, err, up.reads)
	}
	if !channel("beeper", true).Fits("1234") {
		t.Error("a shipped recipe's channel is not read by its pattern")
	}
	channel("pager", false)
	up.put("pager", pager("pager", "[0-9]{4}"), 3)
	if d, ok, err := c.Get(t.Context(), "pager"); !ok || err != nil || d.Uploaded != 3 || !d.Has("pager") {
		t.Errorf("%+v %v %v", d, ok, err)
	}
	if ch := channel("pager", true); !ch.Fits("1234") || ch.Fits("12345") {
		t.Error("not read by its pattern")
	}
	up.put("pager", pager("pager", "[0-9]{4,5}"), 4)
	if !channel("pager", true).Fits("12345") {
		t.Error("the version before is in force")
	}
	if ch, err := c.Declared(t.Context()); err != nil || len(ch) != 2 {
		t.Errorf("%v %v", ch, err)
	}
	if list := all(t, c); !slices.ContainsFunc(list, func(d provider.Descriptor) bool { return d.Name == "pager" && d.Uploaded == 4 }) {
		t.Errorf("not listed: %v", list)
	}
	// What this process, which may be an older one, cannot read is not used, and says why.
	up.put("pager", "name: pager\nfuture: true\n", 5)
	if _, ok, err := c.Get(t.Context(), "pager"); ok || err == nil || !strings.HasPrefix(err.Error(), "pager:2: field future not found") {
		t.Errorf("%v %v", ok, err)
	}
	channel("pager", false)
}

// TestUploadsTakeNothing: what is shipped is what it is, and a store that is away is no "there is none".
func TestUploadsTakeNothing(t *testing.T) {
	t.Parallel()
	up := &uploads{}
	up.put("webhook", pager("webhook", "x"), 1)
	c := catalog.Open(provider.Descriptors()).With(up)
	if d, ok, _ := c.Get(t.Context(), "webhook"); !ok || d.Uploaded != 0 {
		t.Errorf("%+v", d)
	}
	if list := all(t, c); len(list) != len(all(t, catalog.Open(provider.Descriptors()))) {
		t.Errorf("%v", list)
	}
	up.err = errors.New("the store is away")
	if _, _, err := c.Get(t.Context(), "pager"); err == nil {
		t.Error("a provider: no error")
	}
	if ch, known, err := c.Channel(t.Context(), "pager"); err == nil || known || ch.Address != message.Account {
		t.Errorf("a channel: %+v %v %v", ch, known, err)
	}
	if _, known, err := c.Channel(t.Context(), message.SMS); !known || err != nil {
		t.Errorf("a built-in channel: %v %v", known, err)
	}
	if _, err := c.All(t.Context()); err == nil {
		t.Error("the list: no error")
	}
}
