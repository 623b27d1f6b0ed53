package recipe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// The codes of faults that are found before anything leaves.
const (
	CodeUnfit    = "unfit"     // the message lacks what the request needs
	CodeTooLarge = "too_large" // the request is larger than the provider takes
	CodeNoToken  = "no_token"  // the vendor has just refused to give an access token
)

// sender sends over one account.
type sender struct {
	recipe   *Recipe
	account  provider.Account
	env      provider.Env
	tokenKey string
	jwtKey   sign.JWTKey
	config   map[string]any
	secret   map[string]any

	certificates sign.Certificates // of those who sign callbacks
}

// receiver is a sender that reads callbacks too.
type receiver struct{ *sender }

// checker is a sender that can test its credentials.
type checker struct{ *sender }

// checkingReceiver is both.
type checkingReceiver struct{ receiver }

// Check is the checker's.
func (c checkingReceiver) Check(ctx context.Context) error { return checker{c.sender}.Check(ctx) }

// Open is a provider.OpenFunc.
func (r *Recipe) Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	s := &sender{recipe: r, account: a, env: e, config: map[string]any{}, secret: map[string]any{}}
	for _, f := range r.Descriptor.Fields {
		if f.Secret {
			s.secret[f.Name] = string(a.Secrets[f.Name])
		} else {
			s.config[f.Name] = a.Config[f.Name]
		}
	}
	if r.token != nil {
		if e.Tokens == nil {
			return nil, errors.New("there is no place for access tokens")
		}
		s.tokenKey = tokenKey(a)
		if r.token.alg != "" {
			pem, _, err := r.token.key.text(s.own())
			if err != nil {
				return nil, err
			}
			if s.jwtKey, err = sign.ParseJWTKey(r.token.alg, pem); err != nil {
				return nil, fmt.Errorf("the private key of account %s: %w", a.Name, err)
			}
		}
	}
	checks := r.check != nil || r.token != nil && r.token.request != nil
	switch {
	case r.inbound != nil && checks:
		return checkingReceiver{receiver{s}}, nil
	case r.inbound != nil:
		return receiver{s}, nil
	case checks:
		return checker{s}, nil
	}
	return s, nil
}

// own is the environment that knows the account and the moment.
func (s *sender) own() map[string]any {
	now := s.env.Now()
	return map[string]any{
		"config": s.config, "secret": s.secret,
		"now": int(now.Unix()), "now_ms": int(now.UnixMilli()), "nonce": s.env.Nonce(),
	}
}

// about adds a message to an environment.
func about(env map[string]any, c provider.Call) {
	env["to"], env["template"], env["locale"] = string(c.To), c.Template, c.Locale
	env["id"], env["key"], env["ref"] = string(c.ID), c.Key, ref(c.ID, c.Epoch)
	env["class"], env["tenant"], env["channel"] = string(c.Class), c.Tenant, string(c.Channel)
	env["epoch"], env["expires"] = c.Epoch, int(c.Expires)
	var data any
	if len(c.Content.Data) > 0 {
		data = decodeJSON(c.Content.Data)
	}
	env["content"] = map[string]any{
		"subject": c.Content.Subject, "title": c.Content.Title, "text": c.Content.Text, "html": c.Content.HTML, "data": data,
	}
	vars := c.Vars
	if vars == nil {
		vars = map[string]any{}
	}
	env["vars"] = numbersOf(vars)
	env[bindingName] = map[string]string{} // so that what is missing is "", not nil
	if c.Binding != nil {
		env[bindingName] = c.Binding
	}
}

// numbersOf gives variables as expressions want them; they may come as any of Go's numbers.
func numbersOf(vars map[string]any) map[string]any {
	data, err := json.Marshal(vars)
	if err != nil {
		return map[string]any{}
	}
	out, _ := decodeJSON(data).(map[string]any)
	return out
}

// Send makes one attempt.
func (s *sender) Send(ctx context.Context, c provider.Call) message.Result {
	env := s.own()
	about(env, c)
	for _, rule := range s.recipe.before {
		if rule.match("", env) {
			return message.Result{Outcome: rule.outcome, Code: rule.code, After: max(rule.wait, seconds(rule.waitExpr, env, provider.MaxAfter))}
		}
	}
	token := ""
	if s.recipe.token != nil {
		var r message.Result
		var ok bool
		if token, r, ok = s.access(ctx); !ok {
			return s.clean(r, c.To, "")
		}
		env["token"] = token
	}
	got, r, answered := s.ask(ctx, s.recipe.request, env)
	if answered {
		r = s.recipe.answer.read(got, env, s.env.Now())
	}
	if r.Outcome == message.Refresh && token != "" {
		s.env.Tokens.Drop(s.tokenKey, token)
	}
	return s.clean(r, c.To, token)
}

// ask makes a request; without an answer it gives the outcome.
func (s *sender) ask(ctx context.Context, r *request, env map[string]any) (provider.Answer, message.Result, bool) {
	req, size, err := r.build(ctx, env, sign.Moment{Now: s.env.Now(), Nonce: s.env.Nonce()})
	if err != nil {
		return provider.Answer{}, message.Result{Outcome: message.Permanent, Code: CodeUnfit, Text: err.Error()}, false
	}
	if most := s.recipe.Descriptor.Limits.Payload; most > 0 && size > most {
		return provider.Answer{}, message.Result{Outcome: message.Permanent, Code: CodeTooLarge, Text: fmt.Sprintf("the request has %d bytes; the provider takes %d", size, most)}, false
	}
	client := s.env.Client
	if r.guarded {
		client = s.env.Guarded
	}
	answer, fault, ok := provider.Exchange(client, req)
	if !ok && fault.Code == provider.CodeRefused && !r.chosen() {
		fault.Outcome = message.AccountFault // no message gets there
	}
	return answer, fault, ok
}

// clean blanks secrets, the token among them, and the address in what the provider wrote.
func (s *sender) clean(r message.Result, to message.Address, token string) message.Result {
	a := s.account
	if token != "" {
		a.Secrets = maps.Clone(a.Secrets)
		if a.Secrets == nil {
			a.Secrets = map[string]message.Secret{}
		}
		a.Secrets["access token"] = message.Secret(token)
	}
	r.Code, r.Text, r.ProviderID = provider.Clean(r.Code, a, to), provider.Clean(r.Text, a, to), provider.Clean(r.ProviderID, a, "")
	return r
}

const refMark = "."

// ref names an attempt, for vendors that give back a text of ours with their receipts.
func ref(id message.ID, epoch int) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf("%s%s%d", id, refMark, epoch)
}
