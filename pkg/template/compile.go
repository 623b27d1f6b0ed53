package template

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// Compiled is a template that was checked and is ready to render. It is immutable and may be used by
// many goroutines.
type Compiled struct {
	template Template
	declared map[string]*declared
	variants []variant
	warnings []string
}

// declared is a Variable and what the variants do with it.
type declared struct {
	Variable
	pattern *regexp.Regexp
	used    bool
	oneLine bool            // used in a subject
	fields  map[string]bool // of a list: what every entry needs
}

// Compile checks a template, everything at once, and prepares it. The pointers of the faults begin at
// the template: /variants/0/text.
func Compile(t Template) (*Compiled, []problem.Field) {
	t.Variables, t.Variants, t.DedupExclude = slices.Clone(t.Variables), slices.Clone(t.Variants), slices.Clone(t.DedupExclude)
	c := compiler{Compiled: Compiled{template: t, declared: make(map[string]*declared, len(t.Variables))}}
	c.head()
	c.variables()
	c.allVariants()
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	for _, v := range t.Variables {
		if !c.declared[v.Name].used {
			c.warnings = append(c.warnings, fmt.Sprintf("variable %q is declared but no variant uses it", v.Name))
		}
	}
	return &c.Compiled, nil
}

// Template is what was compiled. Its slices are shared: do not change them.
func (c *Compiled) Template() Template { return c.template }

// Warnings are what is allowed but probably not meant.
func (c *Compiled) Warnings() []string { return slices.Clone(c.warnings) }

// DedupVars are the variables that make two messages different: those that DedupExclude does not name.
func (c *Compiled) DedupVars(vars map[string]any) map[string]any {
	out := maps.Clone(vars)
	for _, name := range c.template.DedupExclude {
		delete(out, name)
	}
	return out
}

// SecretVars are the names of the secret variables, in the order they are declared.
func (c *Compiled) SecretVars() []string {
	var names []string
	for _, v := range c.template.Variables {
		if v.Secret {
			names = append(names, v.Name)
		}
	}
	return names
}

// Redacted is what Redact shows for a secret.
const Redacted = "•••"

// Redact is a copy of the variables to show to people. What is not declared is hidden too.
func (c *Compiled) Redact(vars map[string]any) map[string]any {
	out := maps.Clone(vars)
	for name := range out {
		if d := c.declared[name]; d == nil || d.Secret {
			out[name] = Redacted
		}
	}
	return out
}

func (c *Compiled) isURL(name string) bool {
	d := c.declared[name]
	return d != nil && d.Type == typeURL
}

// compiler collects the faults.
type compiler struct {
	Compiled
	faults []problem.Field
}

func (c *compiler) fault(pointer string, code problem.Code, format string, args ...any) {
	if len(c.faults) == maxFaults {
		return
	}
	c.faults = append(c.faults, problem.At(pointer, code, format, args...))
}

// source is one field of a variant on its way to nodes.
type source struct {
	name string
	text string
	to   *[]node
}

// compile parses one field, binds its names, and gives its variables their escapers.
func (c *compiler) compile(pointer string, s source, kind message.ContentKind) {
	read := parse
	if s.name == "data" {
		read = parseData
	}
	nodes, err := read(s.text)
	if err == nil {
		err = c.escape(nodes, s.name, kind)
	}
	if err != nil {
		c.fault(pointer, problem.BadValue, "%s", err.in(s.text))
		return
	}
	b := binder{c: c, pointer: pointer, source: s}
	b.bind(nodes, "", nil)
	*s.to = nodes
}

func (c *compiler) escape(nodes []node, field string, kind message.ContentKind) *fault {
	switch {
	case field == "data": // parseData did it
	case field == "html":
		var h htmlContext
		if err := h.pass(nodes); err != nil {
			return err
		}
		if why := h.finish(); why != "" {
			return &fault{0, why}
		}
	case kind == message.ChatText:
		context := chatContext{isURL: c.isURL}
		context.pass(nodes)
	default:
		plain(nodes)
	}
	return nil
}

func plain(nodes []node) {
	for i := range nodes {
		nodes[i].write = asIs
		plain(nodes[i].body)
	}
}

// binder connects the names in one field with the declarations.
type binder struct {
	c       *compiler
	pointer string
	source  source
}

// bind walks the nodes. List is the innermost list that is repeated here, and required the fields that
// every entry needs: those used directly in its section, under no condition.
func (b *binder) bind(nodes []node, list string, required map[string]bool) {
	for i := range nodes {
		n := &nodes[i]
		if n.kind == literal {
			continue
		}
		d := b.c.declared[n.text]
		if d == nil && list == "" {
			b.fault(n, problem.UnknownVariable, "%q is not declared%s", n.text, didYouMean(n.text, maps.Keys(b.c.declared)))
		}
		if d == nil {
			if n.kind == variable && required != nil {
				required[n.text] = true
			}
			b.bind(n.body, list, nil)
			continue
		}
		d.used = true
		d.oneLine = d.oneLine || b.source.name == "subject"
		switch {
		case d.Type != typeList:
			b.bind(n.body, list, nil)
		case n.kind == variable:
			b.fault(n, problem.BadValue, "%q is a list: repeat over it with {{#%s}}…{{/%s}}", n.text, n.text, n.text)
		case n.kind == inverted:
			b.bind(n.body, list, nil)
		default:
			fields := d.fields
			if list != "" { // whose field it is cannot be told
				fields = nil
			}
			b.bind(n.body, n.text, fields)
		}
	}
}

func (b *binder) fault(n *node, code problem.Code, format string, args ...any) {
	if len(b.c.faults) == maxFaults { // finding the line is not free
		return
	}
	f := fault{n.at, fmt.Sprintf(format, args...)}
	b.c.fault(b.pointer, code, "%s", f.in(b.source.text))
}
