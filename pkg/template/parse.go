package template

import (
	"fmt"
	"regexp"
	"strings"
)

// maxDepth is how deep sections may be nested.
const maxDepth = 4

type kind uint8

const (
	literal kind = iota
	variable
	section  // {{#name}}…{{/name}}
	inverted // {{^name}}…{{/name}}
)

// node is a piece of a parsed text.
type node struct {
	kind  kind
	text  string // a literal's text, or the name
	at    int    // byte offset in the source, for messages
	body  []node // of a section
	write escaper
	// link is used instead of write for a declared url variable, where a link is allowed to be one.
	link escaper
}

// fault is something wrong at a place of a source.
type fault struct {
	at     int
	reason string
}

// in says where: line and column count from 1, columns in characters.
func (f *fault) in(src string) string {
	before := src[:f.at]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return fmt.Sprintf("line %d, column %d: %s", line, column, f.reason)
}

var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

type parser struct {
	src  string
	pos  int
	text []byte   // the literal in front of pos, not yet in out
	open []node   // the sections around pos
	out  [][]node // what each level has so far; one longer than open
}

// parse reads a text with {{name}}, {{#name}}…{{/name}} and {{^name}}…{{/name}}. Four opening braces are
// two literal ones. A section's tag that stands alone on its line takes the line with it.
func parse(src string) ([]node, *fault) {
	p := parser{src: src, out: make([][]node, 1)}
	for {
		i := strings.Index(src[p.pos:], "{{")
		if i < 0 {
			p.literal(src[p.pos:])
			break
		}
		if err := p.tag(p.pos + i); err != nil {
			return nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return nil, &fault{p.open[n-1].at, fmt.Sprintf("section %q is opened but not closed; add {{/%s}}", p.open[n-1].text, p.open[n-1].text)}
	}
	return p.out[0], nil
}

// literal ends the text in front of a tag.
func (p *parser) literal(last string) {
	if p.text = append(p.text, last...); len(p.text) > 0 {
		p.add(node{kind: literal, text: string(p.text), at: p.pos})
		p.text = p.text[:0]
	}
}

func (p *parser) add(n node) {
	top := len(p.out) - 1
	p.out[top] = append(p.out[top], n)
}

// tag reads what begins with {{ at offset at, after the literal in front of it.
func (p *parser) tag(at int) *fault {
	before, rest := p.src[p.pos:at], p.src[at:]
	if strings.HasPrefix(rest, "{{{{") {
		p.text = append(p.text, before+"{{"...)
		p.pos = at + 4
		return nil
	}
	end := strings.Index(rest, "}}")
	if end < 0 {
		return &fault{at, "{{ is opened but not closed with }}; write {{{{ for two literal braces"}
	}
	inner := strings.TrimSpace(rest[2:end])
	next := at + end + 2
	if inner == "" || !strings.ContainsRune("#^/", rune(inner[0])) {
		if !nameForm.MatchString(inner) {
			return &fault{at, "not a variable: between {{ and }} stands a name of letters, digits and _, with # ^ or / in front for a section; there are no functions, partials or unescaped forms"}
		}
		p.literal(before)
		p.add(node{kind: variable, text: inner, at: at})
		p.pos = next
		return nil
	}
	before, next = p.alone(before, at, next)
	p.literal(before)
	p.pos = next
	name := strings.TrimSpace(inner[1:])
	if !nameForm.MatchString(name) {
		return &fault{at, "a section needs a name of letters, digits and _"}
	}
	switch inner[0] {
	case '#':
		return p.begin(node{kind: section, text: name, at: at})
	case '^':
		return p.begin(node{kind: inverted, text: name, at: at})
	}
	return p.end(name, at)
}

func (p *parser) begin(n node) *fault {
	if len(p.open) == maxDepth {
		return &fault{n.at, fmt.Sprintf("sections are nested deeper than %d", maxDepth)}
	}
	p.open = append(p.open, n)
	p.out = append(p.out, nil)
	return nil
}

func (p *parser) end(name string, at int) *fault {
	top := len(p.open) - 1
	if top < 0 {
		return &fault{at, fmt.Sprintf("section %q is closed but not open", name)}
	}
	n := p.open[top]
	if n.text != name {
		return &fault{at, fmt.Sprintf("section %q is open here, so {{/%s}} must come before {{/%s}}", n.text, n.text, name)}
	}
	n.body = p.out[top+1]
	p.open, p.out = p.open[:top], p.out[:top+1]
	p.add(n)
	return nil
}

// alone cuts the blanks and the line end around a section's tag that has its line for itself, so that a
// list written one tag a line does not render empty lines.
func (p *parser) alone(before string, at, next int) (string, int) {
	cut := strings.TrimRight(before, " \t")
	if start := p.pos + len(cut); start > 0 && p.src[start-1] != '\n' {
		return before, next
	}
	after := strings.TrimLeft(p.src[next:], " \t")
	if after == "" {
		return cut, len(p.src)
	}
	after, ok := strings.CutPrefix(strings.TrimPrefix(after, "\r"), "\n")
	if !ok {
		return before, next
	}
	return cut, len(p.src) - len(after)
}
