package template

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opennotify/notify/pkg/message"
)

// Complete is the variables with those that may be absent, and are: as nil, which reads as "".
func (c *Compiled) Complete(vars map[string]any) map[string]any {
	out := make(map[string]any, len(c.declared))
	maps.Copy(out, vars)
	for name := range c.declared {
		if _, has := out[name]; !has {
			out[name] = nil
		}
	}
	return out
}

// Same tells whether two templates say the same on a channel: in the same words, with variables of the same
// names and types.
func Same(a, b Template, ch message.Channel) bool {
	inA, inB := on(a, ch), on(b, ch)
	return slices.Equal(inA.Variants, inB.Variants) && slices.Equal(inA.Variables, inB.Variables)
}

// on is what counts on a channel, in an order of its own.
func on(t Template, ch message.Channel) (out Template) {
	for _, v := range t.Variants {
		if v.Channel == ch {
			out.Variants = append(out.Variants, v)
		}
	}
	alone := t
	alone.Variants = out.Variants
	c, _ := Compile(alone)
	for _, v := range t.Variables {
		if c != nil && c.declared[v.Name].used {
			out.Variables = append(out.Variables, Variable{Name: v.Name, Type: cmp.Or(v.Type, typeString)})
		}
	}
	slices.SortFunc(out.Variants, func(a, b Variant) int { return cmp.Compare(a.Locale, b.Locale) })
	slices.SortFunc(out.Variables, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
