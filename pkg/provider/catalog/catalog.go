package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/opennotify/notify/pkg/provider"
)

// A coded provider's folder holds a descriptor; a recipe's folder holds a recipe, which begins with one.
const (
	file   = "provider.yaml"
	recipe = "recipe.yaml"
)

// Catalog holds descriptors by name. It does not change.
type Catalog struct {
	byName map[string]provider.Descriptor
}

// Load reads every */provider.yaml of the file systems, and the descriptor in every */recipe.yaml. The error
// lists all that is wrong, each with file and, where there is one, line.
func Load(systems ...fs.FS) (*Catalog, error) {
	c := &Catalog{byName: map[string]provider.Descriptor{}}
	var errs []error
	for _, fsys := range systems {
		for _, each := range []struct {
			file  string
			parse func(string, []byte) (provider.Descriptor, error)
		}{{file, Parse}, {recipe, ParseRecipe}} {
			names, err := fs.Glob(fsys, "*/"+each.file)
			if err != nil {
				return nil, fmt.Errorf("catalog: list: %w", err)
			}
			for _, name := range names {
				if err := c.add(fsys, name, each.parse); err != nil {
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
	c.byName[d.Name] = d
	return nil
}

// Get is the descriptor of that name.
func (c *Catalog) Get(name string) (provider.Descriptor, bool) {
	d, ok := c.byName[name]
	return d, ok
}

// All lists the descriptors by name.
func (c *Catalog) All() []provider.Descriptor {
	out := make([]provider.Descriptor, 0, len(c.byName))
	for _, name := range slices.Sorted(maps.Keys(c.byName)) {
		out = append(out, c.byName[name])
	}
	return out
}
