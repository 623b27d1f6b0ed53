package template

import (
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// minFixed is how many fixed characters of a template must be found in a text to call it the template's.
const minFixed = 6

// maxMatch bounds the text that is looked at, in bytes.
const maxMatch = 64 << 10

// Match is a template that a text may have been rendered from.
type Match struct {
	Tenant  string            `json:"tenant"`
	Name    string            `json:"name"`
	Version int               `json:"version"`
	Channel string            `json:"channel"`
	Locale  string            `json:"locale"`
	Fixed   int               `json:"fixed"` // characters of the template's own text that were found, without blanks
	Vars    map[string]string `json:"vars,omitempty"`
}

// Matcher tells which of many templates a text came from. It is immutable.
type Matcher struct {
	rows []row
}

// row is one variant and the shapes its content is pasted in.
type row struct {
	compiled *Compiled
	index    int
	shapes   []shape
}

// shape is the fixed parts of a text, in order, with anything in the gaps between them.
type shape struct {
	parts   []string // folded; gaps stand between them, and gaps[i] in front of parts[i]
	gaps    []gap    // one more than parts
	longest string   // of the parts: a text without it is no match
	fixed   int
	chat    bool
}

// gap is what stands between two fixed parts; one variable alone can be read back.
type gap struct {
	open     bool // something may stand here
	variable string
	several  bool
}

// NewMatcher prepares the templates. Variants with too little fixed text to be recognised are left out.
func NewMatcher(templates []*Compiled) *Matcher {
	m := &Matcher{}
	for _, c := range templates {
		for i := range c.variants {
			if shapes := c.variants[i].shapes(); len(shapes) > 0 {
				m.rows = append(m.rows, row{c, i, shapes})
			}
		}
	}
	return m
}

// shapes: people paste the text, the title, or both.
func (v *variant) shapes() []shape {
	markdown := v.kind == message.ChatText
	head := v.subject
	if len(head) == 0 {
		head = v.title
	}
	var out []shape
	for _, nodes := range [][][]node{{head, v.text}, {v.text}, {head}} {
		s := newShape(markdown, nodes...)
		if s.fixed >= minFixed && (len(nodes) == 1 || len(nodes[0]) > 0 && len(nodes[1]) > 0) {
			out = append(out, s)
		}
	}
	return out
}

func newShape(markdown bool, texts ...[]node) shape {
	s := shape{gaps: make([]gap, 1), chat: markdown}
	for i, nodes := range texts {
		if i > 0 {
			s.last().open = true
		}
		for _, n := range nodes {
			switch {
			case n.kind == variable:
				s.gap(n.text)
			case n.kind != literal:
				s.gap("")
			case markdown:
				s.markdown(n.text)
			default:
				s.part(n.text)
			}
		}
	}
	for _, p := range s.parts {
		s.fixed += runes(p)
		if len(p) > len(s.longest) {
			s.longest = p
		}
	}
	return s
}

func (s *shape) part(text string) {
	text = fold(text).text
	if text == "" {
		return
	}
	if last := len(s.parts) - 1; last >= 0 && !s.last().open {
		s.parts[last] += text
		return
	}
	s.parts = append(s.parts, text)
	s.gaps = append(s.gaps, gap{})
}

// gap is where a variable stands, or with "" a section.
func (s *shape) gap(variable string) {
	g := s.last()
	g.several = g.several || g.variable != "" || variable == ""
	g.open, g.variable = true, variable
}

func (s *shape) last() *gap { return &s.gaps[len(s.gaps)-1] }

// markdown leaves gaps for the marks, which clients draw and people do not paste, and for the targets of
// links.
func (s *shape) markdown(text string) {
	for text != "" {
		i := strings.IndexAny(text, "*_~`#>[]<|\\")
		if i < 0 {
			s.part(text)
			return
		}
		s.part(text[:i])
		s.last().open = true
		if rest, ok := strings.CutPrefix(text[i:], "]("); ok {
			end := strings.IndexByte(rest, ')')
			s.last().several = true
			text = rest[end+1:]
			continue
		}
		text = text[i+1:]
	}
}

// Match lists the templates that a text may have come from, the surest first. It forgives what phones,
// carriers and people do to a text: white space, full-width forms, a 【sign】 put in front or behind, an
// end cut off with "…".
func (m *Matcher) Match(text string) []Match {
	if len(text) > maxMatch {
		text = text[:maxMatch]
	}
	candidates := readings(text)
	if len(candidates) == 0 {
		return nil
	}
	var out []Match
	at := make([]int, 0, 64)
	for i := range m.rows {
		if found, ok := m.rows[i].match(text, candidates, at); ok {
			out = append(out, found)
		}
	}
	slices.SortFunc(out, byFixed)
	return out
}

// match tries the shapes on the readings; at is room for find.
func (r *row) match(text string, candidates []reading, at []int) (Match, bool) {
	for i := range r.shapes {
		s := &r.shapes[i]
		for _, c := range candidates {
			if !c.cut && !strings.Contains(c.text, s.longest) {
				continue
			}
			at, fixed, ok := s.find(c, at[:0])
			if !ok || fixed < minFixed {
				continue
			}
			t := r.compiled.template
			v := t.Variants[r.index]
			return Match{Tenant: t.Tenant, Name: t.Name, Version: t.Version, Channel: string(v.Channel), Locale: v.Locale,
				Fixed: fixed, Vars: s.vars(text, c, at)}, true
		}
	}
	return Match{}, false
}

// find looks for the parts in order, each at its first place: as gaps take anything, an earlier place
// never rules out a later part, so this is linear and complete. It appends where the parts were found to
// at, and counts their characters.
func (s *shape) find(c reading, at []int) (_ []int, fixed int, ok bool) {
	pos, last := 0, len(s.parts)-1
	for i, p := range s.parts {
		rest := c.text[pos:]
		j := strings.Index(rest, p)
		switch {
		case !s.gaps[i].open: // only the first part has no gap in front
			if !strings.HasPrefix(rest, p) {
				j = -1
			} else {
				j = 0
			}
		case i == last && !s.gaps[i+1].open && strings.HasSuffix(rest, p):
			j = len(rest) - len(p)
		case i == last && !s.gaps[i+1].open && !c.cut:
			j = -1
		}
		if j < 0 && c.cut {
			n, begun := partly(rest, p, s.gaps[i].open)
			return at, fixed + n, begun
		}
		if j < 0 {
			return nil, 0, false
		}
		at = append(at, pos+j)
		pos += j + len(p)
		fixed += runes(p)
	}
	return at, fixed, s.gaps[last+1].open || pos == len(c.text)
}

// partly tells how much of part p stands at the end of a text that was cut off.
func partly(rest, p string, gap bool) (fixed int, ok bool) {
	if gap {
		for n := min(len(p), len(rest), maxSign); n > 0; n-- { // bounded: a longer rest of a part is no likelier
			if strings.HasSuffix(rest, p[:n]) {
				return runes(p[:n]), true
			}
		}
		return 0, true
	}
	return runes(rest), strings.HasPrefix(p, rest)
}

// vars reads the variables back: what the original text has between the parts that were found.
func (s *shape) vars(text string, c reading, at []int) map[string]string {
	out := map[string]string{}
	for i, g := range s.gaps {
		if g.variable == "" || g.several || i > len(at) {
			continue
		}
		from, to := 0, len(c.text)
		if i > 0 {
			from = at[i-1] + len(s.parts[i-1])
		}
		if i < len(at) {
			to = at[i]
		} else if c.cut {
			continue
		}
		if _, twice := out[g.variable]; !twice {
			value := c.original(text, from, to)
			if s.chat {
				value = strings.Trim(strings.ReplaceAll(value, breaker, ""), "*_~`")
			}
			out[g.variable] = value
		}
	}
	return out
}
