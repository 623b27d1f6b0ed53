package recipe

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// inbound is how callbacks are read.
type inbound struct {
	verifier sign.Verifier
	params   []pair
	parse    string
	json     tree
	text     string

	receipts *receipts
	replies  *replies
}

type receipts struct {
	each                                           path
	when, ref, id, part, state, at, code, textExpr *program
	states                                         map[string]message.ReceiptState
	asked                                          bool // the question names the message
}

type replies struct {
	each                     path
	when, from, textExpr, at *program
}

// event is what expressions about one event may name besides.
const event = "event"

func (c *compiler) inbound(s spec) *inbound {
	if c.descriptor.Replies != (s.Replies != nil) {
		c.fault(c.said.Line("replies"), "replies", "the first document says replies: %v; it must be true where the second has replies, and only there", c.descriptor.Replies)
	}
	if s.Receipts == nil && s.Replies == nil {
		if len(s.Callback.Verify) > 0 {
			c.fault(s.Callback.Verify["scheme"].line, "callback", "there are neither receipts nor replies to read")
		}
		return nil
	}
	in := with(c.heard(), "form", scope{types.Extra: types.String})
	b := &inbound{parse: s.Callback.Parse.text, text: s.Callback.Text.text}
	v, ok := sign.LookupVerifier(s.Callback.Verify["scheme"].text)
	if !ok {
		c.fault(s.Callback.Verify["scheme"].line, "callback.verify", "scheme must be one of %v", sign.VerifierNames())
		return nil
	}
	b.verifier, b.params = v, c.params(s.Callback.Verify, v.Required, v.Optional, c.own(), "callback.verify")
	if b.parse != "json" && b.parse != "form" && b.parse != "xml" {
		c.fault(s.Callback.Parse.line, "callback.parse", "must be json, form or xml")
	}
	if s.Callback.JSON.Node != nil {
		b.json = c.tree(s.Callback.JSON.Node, c.own(), "callback.json", 0)
	}
	in = with(in, event, types.Any)
	if r := s.Receipts; r != nil {
		b.receipts = c.receipts(*r, in, "receipts")
		c.naming(*r, "receipts")
	}
	if r := s.Replies; r != nil {
		b.replies = c.replies(*r, in, "replies")
	}
	return b
}

func (c *compiler) replies(s replySpec, in scope, path string) *replies {
	e := func(s source, name string) *program { return c.expression(s, in, path+"."+name) }
	r := &replies{each: c.path(s.Each, path+".each"), when: e(s.When, "when"), from: e(s.From, "from"), textExpr: e(s.Text, "text"), at: e(s.At, "at")}
	if r.from == nil || r.textExpr == nil {
		c.fault(s.Each.line, path, "needs from and text")
	}
	return r
}

// naming checks that receipts name their messages as the descriptor says.
func (c *compiler) naming(s receiptSpec, path string) {
	if s.Ref.empty() && s.ID.empty() {
		c.fault(s.State.line, path, "needs ref or id")
	}
	if d := c.descriptor; d.ReceiptsByID && s.ID.empty() || !d.ReceiptsByID && s.Ref.empty() {
		c.fault(s.State.line, path, "the descriptor says receipts_by_id: %v; it must be true where there is no ref, and then there must be an id", d.ReceiptsByID)
	}
}

func (c *compiler) receipts(s receiptSpec, in scope, path string) *receipts {
	e := func(s source, name string) *program { return c.expression(s, in, path+"."+name) }
	r := &receipts{
		each: c.path(s.Each, path+".each"), when: e(s.When, "when"), ref: e(s.Ref, "ref"), id: e(s.ID, "id"), part: e(s.Part, "part"),
		state: e(s.State, "state"), at: e(s.At, "at"), code: e(s.Code, "code"), textExpr: e(s.Text, "text"),
		states: map[string]message.ReceiptState{},
	}
	if r.state == nil {
		c.fault(s.State.line, path, "needs state")
	}
	for _, s := range s.Codes {
		c.codes[s.text] = s.line
	}
	for word, s := range s.States {
		state, ok := message.ParseReceiptState(s.text)
		if !ok {
			c.fault(s.line, path+".states", "%q is none of sent, undelivered, delivered, bounced, complained", s.text)
		}
		r.states[word] = state
	}
	return r
}

// Receive verifies a callback and reads it.
func (s receiver) Receive(_ context.Context, r *http.Request, body []byte) (provider.Callback, error) {
	in, env := s.recipe.inbound, s.own()
	params, err := evaluate(in.params, env)
	if err != nil {
		return provider.Callback{}, errors.New("the callback's secrets are not there")
	}
	opened, err := in.verifier.Verify(params, sign.World{Now: s.env.Now(), Client: s.env.Guarded, Certificates: &s.certificates}, r, body)
	if err != nil {
		return provider.Callback{}, err
	}
	if opened.Check && len(opened.Reply) > 0 {
		return provider.Callback{Body: opened.Reply}, nil
	}
	out := provider.Callback{Body: []byte(in.text)}
	if in.json != nil {
		v, _, err := in.json.build(env)
		if err != nil {
			return out, err
		}
		text, err := encodeJSON(v)
		if err != nil {
			return out, err
		}
		out.Body = []byte(text)
	}
	if opened.Check {
		return out, nil
	}
	hear(env, 0, r.Header, opened.Body)
	env["query"] = firsts(r.URL.Query())
	env["form"] = map[string]string{}
	doc, err := in.document(env, opened.Body)
	if err != nil {
		return provider.Callback{}, err
	}
	out.Receipts, out.Replies = s.told(in.receipts, in.replies, doc, env)
	return out, nil
}

// told reads what a document tells.
func (s *sender) told(rs *receipts, ps *replies, doc any, env map[string]any) (receipts []provider.Receipt, replies []provider.Reply) {
	if rs != nil {
		for _, e := range rs.each.find(doc) {
			env[event] = e
			if rc, ok := rs.read(env); ok {
				receipts = append(receipts, s.tidy(rc))
			}
		}
	}
	if ps != nil {
		for _, e := range ps.each.find(doc) {
			env[event] = e
			if rp, ok := ps.read(env); ok {
				rp.Channel = s.account.Channel
				replies = append(replies, rp)
			}
		}
	}
	return receipts, replies
}

// document reads the body, and puts it into the environment.
func (in *inbound) document(env map[string]any, body []byte) (any, error) {
	var doc any
	switch in.parse {
	case "form":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errors.New("the callback is no form")
		}
		first := firsts(form)
		env["form"] = first
		m := make(map[string]any, len(first))
		for k, v := range first {
			m[k] = v
		}
		doc = m
	case "xml":
		doc = decodeXML(body)
	default:
		doc = env["json"]
	}
	if doc == nil {
		return nil, fmt.Errorf("the callback is no %s", in.parse)
	}
	env["json"] = doc
	return doc, nil
}

func firsts(v url.Values) map[string]string {
	out := make(map[string]string, len(v))
	for k := range v {
		out[k] = v.Get(k)
	}
	return out
}

func (r *receipts) read(env map[string]any) (provider.Receipt, bool) {
	if r.when != nil && !truth(r.when, env) {
		return provider.Receipt{}, false
	}
	rc := provider.Receipt{
		State: r.states[word(r.state, env)], ProviderID: word(r.id, env),
		At: instant(r.at, env), Code: word(r.code, env), Text: word(r.textExpr, env),
	}
	rc.ID, rc.Epoch = attempt(word(r.ref, env))
	if n, err := strconv.Atoi(word(r.part, env)); err == nil && n >= 0 {
		rc.Part = n
	}
	return rc, rc.State != message.ReceiptNone && (r.asked || rc.ID != "" || rc.ProviderID != "")
}

// attempt reads what ref wrote.
func attempt(s string) (message.ID, int) {
	name, epoch, _ := strings.Cut(s, refMark)
	id, err := message.ParseID(name)
	if err != nil {
		return "", 0
	}
	n, err := strconv.Atoi(epoch)
	if err != nil || n < 0 {
		return id, 0
	}
	return id, n
}

func (r *replies) read(env map[string]any) (provider.Reply, bool) {
	if r.when != nil && !truth(r.when, env) {
		return provider.Reply{}, false
	}
	rp := provider.Reply{From: message.Address(word(r.from, env)), Text: word(r.textExpr, env), At: instant(r.at, env)}
	return rp, rp.From != ""
}

// instant is 0 for what is no time.
func instant(p *program, env map[string]any) message.Time {
	if p == nil {
		return 0
	}
	v, err := p.run(env)
	if err != nil {
		return 0
	}
	n, err := integer(v)
	if ms, ok := n.(int); err == nil && ok && ms > 0 {
		return message.Time(ms)
	}
	return 0
}

// tidy makes the provider's words fit for a record.
func (s *sender) tidy(rc provider.Receipt) provider.Receipt {
	rc.Code, rc.Text = provider.Clean(rc.Code, s.account, ""), provider.Clean(rc.Text, s.account, "")
	rc.ProviderID = provider.Clean(rc.ProviderID, s.account, "")
	return rc
}

// decodeXML reads the elements in the root, each with its text; those that hold others are left out.
func decodeXML(body []byte) any {
	dec := xml.NewDecoder(bytes.NewReader(body))
	out, depth, name := map[string]any{}, 0, ""
	var chars strings.Builder
	for {
		t, err := dec.Token()
		if err != nil {
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			name = t.Name.Local
			chars.Reset()
		case xml.CharData:
			chars.Write(t)
		case xml.EndElement:
			if depth == 2 && t.Name.Local == name {
				out[name] = strings.TrimSpace(chars.String())
			}
			depth--
			name = ""
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
