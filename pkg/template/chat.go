package template

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// breaker parts what must not be read as one: a zero-width space, which clients draw as nothing.
const breaker = "\u200b"

// escapeChat serves text in chats. Their Markdown dialects agree on no escape: a backslash shows in
// Slack and WeCom, an entity in Telegram and Discord. So marks become look-alikes that mean nothing to
// any of them, and mentions and addresses are parted by a breaker.
func escapeChat(dst []byte, v string) []byte {
	if v == "" {
		return dst
	}
	if joins(dst, v) || mentions(dst, v) {
		dst = append(dst, breaker...)
	}
	before, _ := utf8.DecodeLastRune(dst)
	for v != "" {
		r, size := utf8.DecodeRuneInString(v)
		after := v[size:]
		switch {
		case lookAlike(r) != 0:
			dst = utf8.AppendRune(dst, lookAlike(r))
		case r == '@' || r == '＠',
			r == '&' && beginsEntity(after),
			r == ':' && strings.HasPrefix(after, "//"),
			r == '.' && inWord(before) && beginsWord(after):
			dst = append(utf8.AppendRune(dst, r), breaker...)
		default:
			dst = utf8.AppendRune(dst, r)
		}
		before, v = r, after
	}
	return dst
}

// lookAlike is 0 for what is no mark.
func lookAlike(r rune) rune {
	switch r {
	case '<':
		return '‹'
	case '>':
		return '›'
	case '[':
		return '［'
	case ']':
		return '］'
	case '`':
		return 'ˋ'
	case '*':
		return '∗'
	case '_':
		return 'ˍ'
	case '~':
		return '∼'
	case '|':
		return '∣'
	case '\\':
		return '∖'
	}
	return 0
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' }

func beginsWord(s string) bool { r, _ := utf8.DecodeRuneInString(s); return unicode.IsLetter(r) }

func beginsEntity(s string) bool { return strings.HasPrefix(s, "#") || beginsWord(s) }

// joins tells whether v would complete an address or an entity that the values before it began.
func joins(dst []byte, v string) bool {
	if len(dst) == 0 {
		return false
	}
	switch dst[len(dst)-1] {
	case '.':
		return beginsWord(v)
	case ':', '/':
		return v[0] == '/'
	case '&':
		return beginsEntity(v)
	}
	return false
}

var groups = [...]string{"all", "everyone", "here", "channel", "所有人"}

// mentions tells whether v, behind what a template uses to mention somebody (@, <at user_id=", <!), would
// name a whole group, or begin to.
func mentions(dst []byte, v string) bool {
	tail := dst[max(0, len(dst)-16):]
	i := bytes.LastIndexAny(tail, "@＠=\"'!<^|")
	if i < 0 {
		return false
	}
	_, size := utf8.DecodeRune(tail[i:])
	between := tail[i+size:]
	if bytes.ContainsAny(between, " \n>") { // the mention has ended
		return false
	}
	word := strings.ToLower(string(between) + v[:min(len(v), 16)])
	for _, group := range groups {
		if strings.HasPrefix(word, group) || strings.HasPrefix(group, word) {
			return true
		}
	}
	return false
}

// escapeChatLink serves a declared url: it stays a link, and only that.
func escapeChatLink(dst []byte, v string) []byte {
	if !webURL(v) {
		return escapeChat(dst, v)
	}
	host := strings.Index(v, "://") + len("://")
	path := host + strings.IndexByte(v[host:]+"/", '/')
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c >= 0x7f && i >= path || strings.IndexByte("\"'<>`[]()*\\^{|}@", c) >= 0 {
			dst = percent(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// chatContext gives every variable its escaper: a value within a link that the template itself writes is
// percent-encoded, or it would be altered and the link broken.
type chatContext struct {
	isURL func(name string) bool
	word  string // of the run of characters a URL may have, what tells whether it is one
}

func (c *chatContext) pass(nodes []node) {
	for i := range nodes {
		n := &nodes[i]
		switch n.kind {
		case literal:
			c.word += n.text
			if i := strings.LastIndexFunc(c.word, endsURL); i >= 0 {
				_, size := utf8.DecodeRuneInString(c.word[i:])
				c.word = c.word[i+size:]
			}
			if strings.Contains(c.word, "://") {
				c.word = "://"
			}
			c.word = c.word[max(0, len(c.word)-3):]
		case variable:
			n.write, n.link = escapeChat, escapeChatLink
			if strings.Contains(c.word, "://") {
				n.write, n.link = escapeURLPart, escapeURLPart
			} else if c.isURL(n.text) {
				c.word += "://"
			}
		default:
			c.pass(n.body)
		}
	}
}

func endsURL(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(")>|\"", r) }
