package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Login has one of two ways in; the third is the identity provider.
type Login struct {
	Key   message.Secret `json:"key,omitzero" doc:"An API key that may read."`
	Token message.Secret `json:"token,omitzero" doc:"What a one-time link holds."`
}

// Session is who is signed in; without a key nobody is.
type Session struct {
	Key      string         `json:"key,omitzero" doc:"The key's id, or user: and a person's name."`
	Tenant   string         `json:"tenant,omitzero"`
	Live     bool           `json:"live"`
	Scopes   []tenant.Scope `json:"scopes"`
	Inbox    string         `json:"inbox,omitzero"`
	Identity bool           `json:"identity,omitzero" doc:"People may sign in through the identity provider."`
}

func (c *Console) login(ctx context.Context, call *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.Sessions.Ours(r); err != nil {
		return err
	}
	var in Login
	if p := httpapi.Decode(call.Body(), &in); p != nil {
		return p
	}
	key := strings.TrimSpace(string(in.Key))
	if in.Token != "" {
		linked, ok, err := c.opened(ctx, string(in.Token))
		if err != nil {
			return err
		}
		if !ok {
			return problem.New(problem.Unauthorized, "the link was used already, or is too old")
		}
		key = string(linked)
	}
	p, err := c.Sessions.Keys.Authenticate(ctx, key)
	if err != nil {
		return err
	}
	if !p.May(tenant.Read) && !p.May(tenant.Operate) {
		return problem.New(problem.Forbidden, "this key may neither read nor operate; the console needs one that may")
	}
	if err := c.Sessions.Start(ctx, w, session.Ticket{Key: key}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *Console) logout(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.Sessions.Ours(r); err != nil {
		return err
	}
	c.Sessions.End(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// session answers 200 whoever asks: that nobody is signed in is no error.
func (c *Console) session(ctx context.Context, call *httpapi.Call, _ *struct{}) (*Session, error) {
	out := &Session{Scopes: []tenant.Scope{}, Inbox: c.Inbox, Identity: c.Identity != nil}
	bearer, ok := strings.CutPrefix(call.Header("Authorization"), "Bearer ")
	if !ok {
		return out, nil
	}
	p, err := c.Sessions.Authenticate(ctx, bearer)
	switch {
	case err == nil:
		out.Key, out.Tenant, out.Live = p.KeyID, p.Tenant, p.Live
		for _, s := range []tenant.Scope{tenant.Send, tenant.Read, tenant.Support, tenant.Reveal, tenant.Operate, tenant.Admin} {
			if p.May(s) {
				out.Scopes = append(out.Scopes, s)
			}
		}
	case problem.From(err).Code != problem.Unauthorized:
		return nil, err
	}
	return out, nil
}
