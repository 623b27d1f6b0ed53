package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/expr-lang/expr/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// grant is how an access token is had: fetched, or signed by ourselves, or fetched for a signed one.
type grant struct {
	alg            string
	key            *template
	header, claims tree
	request        *request
	answer         *answer
	token          *program
	life           time.Duration
	lifeExpr       *program
}

// maxLife bounds what a vendor says of a token's life.
const maxLife = 24 * time.Hour

func (c *compiler) grant(s tokenSpec) *grant {
	in := c.own()
	g := &grant{}
	if s.JWT != nil {
		g.alg, g.key = s.JWT.Alg.text, c.template(s.JWT.Key, in, "token.jwt.key")
		if g.alg != "RS256" && g.alg != "ES256" {
			c.fault(s.JWT.Alg.line, "token.jwt.alg", "must be RS256 or ES256")
		}
		for _, t := range []struct {
			from node
			to   *tree
			path string
		}{{s.JWT.Header, &g.header, "token.jwt.header"}, {s.JWT.Claims, &g.claims, "token.jwt.claims"}} {
			*t.to = object{}
			if t.from.Node != nil {
				*t.to = c.tree(t.from.Node, in, t.path, 0)
			}
		}
	}
	if s.Request != nil {
		ask := in
		if s.JWT != nil {
			ask = with(in, "jwt", types.String)
		}
		g.request, g.answer = c.request(*s.Request, ask, "token.request"), c.answer(s.Answer, "token.answer")
		if g.token = c.expression(s.Token, c.heard(), "token.token"); g.token == nil {
			c.fault(c.does.Line("token"), "token.token", "is missing: where does the answer have it?")
		}
	}
	if g.request == nil && g.alg == "" {
		c.fault(c.does.Line("token"), "token", "needs jwt or request")
	}
	if d, ok := s.Life.duration(); ok {
		g.life = d
	} else if g.lifeExpr = c.expression(s.Life, c.heard(), "token.life"); g.lifeExpr == nil || g.request == nil {
		c.fault(s.Life.line, "token.life", "is missing: how long is a token good?")
	}
	return g
}

// denied carries the outcome of a fetch that gave no token.
type denied struct{ result message.Result }

func (d denied) Error() string { return "no token: " + d.result.Code }

// access gives the account's token.
func (s *sender) access(ctx context.Context) (string, message.Result, bool) {
	token, err := s.env.Tokens.Token(ctx, s.tokenKey, s.fetch)
	if err == nil {
		return token, message.Result{}, true
	}
	var d denied
	if errors.As(err, &d) {
		return "", d.result, false
	}
	if errors.Is(err, provider.ErrNoToken) {
		return "", message.Result{Outcome: message.AccountFault, Code: CodeNoToken, Text: "the vendor gave no access token a moment ago, and is not asked again so soon"}, false
	}
	// Whatever happened, the message itself has not left.
	code := provider.CodeCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		code = provider.CodeTimeout
	}
	return "", message.Result{Outcome: message.Retry, Code: code, Text: "no access token in time"}, false
}

// fetch makes or asks for a token.
func (s *sender) fetch(ctx context.Context) (string, time.Duration, error) {
	g, env, now := s.recipe.token, s.own(), s.env.Now()
	if g.alg != "" {
		jwt, err := g.jwt(s.jwtKey, env)
		if err != nil {
			return "", 0, denied{message.Result{Outcome: message.AccountFault, Code: CodeUnfit, Text: "the token cannot be signed"}}
		}
		if g.request == nil {
			return jwt, g.life, nil
		}
		env["jwt"] = jwt
	}
	got, r, ok := s.ask(ctx, g.request, env)
	if !ok {
		return "", 0, refused(r)
	}
	result := g.answer.read(got, env, now)
	token := word(g.token, env)
	if result.Outcome == message.Accepted && token != "" {
		life := g.life
		if g.lifeExpr != nil {
			life = seconds(g.lifeExpr, env, maxLife)
		}
		return token, life, nil
	}
	return "", 0, refused(result)
}

// refused turns what a fetch ended in into an outcome of the message, which has not left.
func refused(r message.Result) denied {
	r.HTTPStatus = 0 // it is not the message's
	switch r.Outcome {
	case message.Unknown, message.Accepted:
		r.Outcome = message.Retry
	case message.Permanent, message.Refresh:
		r.Outcome = message.AccountFault
	}
	return denied{r}
}

func (g *grant) jwt(key sign.JWTKey, env map[string]any) (string, error) {
	header, _, err := g.header.build(env)
	if err != nil {
		return "", err
	}
	claims, _, err := g.claims.build(env)
	if err != nil {
		return "", err
	}
	h, _ := header.(map[string]any)
	cl, _ := claims.(map[string]any)
	return key.Sign(h, cl)
}

// tokenKey tells tokens apart. It changes with the account's credentials, and shows none of them.
func tokenKey(a provider.Account) string {
	h := sha256.New()
	put := func(words ...string) {
		for _, w := range words {
			h.Write([]byte(w))
			h.Write([]byte{0})
		}
	}
	put(a.Provider)
	for _, k := range slices.Sorted(maps.Keys(a.Config)) {
		put(k, a.Config[k])
	}
	put("")
	for _, k := range slices.Sorted(maps.Keys(a.Secrets)) {
		put(k, string(a.Secrets[k]))
	}
	return a.Provider + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}
