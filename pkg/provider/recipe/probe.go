package recipe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// probe asks something without sending.
type probe struct {
	request *request
	answer  *answer
}

func (c *compiler) probe(r requestSpec, a answerSpec, hasToken bool, in scope, path string) *probe {
	if hasToken {
		in = with(in, "token", types.String)
	}
	return &probe{c.request(r, in, path+".request"), c.answer(a, path+".answer")}
}

// Check fetches a token, or asks what the recipe says.
func (c checker) Check(ctx context.Context) error {
	env := c.own()
	if c.recipe.check == nil {
		_, err := c.granted(ctx, env)
		return err
	}
	return c.probe(ctx, c.recipe.check, env)
}

// granted puts the token into an environment.
func (s *sender) granted(ctx context.Context, env map[string]any) (token string, err error) {
	if s.recipe.token == nil {
		return "", nil
	}
	token, r, ok := s.access(ctx)
	if !ok {
		return "", fault(s.clean(r, "", ""))
	}
	env["token"] = token
	return token, nil
}

// probe asks; the environment then has the answer.
func (s *sender) probe(ctx context.Context, p *probe, env map[string]any) error {
	token, err := s.granted(ctx, env)
	if err != nil {
		return err
	}
	got, r, answered := s.ask(ctx, p.request, env)
	if r.Code == CodeUnfit && !answered {
		return errors.New("the account lacks what " + p.request.where + " needs")
	}
	if answered {
		r = p.answer.read(got, env, s.env.Now())
	}
	if r.Outcome == message.Refresh && token != "" {
		s.env.Tokens.Drop(s.tokenKey, token)
	}
	if r.Outcome == message.Accepted {
		return nil
	}
	return fault(s.clean(r, "", token))
}

func fault(r message.Result) error {
	return fmt.Errorf("the provider says %s", strings.TrimSpace(r.Code+" "+r.Text))
}

// approval asks for the state of a bound template.
type approval struct {
	*probe
	state, note *program
	states      map[string]provider.Approval
}

func (c *compiler) approval(s spec) *approval {
	if c.descriptor.Approvals != (s.Approval != nil) {
		c.fault(1, "approval", "the descriptor says approvals: %v", c.descriptor.Approvals)
	}
	if s.Approval == nil {
		return nil
	}
	a := s.Approval
	heard := with(c.heard(), bindingName, c.bound())
	out := &approval{
		probe: c.probe(a.Request, a.Answer, s.Token != nil, with(c.own(), bindingName, c.bound()), "approval"),
		state: c.expression(a.State, heard, "approval.state"), note: c.expression(a.Note, heard, "approval.note"),
		states: map[string]provider.Approval{},
	}
	if out.state == nil {
		c.fault(1, "approval.state", "is missing: where does the answer have it?")
	}
	for word, s := range a.States {
		if out.states[word] = provider.Approval(s.text); !out.states[word].Valid() {
			c.fault(s.line, "approval.states", "%q is none of unchecked, pending, approved, rejected", s.text)
		}
	}
	return out
}

// Approval is a provider.Approver's, for recipes whose descriptor says approvals.
func (s *sender) Approval(ctx context.Context, binding map[string]string) (provider.Approval, string, error) {
	a := s.recipe.approval
	if a == nil {
		return "", "", errors.New("the recipe has no way to ask")
	}
	env := s.own()
	env[bindingName] = binding
	if err := s.probe(ctx, a.probe, env); err != nil {
		return "", "", err
	}
	said := word(a.state, env)
	state, known := a.states[said]
	note := provider.Clean(word(a.note, env), s.account, "")
	if !known {
		return "", "", fmt.Errorf("the provider gives a state that the recipe does not know: %s", provider.Clean(said, s.account, ""))
	}
	return state, note, nil
}
