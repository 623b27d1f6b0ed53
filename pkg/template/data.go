package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxDataDepth is how deep a data template may nest objects and arrays.
const maxDataDepth = 32

// dataParser turns a JSON document into nodes: everything but the string leaves is a literal, and the
// leaves are templates whose values are escaped into their string. So a value cannot change the document.
type dataParser struct {
	dec   *json.Decoder
	out   []node
	fixed []byte // behind out
	open  []container
}

type container struct {
	object  bool
	members int
	keys    map[string]bool
	isValue bool // in an object: the key was read
}

func parseData(src string) ([]node, *fault) {
	if err := json.Unmarshal([]byte(src), new(json.RawMessage)); err != nil {
		at := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = min(int(syntax.Offset), len(src))
		}
		return nil, &fault{at, "not a JSON document: " + err.Error()}
	}
	p := dataParser{dec: json.NewDecoder(strings.NewReader(src))}
	p.dec.UseNumber()
	for {
		token, err := p.dec.Token()
		if err != nil { // the end: the document is known to be valid
			p.flush()
			return p.out, nil
		}
		if why := p.token(token); why != "" {
			return nil, &fault{int(p.dec.InputOffset()), why}
		}
	}
}

func (p *dataParser) token(t json.Token) string {
	if d, ok := t.(json.Delim); ok && (d == '}' || d == ']') {
		p.open = p.open[:len(p.open)-1]
		p.literal(d.String())
		return ""
	}
	if top := len(p.open) - 1; top >= 0 {
		c := &p.open[top]
		if c.members > 0 && !c.isValue {
			p.literal(",")
		}
		if c.object && !c.isValue {
			c.members++
			c.isValue = true
			return p.key(c, t.(string))
		}
		if !c.object {
			c.members++
		}
		c.isValue = false
	}
	switch v := t.(type) {
	case json.Delim:
		if len(p.open) == maxDataDepth {
			return fmt.Sprintf("the document is nested deeper than %d", maxDataDepth)
		}
		p.open = append(p.open, container{object: v == '{', keys: map[string]bool{}})
		p.literal(v.String())
	case string:
		return p.leaf(v)
	case json.Number:
		p.literal(v.String())
	case bool:
		p.literal(fmt.Sprint(v))
	default:
		p.literal("null")
	}
	return ""
}

func (p *dataParser) key(c *container, key string) string {
	if c.keys[key] {
		return fmt.Sprintf("the key %q is there twice", key)
	}
	if strings.Contains(key, "{{") {
		return "a key may not have variables; only strings that are values may"
	}
	c.keys[key] = true
	p.literal(`"` + string(escapeJSON(nil, key)) + `":`)
	return ""
}

func (p *dataParser) leaf(s string) string {
	nodes, err := parse(s)
	if err != nil {
		return "in this string, " + err.in(s)
	}
	p.encode(nodes)
	p.literal(`"`)
	for _, n := range nodes {
		if n.kind == literal {
			p.literal(n.text)
			continue
		}
		p.flush()
		p.out = append(p.out, n)
	}
	p.literal(`"`)
	return ""
}

// encode escapes the fixed text of a leaf and places its nodes at the leaf.
func (p *dataParser) encode(nodes []node) {
	for i := range nodes {
		n := &nodes[i]
		n.at = int(p.dec.InputOffset())
		n.write = escapeJSON
		if n.kind == literal {
			n.text = string(escapeJSON(nil, n.text))
		}
		p.encode(n.body)
	}
}

// literal joins fixed text, so that most of a document is one append.
func (p *dataParser) literal(s string) { p.fixed = append(p.fixed, s...) }

func (p *dataParser) flush() {
	if len(p.fixed) > 0 {
		p.out = append(p.out, node{kind: literal, text: string(p.fixed)})
		p.fixed = p.fixed[:0]
	}
}
