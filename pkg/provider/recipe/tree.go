package recipe

import (
	"encoding/json"
	"fmt"

	"github.com/expr-lang/expr/types"
	"go.yaml.in/yaml/v3"
)

// tree builds a JSON value. ok is false for what is left out.
type tree interface {
	build(env map[string]any) (v any, ok bool, err error)
}

type (
	constant struct{ v any }
	leaf     struct{ t *template }
	// object is left out if its condition is false.
	object struct {
		when    *program
		members []member
	}
	list []tree
	// loop builds a value for each item of a list, or of a map, whose keys stay.
	loop struct {
		over  *program
		as    tree
		fault string
	}
	member struct {
		key   string
		value tree
	}
)

const (
	keyIf   = "$if"
	keyEach = "$each"
	keyAs   = "$as"
	item    = "item" // what $as may name
	maxTree = 32     // levels
)

func (c constant) build(map[string]any) (any, bool, error) { return c.v, true, nil }

func (l leaf) build(env map[string]any) (any, bool, error) {
	v, err := l.t.value(env)
	return v, v != nil, err
}

func (o object) build(env map[string]any) (any, bool, error) {
	if o.when != nil && !truth(o.when, env) {
		return nil, false, nil
	}
	out := make(map[string]any, len(o.members))
	for _, m := range o.members {
		v, ok, err := m.value.build(env)
		if err != nil {
			return nil, false, err
		}
		if ok {
			out[m.key] = v
		}
	}
	return out, true, nil
}

func (l list) build(env map[string]any) (any, bool, error) {
	out := make([]any, 0, len(l))
	for _, t := range l {
		v, ok, err := t.build(env)
		if err != nil {
			return nil, false, err
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, true, nil
}

func (l loop) build(env map[string]any) (any, bool, error) {
	over, err := l.over.run(env)
	if err != nil {
		return nil, false, unfit{l.fault}
	}
	inner := make(map[string]any, len(env)+1)
	for k, v := range env {
		inner[k] = v
	}
	switch over := over.(type) {
	case nil:
		return nil, false, nil
	case []any:
		out := make([]any, 0, len(over))
		for _, v := range over {
			inner[item] = v
			built, _, err := l.as.build(inner)
			if err != nil {
				return nil, false, err
			}
			out = append(out, built)
		}
		return out, true, nil
	case map[string]any:
		out := make(map[string]any, len(over))
		for k, v := range over {
			inner[item] = v
			if out[k], _, err = l.as.build(inner); err != nil {
				return nil, false, err
			}
		}
		return out, true, nil
	}
	return nil, false, unfit{l.fault}
}

// tree reads a node; path says where it is.
func (c *compiler) tree(n *yaml.Node, in scope, path string, depth int) tree {
	if n.Kind == yaml.AliasNode || depth > maxTree {
		c.fault(n.Line, path, "no aliases, and at most %d levels", maxTree)
		return constant{}
	}
	switch n.Kind {
	case yaml.SequenceNode:
		out := make(list, len(n.Content))
		for i, child := range n.Content {
			out[i] = c.tree(child, in, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
		return out
	case yaml.MappingNode:
		return c.mapping(n, in, path, depth)
	}
	if n.Tag == "!!str" {
		return leaf{c.template(source{n.Value, n.Line}, in, path)}
	}
	var v any
	err := n.Decode(&v)
	if err == nil {
		_, err = json.Marshal(v)
	}
	if err != nil {
		c.fault(n.Line, path, "is no value of JSON")
	}
	return constant{v}
}

func (c *compiler) mapping(n *yaml.Node, in scope, path string, depth int) tree {
	var out object
	fields := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if _, twice := fields[key.Value]; twice || key.Kind != yaml.ScalarNode {
			c.fault(key.Line, path, "the key %q stands twice or is no text", key.Value)
		}
		fields[key.Value] = value
	}
	if each := fields[keyEach]; each != nil {
		if len(fields) != 2 || fields[keyAs] == nil {
			c.fault(n.Line, path, "%s and %s go together, and alone", keyEach, keyAs)
			return out
		}
		if in[item] != nil {
			c.fault(n.Line, path, "a loop in a loop")
		}
		inner := scope{item: types.Any}
		for k, v := range in {
			inner[k] = v
		}
		return loop{
			c.expression(source{each.Value, each.Line}, in, path+"."+keyEach),
			c.tree(fields[keyAs], inner, path+"[]", depth+1), path,
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if key == keyIf {
			out.when = c.expression(source{n.Content[i+1].Value, n.Content[i+1].Line}, in, path+"."+key)
			continue
		}
		out.members = append(out.members, member{key, c.tree(n.Content[i+1], in, path+"."+key, depth+1)})
	}
	return out
}
