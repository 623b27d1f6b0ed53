package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Scope is what a key may do.
type Scope string

// The scopes, each apart from the others, but that admin may do everything.
const (
	ScopeSend    Scope = "send"
	ScopeRead    Scope = "read"
	ScopeReveal  Scope = "reveal"
	ScopeOperate Scope = "operate"
	ScopeAdmin   Scope = "admin"
)

// APIKey is a key without its secret part, which is kept nowhere.
type APIKey struct {
	ID        string    `json:"id"`
	Prefix    string    `json:"prefix"` // what the key's text begins with
	Tenant    string    `json:"tenant,omitzero"`
	Title     string    `json:"title"`
	Live      bool      `json:"live"` // false is a test key: it sends nothing, and simulates outcomes
	Scopes    []Scope   `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Revoked   bool      `json:"revoked"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	RevokedBy string    `json:"revoked_by,omitzero"`
	Reason    string    `json:"reason,omitzero"` // why it was made, or revoked
}

// CreateKeyRequest asks for a key.
type CreateKeyRequest struct {
	Tenant    string    `json:"tenant,omitzero"` // whose; a key with the scope operate or admin needs none
	Title     string    `json:"title"`           // what it is for
	Live      bool      `json:"live"`            // false makes a test key
	Scopes    []Scope   `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // never without it
	Reason    string    `json:"reason,omitzero"`
}

// NewKey is a key with its text, this once.
type NewKey struct {
	APIKey
	Text Key `json:"key"`  // store string(Text) now
	Curl Key `json:"curl"` // a request to try it with, which holds the key and so hides itself too
}

// Keys lists the keys, revoked ones too: of one tenant, or all of "".
func (c *Client) Keys(ctx context.Context, tenant string) ([]APIKey, error) {
	return listOf[APIKey](ctx, c, query("/v1/keys", "tenant", tenant))
}

// APIKey reads a key by its id, the 10 characters after nfy_live_ or nfy_test_.
func (c *Client) APIKey(ctx context.Context, id string) (*APIKey, error) {
	return get[APIKey](ctx, c, "/v1/keys/"+url.PathEscape(id))
}

// CreateKey makes a key. It is not tried again when the answer is lost, as every try makes one.
func (c *Client) CreateKey(ctx context.Context, r CreateKeyRequest) (*NewKey, error) {
	out := &NewKey{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/keys", body: r}, out)
	return orNil(out, err)
}

// RevokeKey ends a key. One that is revoked already stays as it is.
func (c *Client) RevokeKey(ctx context.Context, id, reason string) (*APIKey, error) {
	out := &APIKey{}
	_, err := c.do(ctx, call{method: http.MethodDelete, path: query("/v1/keys/"+url.PathEscape(id), "reason", reason), repeat: true}, out)
	return orNil(out, err)
}
