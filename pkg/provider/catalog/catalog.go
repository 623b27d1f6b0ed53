package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/opennotify/notify/pkg/provider"
)

// A coded provider's folder holds a descriptor; a recipe's folder holds a recipe, which begins with one.
const (
	file   = "provider.yaml"
	recipe = "recipe.yaml"
)

// Catalog holds descriptors by name. It is safe for concurrent use.
type Catalog struct {
	systems []fs.FS

	mu     sync.Mutex
	byName map[string]entry
}

type entry struct {
	provider.Descriptor
	known bool
}

// Open makes a catalog that reads a descriptor when it is first asked for: a function that starts has no
// time for those it never uses. It is for files that Load has checked, in a test; one that cannot be read
// is then as if it were not there.
func Open(systems ...fs.FS) *Catalog {
	return &Catalog{systems: systems, byName: map[string]entry{}}
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
	c.byName[d.Name] = entry{d, true}
	return nil
}

// Get is the descriptor of that name.
func (c *Catalog) Get(name string) (provider.Descriptor, bool) {
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

// All lists the descriptors by name.
func (c *Catalog) All() []provider.Descriptor {
	var out []provider.Descriptor
	for _, fsys := range c.systems {
		for _, kind := range kinds {
			names, _ := fs.Glob(fsys, "*/"+kind.file) // the pattern is well formed, which is all that can fail
			for _, name := range names {
				if d, ok := c.Get(path.Dir(name)); ok {
					out = append(out, d)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b provider.Descriptor) int { return strings.Compare(a.Name, b.Name) })
	return out
}
