package recipe

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// request is how to ask.
type request struct {
	method      string
	base        *program // a field of the account that has scheme, host and the beginning of the path
	host, path  []part
	scheme      string
	guarded     bool // a field of the account says where the host is
	query, form []pair
	headers     []pair
	json        tree
	sign        *signer
	where       string
}

type signer struct {
	scheme sign.Scheme
	params []pair
}

func (c *compiler) request(s requestSpec, in scope, path string) *request {
	r := &request{method: s.Method.text, where: path}
	if r.method == "" {
		r.method = http.MethodPost
	}
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.method) {
		c.fault(s.Method.line, path+".method", "must be GET, POST, PUT, PATCH or DELETE")
	}
	if r.sign = c.signer(s.Sign, in, path+".sign"); r.sign != nil && r.sign.scheme.Values != nil {
		made := scope{}
		for _, name := range r.sign.scheme.Yields {
			made[name] = types.Any
		}
		in = with(in, "sign", made)
	}
	c.url(r, s.URL, in, path+".url")
	r.query = c.templates(s.Query, in, path+".query")
	r.form = c.templates(s.Form, in, path+".form")
	r.headers = c.templates(s.Headers, in, path+".headers")
	for name, v := range s.Headers {
		if !headerName(name) {
			c.fault(v.line, path+".headers", "%q is no header that a recipe may set", name)
		}
	}
	if s.JSON.Node != nil {
		r.json = c.tree(s.JSON.Node, in, path+".json", 0)
	}
	if r.json != nil && len(r.form) > 0 {
		c.fault(s.JSON.Line, path, "has json and form")
	}
	return r
}

func (c *compiler) signer(s map[string]source, in scope, path string) *signer {
	if len(s) == 0 {
		return nil
	}
	scheme, ok := sign.Lookup(s["scheme"].text)
	if !ok {
		c.fault(s["scheme"].line, path, "scheme must be one of %v", sign.Names())
		return nil
	}
	return &signer{scheme, c.params(s, scheme.Required, scheme.Optional, in, path)}
}

// params compiles a scheme's parameters.
func (c *compiler) params(s map[string]source, required, optional []string, in scope, path string) []pair {
	rest := maps.Clone(s)
	line := s["scheme"].line
	delete(rest, "scheme")
	for name, v := range rest {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			c.fault(v.line, path, "the scheme has no parameter %q, but %v", name, append(slices.Clone(required), optional...))
		}
	}
	for _, name := range required {
		if _, ok := rest[name]; !ok {
			c.fault(line, path, "the scheme needs the parameter %q", name)
		}
	}
	return c.templates(rest, in, path)
}

// chosen tells whether a part of the host is computed, and may be the message's. A field of the account in front is not.
func (r *request) chosen() bool {
	return slices.ContainsFunc(r.host, func(p part) bool { return p.expr != nil })
}

// headerName refuses what HTTP itself needs.
func headerName(name string) bool {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	own := []string{"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
	return name != "" && !strings.ContainsFunc(name, bad) && !slices.Contains(own, strings.ToLower(name))
}

// url parts the scheme, the host and the path. A value in the path is escaped; one that is the host must be
// one, and the request then goes through the guard.
func (c *compiler) url(r *request, s source, in scope, path string) {
	t := c.template(s, in, path)
	if name, ok := c.baseField(t, s); ok {
		r.base, r.path, r.guarded = t.parts[0].expr, t.parts[1:], true
		if rest := s.text[len(name):]; rest != "" && rest[0] != '/' || strings.ContainsAny(literals(r.path), "?#@ ") {
			c.fault(s.line, path, "after the field comes a path, and parameters stand in query")
		}
		return
	}
	first := ""
	if len(t.parts) > 0 {
		first = t.parts[0].literal
	}
	scheme, rest, ok := strings.Cut(first, "://")
	if !ok || scheme != "https" && scheme != "http" || strings.ContainsAny(s.text[:len(first)], "?#@") {
		c.fault(s.line, path, "must begin with https:// or with a field of type url, and its parameters stand in query")
		return
	}
	r.scheme = scheme
	parts := append([]part{{literal: rest}}, t.parts[1:]...)
	for i, p := range parts {
		if p.expr == nil && strings.ContainsAny(p.literal, "?#@ ") {
			c.fault(s.line, path, "parameters stand in query")
		}
		if at := strings.IndexByte(p.literal, '/'); p.expr == nil && at >= 0 {
			r.host = append(slices.Clone(parts[:i]), part{literal: p.literal[:at]})
			r.path = append([]part{{literal: p.literal[at:]}}, parts[i+1:]...)
			break
		}
	}
	if r.host == nil {
		r.host, r.path = parts, []part{{literal: "/"}}
	}
	r.guarded = r.chosen()
	if scheme == "http" && (!r.guarded || c.uploaded) {
		c.fault(s.line, path, "must begin with https://")
	}
}

// baseField is the expression in front of a URL that is nothing but a field of type url.
func (c *compiler) baseField(t *template, s source) (string, bool) {
	if len(t.parts) == 0 || t.parts[0].expr == nil {
		return "", false
	}
	end := strings.IndexByte(s.text, '}')
	name, ok := strings.CutPrefix(strings.TrimSpace(s.text[len("${"):end]), "config.")
	is := slices.ContainsFunc(c.descriptor.Fields, func(f provider.Field) bool { return f.Name == name && f.Type == "url" && !f.Secret })
	return s.text[:end+1], ok && is
}

func literals(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.literal)
	}
	return b.String()
}

// isHost tells what a value may be that says where to ask: a name, and a port if there is one.
func isHost(s string) bool {
	name, port, _ := strings.Cut(s, ":")
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-'
	}
	return name != "" && !strings.ContainsFunc(name, bad) && len(port) <= 5 && strings.Trim(port, "0123456789") == ""
}

func (r *request) url(env map[string]any) (*url.URL, error) {
	start, err := r.start(env)
	if err != nil {
		return nil, unfit{r.where + ".url"}
	}
	path, err := joined(r.path, env, url.PathEscape)
	if err != nil {
		return nil, unfit{r.where + ".url"}
	}
	u, err := url.Parse(start + path)
	if err != nil {
		return nil, unfit{r.where + ".url"}
	}
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, unfit{r.where + ".url"}
		}
	}
	return u, nil
}

var errNoHost = errors.New("no host")

// start is a URL up to its path. What a field of type url says goes no further than where to ask.
func (r *request) start(env map[string]any) (string, error) {
	if r.base == nil {
		host, err := joined(r.host, env, func(s string) string { return s })
		if err == nil && !isHost(host) {
			err = errNoHost
		}
		return r.scheme + "://" + host, err
	}
	v, err := r.base.run(env)
	if err != nil {
		return "", err
	}
	s, err := text(v)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !isHost(u.Host) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errNoHost
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

func joined(parts []part, env map[string]any, escape func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range parts {
		if p.expr == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.expr.run(env)
		if err != nil {
			return "", err
		}
		s, err := text(v)
		if err != nil || s == "" {
			return "", errors.New("a part of the URL is empty")
		}
		b.WriteString(escape(s))
	}
	return b.String(), nil
}

// build makes the request of an environment. The error says where a value does not fit, not which.
func (r *request) build(ctx context.Context, env map[string]any, m sign.Moment) (*http.Request, int, error) {
	var params sign.Params
	if r.sign != nil {
		var err error
		if params, err = evaluate(r.sign.params, env); err != nil {
			return nil, 0, err
		}
		if r.sign.scheme.Values != nil {
			made := map[string]any{}
			for k, v := range r.sign.scheme.Values(params, m) {
				made[k] = v
			}
			env["sign"] = made
		}
	}
	u, err := r.url(env)
	if err != nil {
		return nil, 0, err
	}
	query, err := evaluate(r.query, env)
	if err != nil {
		return nil, 0, err
	}
	u.RawQuery = sign.Query(formOf(query))
	body, kind, err := r.body(env)
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, 0, unfit{r.where}
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("User-Agent", "notify/1")
	headers, err := evaluate(r.headers, env)
	if err != nil {
		return nil, 0, err
	}
	for name, v := range headers {
		req.Header.Set(name, v)
	}
	if r.sign != nil && r.sign.scheme.Apply != nil {
		if err := r.sign.scheme.Apply(params, m, req, body); err != nil {
			return nil, 0, unfit{r.where + ".sign"}
		}
	}
	for name := range req.Header {
		if strings.ContainsFunc(req.Header.Get(name), func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, 0, unfit{r.where + ".headers." + name}
		}
	}
	return req, len(body), nil
}

func (r *request) body(env map[string]any) (body []byte, kind string, err error) {
	switch {
	case r.json != nil:
		v, _, err := r.json.build(env)
		if err != nil {
			return nil, "", err
		}
		s, err := encodeJSON(v)
		if err != nil {
			return nil, "", unfit{r.where + ".json"}
		}
		return []byte(s), "application/json; charset=utf-8", nil
	case len(r.form) > 0:
		form, err := evaluate(r.form, env)
		return []byte(formOf(form).Encode()), "application/x-www-form-urlencoded", err
	}
	return nil, "", nil
}

// evaluate gives texts by name; what is nil is left out.
func evaluate(pairs []pair, env map[string]any) (map[string]string, error) {
	out := make(map[string]string, len(pairs))
	for _, p := range pairs {
		s, ok, err := p.value.text(env)
		if err != nil {
			return nil, err
		}
		if ok {
			out[p.name] = s
		}
	}
	return out, nil
}

func formOf(values map[string]string) url.Values {
	out := make(url.Values, len(values))
	for k, v := range values {
		out.Set(k, v)
	}
	return out
}
