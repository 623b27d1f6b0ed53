package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// maxRecipes bounds the recipes that are uploaded: every process holds what they describe.
const maxRecipes = 100

// Recipes lists the uploaded recipes by name.
func (o *Operate) Recipes(ctx context.Context, p tenant.Principal) ([]Versioned[config.Recipe], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	return list[config.Recipe](ctx, o, p, store.Recipes)
}

// Recipe reads a version of an uploaded recipe; 0 is the newest.
func (o *Operate) Recipe(ctx context.Context, p tenant.Principal, name string, version int64) (Versioned[config.Recipe], error) {
	none := Versioned[config.Recipe]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	if !tenant.ValidName(name) {
		return none, notFound(store.Recipes, name)
	}
	if version == 0 {
		return get[config.Recipe](ctx, o, p, store.Recipes, name)
	}
	versions, err := history[config.Recipe](ctx, o, p, store.Recipes, name)
	if err != nil {
		return none, err
	}
	i := slices.IndexFunc(versions, func(v Versioned[config.Recipe]) bool { return v.Version == version })
	if i < 0 {
		return none, problem.New(problem.NotFound, "recipe %s has no version %d; it has 1 to %d", name, version, versions[0].Version)
	}
	return versions[i], nil
}

// RecipeHistory lists a recipe's versions, the newest first.
func (o *Operate) RecipeHistory(ctx context.Context, p tenant.Principal, name string) ([]Versioned[config.Recipe], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	if !tenant.ValidName(name) {
		return nil, notFound(store.Recipes, name)
	}
	return history[config.Recipe](ctx, o, p, store.Recipes, name)
}

// PutRecipe uploads a recipe, or a new version of one. It is a provider like those that are shipped, at once
// here and within config.MaxAge everywhere; senders that are open go on with the version before until then.
func (o *Operate) PutRecipe(ctx context.Context, p tenant.Principal, r config.Recipe, c Change) (Versioned[config.Recipe], error) {
	none := Versioned[config.Recipe]{}
	if err := may(p, tenant.Admin); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	f.name(r.Name)
	if err := f.err(); err != nil {
		return none, err
	}
	d, err := o.readRecipe(&f, r)
	if err != nil {
		return none, err
	}
	head, live, err := o.document(ctx, store.Recipes, r.Name)
	if err == nil {
		err = expect(head, live, c)
	}
	if err == nil {
		err = o.besideOthers(ctx, d, r, live)
	}
	if err == nil && live {
		err = o.fitsAccounts(ctx, d, head)
	}
	if err != nil {
		return none, err
	}
	meta, err := o.save(ctx, p, head, "", c.Reason, r)
	return Versioned[config.Recipe]{meta, r}, err
}

// readRecipe finds everything that is wrong with a recipe by itself; each fault names its line.
func (o *Operate) readRecipe(f *faults, r config.Recipe) (provider.Descriptor, error) {
	var d provider.Descriptor
	if o.Compile == nil {
		return d, problem.New(problem.NotAllowedNow, "recipes cannot be uploaded here")
	}
	if strings.TrimSpace(r.Text) == "" {
		f.add("/recipe", problem.Required, "recipe is required: the text of a recipe.yaml; docs/add-a-provider.md shows one")
		return d, f.err()
	}
	d, err := o.Compile(r.Name, []byte(r.Text))
	for _, fault := range catalog.Faults(err) {
		f.add(atLine(fault.Line), problem.BadValue, "%s", fault.Text())
	}
	if err == nil && d.Name != r.Name {
		f.add(atLine(lineOf(r, "name")), problem.BadValue, "the recipe is named %q, and uploaded as %q; the two are one name", d.Name, r.Name)
	}
	if _, shipped := o.Catalog.Shipped(r.Name); shipped {
		f.add("path:name", problem.BadValue, "%s is a provider that comes with notify; choose another name, such as %s-own", r.Name, r.Name)
	}
	return d, f.err()
}

// atLine points to a line of the text in recipe.
func atLine(n int) string {
	if n == 0 {
		return "/recipe"
	}
	return fmt.Sprintf("line:%d", n)
}

func lineOf(r config.Recipe, path ...any) int {
	return catalog.PlacesOf([]byte(r.Text), 0).Line(path...)
}

// besideOthers refuses a channel that another recipe declares, and a recipe too many.
func (o *Operate) besideOthers(ctx context.Context, d provider.Descriptor, r config.Recipe, live bool) error {
	recipes, err := list[config.Recipe](ctx, o, tenant.System("operate"), store.Recipes)
	if err != nil {
		return err
	}
	if !live && len(recipes) >= maxRecipes {
		return problem.New(problem.NotAllowedNow, "there are %d uploaded recipes; at most %d are allowed: delete one that no account uses", len(recipes), maxRecipes)
	}
	if d.Own == nil {
		return nil
	}
	taken := func(by string) error {
		return problem.Invalid(problem.At(atLine(lineOf(r, "channel", "name")), problem.BadValue, "channel %s is declared by %s already", d.Own.Name, by))
	}
	for _, ch := range o.Catalog.ShippedChannels() {
		if ch.Channel == d.Own.Name {
			return taken("a recipe that comes with notify")
		}
	}
	for _, other := range recipes { // as they are now, not as the catalog read them last
		has, err := catalog.ParseRecipe(other.Body.Name, []byte(other.Body.Text))
		if err == nil && other.Body.Name != r.Name && has.Own != nil && has.Own.Name == d.Own.Name {
			return taken("recipe " + other.Body.Name)
		}
	}
	return nil
}

// fitsAccounts refuses a new version that an account could not be opened with, or that says of a channel in
// use that it holds something else: templates were written for what it holds.
func (o *Operate) fitsAccounts(ctx context.Context, d provider.Descriptor, head store.Doc) error {
	using, err := o.accountsOf(ctx, d.Name)
	if err != nil || len(using) == 0 {
		return err
	}
	var old config.Recipe
	if err := json.Unmarshal(head.Body, &old); err != nil {
		return unreadable(err)
	}
	if was, err := catalog.ParseRecipe(old.Name, []byte(old.Text)); err == nil && was.Own != nil && d.Own != nil && was.Own.Content != d.Own.Content {
		return problem.New(problem.NotAllowedNow, "channel %s holds %s, and accounts are on it; another kind of content is another channel", was.Own.Name, was.Own.Content)
	}
	for _, a := range using {
		kept, err := o.Vault.Get(ctx, a.Name)
		if err != nil && !errors.Is(err, secret.ErrNotFound) {
			return unreadable(err)
		}
		if _, err := fitTo(d, a, kept); err != nil {
			first := problem.From(err).Fields[0]
			return problem.New(problem.NotAllowedNow, "account %s would not fit this version: %s: %s; keep what accounts have, and make new fields optional or give them a default", a.Name, first.Pointer, first.Detail)
		}
	}
	return nil
}

// accountsOf lists the accounts of a provider.
func (o *Operate) accountsOf(ctx context.Context, name string) ([]config.Account, error) {
	accounts, err := list[config.Account](ctx, o, tenant.System("operate"), store.Accounts)
	var out []config.Account
	for _, a := range accounts {
		if a.Body.Provider == name {
			out = append(out, a.Body)
		}
	}
	return out, err
}

// DeleteRecipe deletes a recipe that no account uses. Its channel, if it declares one, is gone with it.
func (o *Operate) DeleteRecipe(ctx context.Context, p tenant.Principal, name string, c Change) error {
	if err := may(p, tenant.Admin); err != nil {
		return err
	}
	if !tenant.ValidName(name) {
		return notFound(store.Recipes, name)
	}
	return o.remove(ctx, p, store.Recipes, name, c, func() error {
		using, err := o.accountsOf(ctx, name)
		if err != nil || len(using) == 0 {
			return err
		}
		names := make([]string, len(using))
		for i, a := range using {
			names[i] = a.Name
		}
		return problem.New(problem.NotAllowedNow, "recipe %s is used by the accounts %s; delete them first", name, some(names))
	})
}
