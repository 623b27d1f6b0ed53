package template

import (
	"slices"
	"strings"
)

// place is where in a document a byte stands, after the tokenizer of the HTML standard (§13.2.5), as far
// as it matters for what a value may do there.
type place uint8

const (
	inText place = iota
	afterLess
	afterLessSlash
	afterLessBang
	inComment
	inBogus // <!doctype …>, <?…>: ends at the first >
	inTagName
	betweenAttributes
	inAttribute
	afterAttribute
	beforeValue
	inQuoted
	inUnquoted
	inRaw // the text of an element that holds no tags
)

// htmlContext reads the fixed parts of a template and gives every variable the escaper of its place.
type htmlContext struct {
	place   place
	quote   byte
	closing bool   // the tag is an end tag
	tag     string // being read, or whose raw text it is
	attr    string
	value   string // the attribute's fixed text so far; long enough to know a URL's scheme
	dynamic bool   // a variable stands in the attribute's value already
	recent  string // the last bytes of a comment or raw text
	last    string // the last complete tag: "td", "/td"
	refused string // a fault of the fixed text
}

var (
	// rawText elements hold no tags; what a value does in most of them depends on another language.
	rawText = []string{"script", "style", "iframe", "noembed", "noframes", "noscript", "xmp", "plaintext", "title", "textarea"}
	rcData  = []string{"title", "textarea"}
	// notText: readers move text that stands directly behind these tags to another place.
	notText = []string{"html", "head", "/head", "/html", "table", "thead", "tbody", "tfoot", "tr", "colgroup", "/thead", "/tbody", "/tfoot",
		"/tr", "/td", "/th", "/caption", "/colgroup", "select", "optgroup", "/option", "/optgroup", "meta", "link", "base", "/title"}
	activeElements   = []string{"meta", "base", "link", "object", "embed", "applet", "param"}
	activeAttributes = []string{"style", "srcdoc", "srcset", "ping"}
	urlAttributes    = []string{"href", "src", "action", "background", "cite", "data", "formaction", "poster", "longdesc", "manifest", "usemap", "codebase", "icon"}
)

// maxName bounds what is remembered of a name or of the beginning of a URL.
const maxName = 64

// pass walks the nodes and returns the first fault.
func (h *htmlContext) pass(nodes []node) *fault {
	for i := range nodes {
		n := &nodes[i]
		var why string
		switch n.kind {
		case literal:
			h.read(n.text)
			why = h.refused
		case variable:
			n.write, why = h.escaper()
			h.dynamic, h.recent = h.place == inQuoted, ""
		default:
			if h.place != inText && (h.place != inQuoted || h.isURL()) {
				return &fault{n.at, "a section may stand in text or in a quoted attribute that is no URL"}
			}
			before := *h
			if err := h.pass(n.body); err != nil {
				return err
			}
			if !h.same(before) {
				return &fault{n.at, "a section must end in the place it began in: the same text or attribute"}
			}
		}
		if why != "" {
			return &fault{n.at, why}
		}
	}
	return nil
}

func (h *htmlContext) same(o htmlContext) bool {
	return h.place == o.place && h.quote == o.quote && h.tag == o.tag && h.attr == o.attr
}

// escaper is what the variable at the current place needs, or why none may stand there.
func (h *htmlContext) escaper() (escaper, string) {
	switch {
	case h.place == inText && slices.Contains(notText, h.last):
		return nil, "a variable stands directly behind <" + h.last + ">, where there is no text; put it into a cell or the body"
	case h.place == inText, h.place == inRaw && slices.Contains(rcData, h.tag):
		return escapeHTML, ""
	case h.place == inRaw:
		return nil, "a variable may not stand in <" + h.tag + ">"
	case h.place == inUnquoted || h.place == beforeValue:
		return nil, "a variable in an attribute needs quotes around the value"
	case h.place != inQuoted || h.closing:
		return nil, "a variable may stand in text or in a quoted attribute, not in a tag or a comment"
	case strings.HasPrefix(h.attr, "on"), slices.Contains(activeAttributes, h.attr):
		return nil, "a variable may not stand in the attribute " + h.attr
	case slices.Contains(activeElements, h.tag):
		return nil, "a variable may not stand in an attribute of <" + h.tag + ">"
	case !h.isURL():
		return escapeHTML, ""
	case h.value == "" && !h.dynamic:
		return escapeHTMLURL, ""
	case !h.dynamic && !harmlessPrefix(h.value):
		return nil, "the URL before the variable must begin with https://, http://, mailto:, tel:, / or #"
	}
	return escapeURLPart, ""
}

func (h *htmlContext) isURL() bool {
	name := h.attr[strings.LastIndexByte(h.attr, ':')+1:]
	return slices.Contains(urlAttributes, name) || strings.Contains(name, "url") || strings.Contains(name, "uri") || strings.Contains(name, "src")
}

// harmlessPrefix: a scheme, if there is one, runs nothing.
func harmlessPrefix(s string) bool {
	return harmless(s+"x") || strings.HasPrefix(s, "/") || strings.HasPrefix(s, "#") || strings.HasPrefix(s, "?") || strings.HasPrefix(s, ".")
}

// read moves the context over fixed text.
func (h *htmlContext) read(text string) {
	for i := range len(text) {
		h.step(text[i])
	}
}

func (h *htmlContext) step(c byte) {
	low := c
	if c >= 'A' && c <= 'Z' {
		low += 'a' - 'A'
	}
	switch h.place {
	case inText:
		if c == '<' {
			h.place = afterLess
		}
	case afterLess, afterLessSlash, afterLessBang:
		h.open(low)
	case inComment:
		h.recent = lastBytes(h.recent, c, 4)
		if strings.HasSuffix(h.recent, "-->") || h.recent == "--!>" {
			h.place = inText
		}
	case inBogus:
		if c == '>' {
			h.place = inText
		}
	case inRaw:
		h.raw(low)
	default:
		h.inTag(c, low)
	}
}

// open decides what a < begins.
func (h *htmlContext) open(c byte) {
	letter := c >= 'a' && c <= 'z'
	switch {
	case h.place == afterLessBang:
		h.recent = lastBytes(h.recent, c, 2)
		switch {
		case h.recent == "--": // so that <!--> and <!---> end at once, as they do in browsers
			h.place = inComment
		case c == '>':
			h.place = inText
		case h.recent != "-":
			h.place = inBogus
		}
	case letter:
		h.closing, h.tag, h.place = h.place == afterLessSlash, string(c), inTagName
	case c == '/' && h.place == afterLess:
		h.place = afterLessSlash
	case c == '!' && h.place == afterLess:
		h.place, h.recent = afterLessBang, ""
	case c == '?' || h.place == afterLessSlash && c != '>':
		h.place = inBogus
	case c != '<':
		h.place = inText
	}
}

func (h *htmlContext) raw(c byte) {
	end := "</" + h.tag
	h.recent = lastBytes(h.recent, c, len(end)+1)
	if h.recent[:len(h.recent)-1] != end || h.tag == "plaintext" {
		return
	}
	switch {
	case c == '>':
		h.closing = true
		h.endTag()
	case c == '/' || blank(c):
		h.closing, h.place = true, betweenAttributes
	}
}

// inTag is the part of a tag behind its first letter.
func (h *htmlContext) inTag(c, low byte) {
	switch {
	case h.place == inQuoted:
		if c == h.quote {
			h.place, h.quote, h.attr, h.value, h.dynamic = betweenAttributes, 0, "", "", false
		} else if len(h.value) < maxName {
			h.value += string(rune(c))
		}
	case c == '>':
		h.endTag()
	case h.place == inUnquoted:
		if blank(c) {
			h.place, h.attr = betweenAttributes, ""
		}
	case h.place == beforeValue:
		switch {
		case c == '"' || c == '\'':
			h.place, h.quote = inQuoted, c
		case !blank(c):
			h.place = inUnquoted
		}
	case h.place == inTagName:
		if c == '/' || blank(c) {
			h.place = betweenAttributes
		} else if len(h.tag) < maxName {
			h.tag += string(rune(low))
		}
	default:
		h.name(c, low)
	}
}

// name reads between, in and after the names of attributes.
func (h *htmlContext) name(c, low byte) {
	switch {
	case c == '/':
		h.place, h.attr = betweenAttributes, ""
	case blank(c):
		if h.place == inAttribute {
			h.place = afterAttribute
		}
	case c == '=' && h.place != betweenAttributes:
		h.place = beforeValue
	case h.place == inAttribute:
		if len(h.attr) < maxName {
			h.attr += string(rune(low))
		}
	default:
		h.place, h.attr = inAttribute, string(rune(low))
	}
}

func (h *htmlContext) endTag() {
	h.place, h.attr, h.last = inText, "", h.tag
	switch {
	case h.closing:
		h.last = "/" + h.tag
	case h.tag == "svg" || h.tag == "math":
		h.refused = "<" + h.tag + "> is not accepted: mail clients do not show it, and its text is read by other rules"
	case slices.Contains(rawText, h.tag):
		h.place, h.recent = inRaw, ""
		return
	}
	h.closing, h.tag = false, ""
}

// finish says what is still open at the end.
func (h *htmlContext) finish() string {
	if h.place != inText {
		return "the HTML ends within a tag, a comment or an element such as <style>"
	}
	return ""
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func lastBytes(s string, c byte, n int) string {
	b := append([]byte(s), c)
	return string(b[max(0, len(b)-n):])
}
