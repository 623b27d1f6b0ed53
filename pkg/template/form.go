package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// The types of variables. "" is a string.
const (
	typeString  = "string"
	typeNumber  = "number"
	typeBoolean = "boolean"
	typeURL     = "url"
	typeList    = "list"
)

// Limits of a template.
const (
	maxVariables     = 100
	maxVariants      = 100
	maxSource        = 256 << 10 // bytes, all variants together
	maxPattern       = 1000      // bytes
	defaultMaxLength = 1000      // characters
	maxMaxLength     = 100_000
	maxExample       = 1000 // bytes
)

var (
	templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	channelName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	// localeForm is BCP 47 without extensions and private use.
	localeForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$`)
)

// head checks what is not in a list.
func (c *compiler) head() {
	t := c.template
	if !templateName.MatchString(t.Name) {
		c.fault("/name", problem.BadValue, "a template's name has 1 to 64 lower-case letters, digits, - and _, such as order-shipped")
	}
	if t.Version < 0 {
		c.fault("/version", problem.BadValue, "versions count from 1")
	}
	if !t.Class.Valid() {
		c.fault("/class", problem.BadValue, "class must be one of %v", message.Classes())
	}
	if len(t.Variables) > maxVariables {
		c.fault("/variables", problem.TooMany, "a template may have %d variables", maxVariables)
	}
	switch {
	case len(t.Variants) == 0:
		c.fault("/variants", problem.Required, "a template needs a variant: a channel, a locale and a text")
	case len(t.Variants) > maxVariants:
		c.fault("/variants", problem.TooMany, "a template may have %d variants", maxVariants)
	}
	size := 0
	for _, v := range t.Variants {
		size += len(v.Subject) + len(v.Title) + len(v.Text) + len(v.HTML) + len(v.Data)
	}
	if size > maxSource {
		c.fault("/variants", problem.TooLong, "the texts of all variants may have %d bytes together", maxSource)
	}
}

// variables checks the declarations.
func (c *compiler) variables() {
	for i := range c.template.Variables {
		v := &c.template.Variables[i]
		at := fmt.Sprintf("/variables/%d", i)
		if v.Type == "" {
			v.Type = typeString
		}
		d := &declared{Variable: *v}
		if !nameForm.MatchString(v.Name) {
			c.fault(at+"/name", problem.BadValue, "a variable's name has 1 to 64 letters, digits and _, and begins with no digit")
		} else if c.declared[v.Name] != nil {
			c.fault(at+"/name", problem.BadValue, "%q is declared twice", v.Name)
		}
		text := v.Type == typeString || v.Type == typeURL
		switch {
		case v.Type == typeList:
			d.fields = map[string]bool{}
		case !text && v.Type != typeNumber && v.Type != typeBoolean:
			c.fault(at+"/type", problem.BadValue, "type must be one of [string number boolean url list]")
		}
		if v.MaxLength < 0 || v.MaxLength > maxMaxLength {
			c.fault(at+"/max_length", problem.BadValue, "max_length is between 1 and %d characters; 0 means %d", maxMaxLength, defaultMaxLength)
		}
		if v.MaxLength == 0 {
			d.MaxLength = defaultMaxLength
		}
		if len(v.Example) > maxExample {
			c.fault(at+"/example", problem.TooLong, "an example may have %d bytes", maxExample)
		}
		if v.Pattern != "" {
			d.pattern = c.pattern(at+"/pattern", v.Pattern, text)
		}
		c.declared[v.Name] = d
	}
	for i, name := range c.template.DedupExclude {
		if c.declared[name] == nil {
			c.fault(fmt.Sprintf("/dedup_exclude/%d", i), problem.UnknownVariable, "dedup_exclude names a variable that is not declared")
		}
	}
}

func (c *compiler) pattern(at, pattern string, text bool) *regexp.Regexp {
	switch {
	case !text:
		c.fault(at, problem.BadValue, "only strings and urls have a pattern")
		return nil
	case len(pattern) > maxPattern:
		c.fault(at, problem.TooLong, "a pattern may have %d bytes", maxPattern)
		return nil
	}
	if _, err := regexp.Compile(pattern); err != nil { // by itself first: a)(b would pass within the group
		c.fault(at, problem.BadValue, "not a regular expression (RE2): %v", err)
		return nil
	}
	return regexp.MustCompile(`\A(?:` + pattern + `)\z`)
}

// contentFields are the fields of a variant per kind of content: those it may have, and those of which it
// needs each (all) and at least one (some).
var contentFields = map[message.ContentKind]struct{ may, all, some []string }{
	message.PlainText: {may: []string{"text"}, all: []string{"text"}},
	message.MailText:  {may: []string{"subject", "text", "html"}, all: []string{"subject"}, some: []string{"text", "html"}},
	message.ChatText:  {may: []string{"title", "text"}, all: []string{"text"}},
	message.PushText:  {may: []string{"title", "text"}, all: []string{"text"}},
	message.DataBody:  {may: []string{"data"}, all: []string{"data"}},
}

// allVariants checks and compiles the variants.
func (c *compiler) allVariants() {
	type place struct {
		channel message.Channel
		locale  string
	}
	seen := map[place]bool{}
	c.Compiled.variants = make([]variant, len(c.template.Variants))
	for i, v := range c.template.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		if !channelName.MatchString(string(v.Channel)) {
			c.fault(at+"/channel", problem.UnknownChannel, "a channel's name has 1 to 32 lower-case letters, digits and -, such as sms or email")
		}
		if !localeForm.MatchString(v.Locale) {
			c.fault(at+"/locale", problem.BadValue, "a locale is written as in BCP 47: zh, en, zh-Hant, pt-BR")
		}
		key := place{v.Channel, foldLocale(v.Locale)}
		if seen[key] {
			c.fault(at, problem.BadValue, "there is another variant for this channel and locale")
		}
		seen[key] = true
		out := &c.Compiled.variants[i]
		*out = variant{channel: v.Channel, kind: v.Content(), locale: key.locale, index: i}
		sources := []source{{"subject", v.Subject, &out.subject}, {"title", v.Title, &out.title}, {"text", v.Text, &out.text},
			{"html", v.HTML, &out.html}, {"data", v.Data, &out.data}}
		c.fields(at, v.Channel, out.kind, sources)
		for _, s := range sources {
			out.size += len(s.text)
		}
	}
}

// fields compiles the fields of a variant and compares them with the channel's kind of content.
func (c *compiler) fields(at string, ch message.Channel, kind message.ContentKind, sources []source) {
	rule, ok := contentFields[kind]
	if !ok {
		c.fault(at+"/kind", problem.BadValue, "there is no such kind of content")
		return
	}
	some := len(rule.some) == 0
	for _, s := range sources {
		pointer := at + "/" + s.name
		switch {
		case s.text == "":
			if slices.Contains(rule.all, s.name) {
				c.fault(pointer, problem.Required, "a variant for %s needs %s", ch, s.name)
			}
			continue
		case !slices.Contains(rule.may, s.name):
			c.fault(pointer, problem.UnknownField, "a variant for %s has no %s, only %v", ch, s.name, rule.may)
			continue
		}
		some = some || slices.Contains(rule.some, s.name)
		if why := badSource(s); why != "" {
			c.fault(pointer, problem.BadValue, "%s", why)
			continue
		}
		c.compile(pointer, s, kind)
	}
	if !some {
		c.fault(at, problem.Required, "a variant for %s needs one of %v", ch, rule.some)
	}
}

// badSource refuses characters that no text needs and some reader trips over.
func badSource(s source) string {
	if !utf8.ValidString(s.text) {
		return "the text is not valid UTF-8"
	}
	if strings.ContainsFunc(s.text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		return "the text has a control character"
	}
	if s.name == "subject" && strings.ContainsAny(s.text, "\r\n") {
		return "a subject is one line"
	}
	return ""
}
