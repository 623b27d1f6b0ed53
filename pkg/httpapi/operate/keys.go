package operate

import (
	"cmp"
	"context"
	stdjson "encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Keys is what /v1/keys needs.
type Keys interface {
	Keys(ctx context.Context, p tenant.Principal, of string) ([]operate.Versioned[tenant.Key], error)
	Key(ctx context.Context, p tenant.Principal, id string) (operate.Versioned[tenant.Key], error)
	CreateKey(ctx context.Context, p tenant.Principal, r operate.KeyRequest) (operate.NewKey, error)
	RevokeKey(ctx context.Context, p tenant.Principal, id, reason string) (operate.Versioned[tenant.Key], error)
}

// Key is an API key without its secret part, which is kept nowhere.
type Key struct {
	ID        string         `json:"id"`
	Prefix    string         `json:"prefix" doc:"What the key's text begins with: enough to recognise it by." example:"nfy_live_0123456789…"`
	Tenant    string         `json:"tenant,omitzero"`
	Title     string         `json:"title"`
	Live      bool           `json:"live" doc:"false is a test key: it sends nothing, and simulates outcomes."`
	Scopes    []tenant.Scope `json:"scopes" enum:"send,read,support,operate,admin"`
	CreatedAt time.Time      `json:"created_at"`
	CreatedBy string         `json:"created_by,omitzero"`
	ExpiresAt *time.Time     `json:"expires_at,omitzero"`
	Revoked   bool           `json:"revoked"`
	RevokedAt *time.Time     `json:"revoked_at,omitzero"`
	RevokedBy string         `json:"revoked_by,omitzero"`
	Reason    string         `json:"reason,omitzero" doc:"Why it was made, or revoked."`
}

// KeyList is the keys by id.
type KeyList struct {
	Items []Key `json:"items"`
}

// CreateKey asks for a key.
type CreateKey struct {
	Tenant    string         `json:"tenant,omitzero" doc:"Whose key. A key with the scope operate or admin is good for the whole installation and needs none."`
	Title     string         `json:"title" doc:"What it is for." maxLength:"100" example:"order service, production"`
	Live      *bool          `json:"live" doc:"true sends; false makes a test key. It must be said: there is no default."`
	Scopes    []tenant.Scope `json:"scopes" enum:"send,read,support,operate,admin" doc:"What it may do, each apart from the others, but that admin may do everything."`
	ExpiresAt *time.Time     `json:"expires_at,omitzero" doc:"When it stops by itself; never without it."`
	Reason    string         `json:"reason,omitzero" maxLength:"200"`
}

// NewKey is a key with its text, this once.
type NewKey struct {
	Key
	Text string `json:"key" doc:"The key itself. It is shown this once and kept nowhere: store it now."`
	Curl string `json:"curl" doc:"A request to try it with; it sends nothing."`
}

func keyOf(v operate.Versioned[tenant.Key]) Key {
	k := v.Body
	out := Key{ID: k.ID, Prefix: "nfy_test_" + k.ID + "…", Tenant: k.Tenant, Title: k.Title, Live: k.Live, Scopes: k.Scopes,
		CreatedAt: k.Created.Std(), CreatedBy: k.By, ExpiresAt: at(k.Expires), Revoked: k.Revoked, Reason: v.Reason}
	if k.Live {
		out.Prefix = "nfy_live_" + k.ID + "…"
	}
	if k.Revoked {
		out.RevokedAt, out.RevokedBy = at(v.At), v.Author
	}
	return out
}

func keys(o Keys) []httpapi.Endpoint {
	list := op(get, "keys", "listKeys", "List the API keys, revoked ones too", operators())
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}}
	create := op(post, "keys", "createKey", "Make an API key; its text is answered this once", admins(), problem.UnknownTenant, problem.BadTime)
	create.Status = http.StatusCreated
	revoke := op(remove, "keys/{id}", "revokeKey", "Revoke an API key", admins(), problem.NotFound)
	revoke.Description = "It stops working at once, elsewhere within 30 seconds. A key that is revoked already stays as it is."
	revoke.Query = []httpapi.Param{reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*KeyList, error) {
			items, err := many(keyOf)(o.Keys(ctx, c.Principal, c.Query("tenant")))
			return &KeyList{items}, err
		}),
		httpapi.Route(op(get, "keys/{id}", "getKey", "Read an API key", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Key, error) {
				return one(keyOf)(o.Key(ctx, c.Principal, c.Path("id")))
			}),
		httpapi.Route(create, func(ctx context.Context, c *httpapi.Call, r *CreateKey) (*NewKey, error) {
			if r.Live == nil {
				return nil, problem.Invalid(problem.At("/live", problem.Required, "say live: true for a key that sends, false for a test key"))
			}
			k, err := o.CreateKey(ctx, c.Principal, operate.KeyRequest{Tenant: r.Tenant, Title: r.Title, Live: *r.Live, Scopes: r.Scopes,
				Expires: orZero(r.ExpiresAt), Reason: r.Reason})
			if err != nil {
				return nil, err
			}
			return &NewKey{keyOf(k.Versioned), string(k.Text), curl(c.BaseURL(), k)}, nil
		}),
		httpapi.Route(revoke, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Key, error) {
			return one(keyOf)(o.RevokeKey(ctx, c.Principal, c.Path("id"), c.Query("reason")))
		}),
	}
}

// curl is a command that works when it is pasted: explaining a message where the key sends, else the list
// that it may read.
func curl(base string, k operate.NewKey) string {
	path, body := "/v1/templates", ""
	if k.Try != nil || slices.Contains(k.Body.Scopes, tenant.Send) {
		try := k.Try
		if try == nil { // there is no template yet
			try = map[string]any{"to": "+8613800138000", "template": "YOUR-TEMPLATE"}
		}
		if text, err := stdjson.Marshal(try); err == nil {
			path = "/v1/messages/explain"
			body = " -H 'Content-Type: application/json' -d '" + strings.ReplaceAll(string(text), "'", `'\''`) + "'"
		}
	}
	return fmt.Sprintf(`curl -sS "%s%s" -H 'Authorization: Bearer %s'%s`, cmp.Or(base, "$NOTIFY_URL"), path, string(k.Text), body)
}
