package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
)

// Recipe is a provider that was described, compiled. It does not change.
type Recipe struct {
	Descriptor provider.Descriptor

	before   []rule
	token    *grant
	request  *request
	answer   *answer
	check    *probe
	approval *approval
	inbound  *inbound
	polls    []poll
}

// Parse reads a recipe. The error lists all that is wrong, each with file, line and reason.
func Parse(name string, data []byte) (*Recipe, error) { return parse(name, data, false) }

func parse(name string, data []byte, uploaded bool) (*Recipe, error) {
	d, err := catalog.ParseRecipe(name, data)
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(new(yaml.Node)); err != nil { // the descriptor
		return nil, catalog.Located(name, err)
	}
	dec.KnownFields(true)
	var s spec
	if err := dec.Decode(&s); errors.Is(err, io.EOF) {
		return nil, &catalog.Fault{File: name, Reason: "a recipe has two documents, parted by ---; the second one is missing"}
	} else if err != nil {
		return nil, catalog.Located(name, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &catalog.Fault{File: name, Reason: "more than two documents"}
	}
	c := &compiler{file: name, descriptor: d, uploaded: uploaded, codes: map[string]int{}, said: catalog.PlacesOf(data, 0), does: catalog.PlacesOf(data, 1)}
	r := c.recipe(s)
	c.sentences()
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// compiler collects what is wrong.
type compiler struct {
	file       string
	descriptor provider.Descriptor
	uploaded   bool
	codes      map[string]int // those that tables name, and on which line
	// said and does are the lines of the two documents.
	said, does *catalog.Places
	errs       []error
}

func (c *compiler) fault(line int, path, format string, args ...any) {
	c.errs = append(c.errs, &catalog.Fault{File: c.file, Line: max(line, 1), Path: path, Reason: fmt.Sprintf(format, args...)})
}

func (c *compiler) recipe(s spec) *Recipe {
	r := &Recipe{Descriptor: c.descriptor}
	base := c.base()
	r.before = c.rules(s.Before, base, "before")
	in := base
	if s.Token != nil {
		r.token = c.grant(*s.Token)
		in = with(base, "token", types.String)
	}
	r.request = c.request(s.Request, in, "request")
	r.answer = c.answer(s.Answer, "answer")
	if len(s.Answer.Table) == 0 {
		c.fault(c.does.Line("answer"), "answer.table", "is missing: nothing would ever count as sent")
	}
	if s.Check != nil {
		r.check = c.probe(s.Check.Request, s.Check.Answer, s.Token != nil, c.own(), "check")
	}
	r.approval = c.approval(s)
	r.inbound = c.inbound(s)
	r.polls = c.polls(s)
	heard := slices.ContainsFunc(s.Polls, func(p pollSpec) bool { return p.Receipts != nil })
	if c.descriptor.Receipts != (s.Receipts != nil || heard) {
		c.fault(c.said.Line("receipts"), "receipts", "the descriptor says receipts: %v", c.descriptor.Receipts)
	}
	return r
}

// own is what every expression may name: the account and the moment.
func (c *compiler) own() scope {
	config, secret := scope{}, scope{}
	for _, f := range c.descriptor.Fields {
		if f.Secret {
			secret[f.Name] = types.String
		} else {
			config[f.Name] = types.String
		}
	}
	return scope{"config": config, "secret": secret, "now": types.Int, "now_ms": types.Int, "nonce": types.String}
}

// base is what expressions about a message may name.
func (c *compiler) base() scope {
	s := c.own()
	for _, name := range []string{"to", "template", "locale", "id", "ref", "key", "class", "tenant", "channel"} {
		s[name] = types.String
	}
	s["epoch"], s["expires"] = types.Int, types.Int
	s["content"] = scope{"subject": types.String, "title": types.String, "text": types.String, "html": types.String, "data": types.Any}
	s["vars"] = scope{types.Extra: types.Any}
	s[bindingName] = c.bound()
	return s
}

// bindingName is what expressions call a template's binding.
const bindingName = "binding"

// bound is what a template's binding has: the fields that the descriptor declares.
func (c *compiler) bound() scope {
	s := scope{}
	for _, f := range c.descriptor.Binding {
		s[f.Name] = types.String
	}
	return s
}

// heard is what expressions about an answer or a callback may name.
func (c *compiler) heard() scope {
	s := c.own()
	s["status"], s["body"], s["json"] = types.Int, types.String, types.Any
	s["header"], s["query"] = scope{types.Extra: types.String}, scope{types.Extra: types.String}
	s["code"] = types.String
	return s
}

func with(s scope, name string, t types.Type) scope {
	out := maps.Clone(s)
	out[name] = t
	return out
}

func (c *compiler) expression(s source, in scope, path string) *program {
	if s.empty() {
		return nil
	}
	p, err := compile(s.text, in)
	if err != nil {
		c.fault(s.line, path, "%v", err)
	}
	return p
}

func (c *compiler) template(s source, in scope, path string) *template {
	t, err := parseTemplate(s.text, in)
	if err != nil {
		c.fault(s.line, path, "%v", err)
		return &template{}
	}
	t.fault = path
	return t
}

// templates compiles a map's; the order is that of the names.
func (c *compiler) templates(all map[string]source, in scope, path string) []pair {
	var out []pair
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, pair{name, c.template(all[name], in, path+"."+name)})
	}
	return out
}

type pair struct {
	name  string
	value *template
}

// outcome reads a name.
func (c *compiler) outcome(s source, path string) message.Outcome {
	o, ok := message.ParseOutcome(s.text)
	if !ok {
		c.fault(s.line, path, "outcome %q is none of sent, permanent, account, throttled, retry, refresh, defer, unknown", s.text)
	}
	return o
}

// sentences compares the codes of all tables with those that the descriptor explains.
func (c *compiler) sentences() {
	for _, code := range slices.Sorted(maps.Keys(c.codes)) {
		if _, ok := c.descriptor.Codes[code]; !ok && !strings.HasPrefix(code, codeHTTP) {
			c.fault(c.codes[code], "codes", "the code %q has no sentence in the descriptor", code)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(c.descriptor.Codes)) {
		if _, receipt := c.descriptor.Suppresses[code]; c.codes[code] == 0 && !receipt {
			c.fault(c.said.Line("codes", code), "codes", "the code %q is in no table", code)
		}
	}
}
