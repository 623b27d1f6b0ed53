package recipe

import "strings"

// path leads to events: names parted by dots, each with [] if a list stands there. "" is the whole.
type path []step

type step struct {
	name string
	list bool
}

func (c *compiler) path(s source, where string) path {
	if s.text == "" {
		return nil
	}
	var out path
	for _, word := range strings.Split(s.text, ".") {
		name, list := strings.CutSuffix(word, "[]")
		if name == "" && (!list || len(out) > 0) || strings.ContainsAny(name, "[]${} ") {
			c.fault(s.line, where, "is no path as entry[].changes[].value")
		}
		out = append(out, step{name, list})
	}
	return out
}

// find gives what stands at the end; nothing where the way ends before.
func (p path) find(doc any) []any {
	at := []any{doc}
	for _, s := range p {
		var next []any
		for _, v := range at {
			if s.name != "" {
				m, _ := v.(map[string]any)
				v = m[s.name]
			}
			if v == nil {
				continue
			}
			if !s.list {
				next = append(next, v)
			} else if items, ok := v.([]any); ok {
				next = append(next, items...)
			}
		}
		at = next
	}
	return at
}
