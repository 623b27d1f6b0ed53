package operate

import (
	"regexp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

// mended is what is sound of a template with faults.
type mended struct {
	variables []template.Variable
	// undeclared are names that are used all the same.
	undeclared []string
	compiled   *template.Compiled // of the variables alone
}

const maxVariables = 100 // as templates have it

var usedName = regexp.MustCompile(`\{\{[#^]?\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}`)

// mend keeps the variables that can be declared, the others as plain strings, and declares what is used
// without a declaration.
func mend(t template.Template) mended {
	var m mended
	known := map[string]bool{}
	declare := func(tries ...template.Variable) {
		for _, v := range tries {
			if known[v.Name] || len(m.variables) == maxVariables {
				return
			}
			if _, faults := template.Compile(only([]template.Variable{v})); len(faults) == 0 {
				known[v.Name] = true
				m.variables = append(m.variables, v)
				return
			}
		}
	}
	for _, v := range t.Variables {
		declare(v, template.Variable{Name: v.Name, Optional: v.Optional})
	}
	for i := range t.Variants {
		for _, text := range texts(&t.Variants[i]) {
			for _, found := range usedName.FindAllStringSubmatch(text, -1) {
				if name := found[1]; !known[name] {
					if declare(template.Variable{Name: name, Optional: true}); known[name] {
						m.undeclared = append(m.undeclared, name)
					}
				}
			}
		}
	}
	m.compiled, _ = template.Compile(only(m.variables))
	return m
}

// only is a sound template with these variables and one variant, or a text that says nothing.
func only(variables []template.Variable, variants ...template.Variant) template.Template {
	if len(variants) == 0 {
		variants = []template.Variant{{Channel: message.SMS, Locale: "en", Text: "-"}}
	}
	return template.Template{Name: "preview", Class: message.Transactional, Variables: variables, Variants: variants}
}

// render renders each field of a variant by itself; one that does not compile is given as it is written.
func (m mended) render(v *template.Variant, vars map[string]any) message.Content {
	for _, name := range m.undeclared {
		if vars[name] == nil {
			vars[name] = "{{" + name + "}}"
		}
	}
	out := texts(v)
	for i, f := range variantFields {
		alone := bare(*v)
		*f.of(&alone) = out[i]
		c, faults := template.Compile(only(m.variables, alone))
		if out[i] == "" || len(faults) > 0 {
			continue
		}
		if content, _, err := c.Render(alone.Channel, "en", vars); err == nil {
			out[i] = [...]string{content.Subject, content.Title, content.Text, content.HTML, string(content.Data)}[i]
		}
	}
	return contentOf(out)
}

// bare is a variant with no more than its channel demands.
func bare(of template.Variant) template.Variant {
	v := template.Variant{Channel: message.Other, Locale: "en", Kind: of.Content()}
	if _, ok := of.Channel.Info(); ok {
		v.Channel = of.Channel
	}
	switch v.Kind {
	case message.MailText:
		v.Subject, v.Text = "-", "-"
	case message.DataBody:
	default:
		v.Text = "-"
	}
	return v
}

func contentOf(texts [len(variantFields)]string) message.Content {
	c := message.Content{Subject: texts[0], Title: texts[1], Text: texts[2], HTML: texts[3]}
	if texts[4] != "" {
		c.Data = []byte(texts[4])
	}
	return c
}
