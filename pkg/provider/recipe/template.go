package recipe

import (
	"errors"
	"fmt"
	"strings"
)

// template is a text with ${expressions} in it.
type template struct {
	parts []part
	fault string // where it stands, for the words of a message that cannot be built
}

type part struct {
	literal string
	expr    *program
}

// parseTemplate cuts a text at its ${…}.
func parseTemplate(text string, in scope) (*template, error) {
	t := &template{}
	for text != "" {
		i := strings.Index(text, "${")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			t.parts = append(t.parts, part{literal: text[:i]})
			text = text[i:]
			continue
		}
		n, err := closing(text)
		if err != nil {
			return nil, err
		}
		p, err := compile(strings.TrimSpace(text[2:n]), in)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{expr: p})
		text = text[n+1:]
	}
	return t, nil
}

// closing finds the } that ends the ${ in front of text; braces and quotes inside count.
func closing(text string) (int, error) {
	depth, quote := 0, byte(0)
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
	return 0, errors.New("a ${ has no }")
}

func (t *template) constant() (string, bool) {
	if len(t.parts) == 0 {
		return "", true
	}
	return t.parts[0].literal, len(t.parts) == 1 && t.parts[0].expr == nil
}

// value is what the expression gives, if it stands alone, else a text.
func (t *template) value(env map[string]any) (any, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		v, err := t.parts[0].expr.run(env)
		if err != nil {
			return nil, unfit{t.fault}
		}
		return v, nil
	}
	s, _, err := t.text(env)
	return s, err
}

// text joins the parts; ok is false if an expression that stands alone gives nil.
func (t *template) text(env map[string]any) (s string, ok bool, err error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.expr.run(env)
		if err != nil {
			return "", false, unfit{t.fault}
		}
		if v == nil && len(t.parts) == 1 {
			return "", false, nil
		}
		word, err := text(v)
		if err != nil {
			return "", false, unfit{t.fault}
		}
		b.WriteString(word)
	}
	return b.String(), true, nil
}

// unfit says where a message does not fit into the request. It does not quote the message.
type unfit struct{ where string }

func (u unfit) Error() string { return fmt.Sprintf("the message does not fit %s", u.where) }
