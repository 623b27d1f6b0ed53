package template

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// MaxOutput bounds the content that is rendered, all its fields together, in bytes.
const MaxOutput = 256 << 10

// maxSteps bounds the work of lists within lists that print nothing.
const maxSteps = 1 << 20

// Errors of Render.
var (
	ErrNoVariant = errors.New("template: no variant for this channel")
	ErrTooLarge  = errors.New("template: the rendered content is larger than 256 KB")
)

// variant is a compiled Variant.
type variant struct {
	channel                          message.Channel
	kind                             message.ContentKind
	locale                           string // in lower case
	index                            int    // in Template.Variants
	subject, title, text, html, data []node
	size                             int // of the fixed text
}

// Render fills in the variant for a channel and locale and returns the locale that was chosen: the exact
// one, then its base language, then another of that language, then the channel's first variant. It
// expects variables that passed Check; a missing one renders as "", and no value ever renders as more
// than a value. Errors: ErrNoVariant, ErrTooLarge.
func (c *Compiled) Render(ch message.Channel, locale string, vars map[string]any) (message.Content, string, error) {
	v := c.pick(ch, locale)
	if v == nil {
		return message.Content{}, "", ErrNoVariant
	}
	r := renderer{compiled: c, out: make([]byte, 0, v.size+256)}
	r.scopes[0] = vars
	content := message.Content{
		Subject: r.field(v.subject),
		Title:   r.field(v.title),
		Text:    r.field(v.text),
		HTML:    r.field(v.html),
	}
	if v.data != nil {
		content.Data = json.RawMessage(r.field(v.data))
	}
	if r.overflow {
		return message.Content{}, "", ErrTooLarge
	}
	return content, c.template.Variants[v.index].Locale, nil
}

func (c *Compiled) pick(ch message.Channel, locale string) *variant {
	locale = foldLocale(locale)
	var first *variant
	for want := locale; ; {
		for i := range c.variants {
			v := &c.variants[i]
			if v.channel != ch {
				continue
			}
			if v.locale == want {
				return v
			}
			if first == nil {
				first = v
			}
		}
		i := strings.LastIndexByte(want, '-')
		if i < 0 {
			break
		}
		want = want[:i]
	}
	base, _, _ := strings.Cut(locale, "-")
	for i := range c.variants {
		if v := &c.variants[i]; v.channel == ch && base != "" && strings.HasPrefix(v.locale, base+"-") {
			return v
		}
	}
	return first
}

// foldLocale makes zh_Hant and zh-hant one.
func foldLocale(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }

type renderer struct {
	compiled *Compiled
	out      []byte
	scopes   [maxDepth + 1]map[string]any // the variables, then the entries of the lists around
	depth    int
	steps    int
	done     int // bytes of the fields before
	overflow bool
}

func (r *renderer) field(nodes []node) string {
	if len(nodes) == 0 || r.overflow {
		return ""
	}
	r.out = r.out[:0]
	r.nodes(nodes)
	r.done += len(r.out)
	return string(r.out)
}

func (r *renderer) nodes(nodes []node) {
	for i := range nodes {
		n := &nodes[i]
		if r.steps++; r.steps > maxSteps || r.done+len(r.out) > MaxOutput {
			r.overflow = true
		}
		if r.overflow {
			return
		}
		switch n.kind {
		case literal:
			r.out = append(r.out, n.text...)
		case variable:
			r.variable(n)
		default:
			r.section(n)
		}
	}
	r.overflow = r.overflow || r.done+len(r.out) > MaxOutput
}

func (r *renderer) variable(n *node) {
	value, level := r.lookup(n.text)
	switch v := value.(type) {
	case string:
		if level == 0 && n.link != nil && r.compiled.isURL(n.text) {
			r.out = n.link(r.out, v)
		} else {
			r.out = n.write(r.out, v)
		}
	case bool:
		r.out = n.write(r.out, strconv.FormatBool(v))
	default:
		var digits [32]byte
		if number, ok := appendNumber(digits[:0], v); ok {
			r.out = n.write(r.out, string(number))
		} else if value == nil {
			r.out = n.write(r.out, "")
		}
	}
}

func (r *renderer) section(n *node) {
	value, _ := r.lookup(n.text)
	entries, isList := list(value)
	if n.kind == inverted {
		if len(entries) == 0 && !truth(value) {
			r.nodes(n.body)
		}
		return
	}
	if !isList {
		if truth(value) {
			r.nodes(n.body)
		}
		return
	}
	r.depth++
	for _, entry := range entries {
		if r.steps++; r.overflow {
			break
		}
		r.scopes[r.depth], _ = entry.(map[string]any)
		r.nodes(n.body)
	}
	r.scopes[r.depth] = nil
	r.depth--
}

// lookup finds the innermost value of a name and how deep it was found.
func (r *renderer) lookup(name string) (any, int) {
	for level := r.depth; level >= 0; level-- {
		if v, ok := r.scopes[level][name]; ok && v != nil {
			return v, level
		}
	}
	return nil, 0
}

func list(v any) ([]any, bool) {
	switch l := v.(type) {
	case []any:
		return l, true
	case []map[string]any:
		out := make([]any, len(l))
		for i := range l {
			out[i] = l[i]
		}
		return out, true
	}
	return nil, false
}

// truth: what a section is shown for.
func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	}
	var digits [32]byte
	number, ok := appendNumber(digits[:0], v)
	return ok && string(number) != "0"
}

// appendNumber writes the shortest decimal that reads back as the same number, never with an exponent;
// whole numbers of JSON keep all their digits.
func appendNumber(dst []byte, v any) ([]byte, bool) {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int64:
		return strconv.AppendInt(dst, v, 10), true
	case json.Number:
		s := string(v)
		if strings.Trim(strings.TrimPrefix(s, "-"), "0123456789") == "" && s != "" && s != "-" && s != "-0" {
			return append(dst, s...), true
		}
		var err error
		if f, err = strconv.ParseFloat(s, 64); err != nil {
			return dst, false
		}
	default:
		return dst, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, false
	}
	if f == 0 {
		f = 0 // not -0
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64), true
}
