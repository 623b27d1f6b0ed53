package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// A coded provider's folder holds a descriptor; a recipe's folder holds a recipe, which begins with one.
const (
	file   = "provider.yaml"
	recipe = "recipe.yaml"
)

// Uploads gives the recipes that operators uploaded, in snapshots.
type Uploads interface {
	Recipe(ctx context.Context, name string) (config.Recipe, bool, error)
	Recipes(ctx context.Context) ([]config.Recipe, error)
}

// Catalog holds descriptors by name: those that are shipped, and those of uploaded recipes, which change. It
// is safe for concurrent use.
type Catalog struct {
	systems []fs.FS
	uploads Uploads // nil: none

	mu       sync.Mutex
	byName   map[string]entry
	uploaded map[string]entry // as they were read last
	own      func() []provider.Channel
}

type entry struct {
	provider.Descriptor
	known bool
	own   []provider.Channel // that an uploaded one declares: one, or none
	err   error              // why an uploaded one cannot be used by this process, which may be an older one
}

// Open makes a catalog that reads a descriptor when it is first asked for: a function that starts has no
// time for those it never uses. It is for files that Load has checked, in a test; one that cannot be read
// is then as if it were not there.
func Open(systems ...fs.FS) *Catalog {
	c := &Catalog{systems: systems, byName: map[string]entry{}, uploaded: map[string]entry{}}
	c.own = sync.OnceValue(c.shippedOwn)
	return c
}

// With adds the uploaded recipes. What is shipped is never looked for among them, nor can one take its name.
func (c *Catalog) With(u Uploads) *Catalog {
	c.uploads = u
	return c
}

// Load reads every */provider.yaml of the file systems, and the descriptor in every */recipe.yaml. The error
// lists all that is wrong, each with file and, where there is one, line.
func Load(systems ...fs.FS) (*Catalog, error) {
	c := Open(systems...)
	var errs []error
	for _, fsys := range systems {
		for _, kind := range kinds {
			names, err := fs.Glob(fsys, "*/"+kind.file)
			if err != nil {
				return nil, fmt.Errorf("catalog: list: %w", err)
			}
			for _, name := range names {
				if err := c.add(fsys, name, kind.parse); err != nil {
					errs = append(errs, err)
				}
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return c, nil
}

var kinds = [...]struct {
	file  string
	parse func(string, []byte) (provider.Descriptor, error)
}{{file, Parse}, {recipe, ParseRecipe}}

func (c *Catalog) add(fsys fs.FS, name string, parse func(string, []byte) (provider.Descriptor, error)) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	d, err := parse(name, data)
	if err != nil {
		return err
	}
	if folder := path.Base(path.Dir(name)); d.Name != folder {
		return fmt.Errorf("%s: the name is %q but the folder is %q", name, d.Name, folder)
	}
	if _, taken := c.byName[d.Name]; taken {
		return fmt.Errorf("%s: there are two providers of the name %q", name, d.Name)
	}
	c.byName[d.Name] = entry{Descriptor: d, known: true}
	return nil
}

// Shipped is the descriptor of that name that comes with notify.
func (c *Catalog) Shipped(name string) (provider.Descriptor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, looked := c.byName[name]
	if looked || name == "" || path.Base(name) != name {
		return e.Descriptor, e.known
	}
	for _, fsys := range c.systems {
		for _, kind := range kinds {
			at := name + "/" + kind.file
			if _, err := fs.Stat(fsys, at); err == nil && c.add(fsys, at, kind.parse) == nil {
				return c.byName[name].Descriptor, true
			}
		}
	}
	return provider.Descriptor{}, false
}

// Known is what Get gives, without reading anything: of an uploaded recipe it is what was read last.
func (c *Catalog) Known(name string) (provider.Descriptor, bool) {
	if d, ok := c.Shipped(name); ok {
		return d, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.uploaded[name]
	return e.Descriptor, e.known
}

// Get is the descriptor of that name. The error is that uploaded recipes cannot be read.
func (c *Catalog) Get(ctx context.Context, name string) (provider.Descriptor, bool, error) {
	if d, ok := c.Shipped(name); ok || c.uploads == nil {
		return d, ok, nil
	}
	r, ok, err := c.uploads.Recipe(ctx, name)
	if err != nil || !ok {
		return provider.Descriptor{}, false, err
	}
	e := c.upload(r)
	return e.Descriptor, e.known, e.err
}

// upload reads an uploaded recipe's descriptor, once per version.
func (c *Catalog) upload(r config.Recipe) entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.uploaded[r.Name]; ok && e.Uploaded == r.Version {
		return e
	}
	d, err := ParseRecipe(r.Name, []byte(r.Text))
	d.Name, d.Uploaded = r.Name, r.Version
	e := entry{Descriptor: d, known: err == nil, err: err}
	if ch, ok := d.OwnChannel(); ok && err == nil {
		e.own = []provider.Channel{ch}
	}
	c.uploaded[r.Name] = e
	return e
}

// All lists the descriptors by name. An uploaded one that cannot be read is left out.
func (c *Catalog) All(ctx context.Context) ([]provider.Descriptor, error) {
	var out []provider.Descriptor
	for _, fsys := range c.systems {
		for _, kind := range kinds {
			for _, name := range names(fsys, kind.file) {
				if d, ok := c.Shipped(name); ok {
					out = append(out, d)
				}
			}
		}
	}
	uploaded, err := c.changing(ctx)
	for _, e := range uploaded {
		out = append(out, e.Descriptor)
	}
	slices.SortFunc(out, func(a, b provider.Descriptor) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// changing lists the uploaded recipes that this process can use.
func (c *Catalog) changing(ctx context.Context) ([]entry, error) {
	if c.uploads == nil {
		return nil, nil
	}
	recipes, err := c.uploads.Recipes(ctx)
	var out []entry
	for _, r := range recipes {
		if _, shipped := c.Shipped(r.Name); shipped {
			continue
		}
		if e := c.upload(r); e.known {
			out = append(out, e)
		}
	}
	return out, err
}

func names(fsys fs.FS, file string) []string {
	files, _ := fs.Glob(fsys, "*/"+file) // the pattern is well formed, which is all that can fail
	for i := range files {
		files[i] = path.Dir(files[i])
	}
	return files
}

// Channel is how a channel's addresses and contents are read: a built-in one costs nothing. Of one that
// nobody declares it is false, and says how it is read all the same.
func (c *Catalog) Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error) {
	if ch, ok := provider.BuiltIn(name); ok {
		return ch, true, nil
	}
	own, err := c.Declared(ctx)
	for _, ch := range own {
		if ch.Channel == name {
			return ch, true, nil
		}
	}
	return provider.Undeclared(name), false, err
}

// Declared lists the channels that recipes declare, the shipped ones first.
func (c *Catalog) Declared(ctx context.Context) ([]provider.Channel, error) {
	out := c.ShippedChannels()
	uploaded, err := c.changing(ctx)
	for _, e := range uploaded {
		out = append(out, e.own...)
	}
	return out, err
}

// ShippedChannels lists the channels that recipes declare which come with notify.
func (c *Catalog) ShippedChannels() []provider.Channel { return slices.Clone(c.own()) }

// shippedOwn reads only the recipes that declare a channel.
func (c *Catalog) shippedOwn() (own []provider.Channel) {
	for _, fsys := range c.systems {
		for _, name := range names(fsys, recipe) {
			data, err := fs.ReadFile(fsys, name+"/"+recipe)
			if err != nil || !bytes.Contains(data, []byte("\nchannel:")) {
				continue
			}
			if d, ok := c.Shipped(name); ok {
				if ch, ok := d.OwnChannel(); ok {
					own = append(own, ch)
				}
			}
		}
	}
	return own
}
