package operate

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Users is what /v1/users needs.
type Users interface {
	Users(ctx context.Context, p tenant.Principal) ([]operate.Versioned[tenant.User], error)
	UserHistory(ctx context.Context, p tenant.Principal, name string) ([]operate.Versioned[tenant.User], error)
	PutUser(ctx context.Context, p tenant.Principal, u tenant.User, c operate.Change) (operate.Versioned[tenant.User], error)
	DeleteUser(ctx context.Context, p tenant.Principal, name string, c operate.Change) error
}

// UserFields are what can be changed of a person.
type UserFields struct {
	Email    string      `json:"email" doc:"As the identity provider has it."`
	Role     tenant.Role `json:"role" enum:"support,developer,operator,admin" doc:"support finds and reads every tenant's messages; developer reads and sends for his tenants; operator steers; admin may do everything."`
	Tenants  []string    `json:"tenants,omitzero" doc:"A developer's."`
	Reveal   bool        `json:"reveal,omitzero" doc:"May see recipients in full, each time with a reason that is kept in the audit. An admin may anyway."`
	Disabled bool        `json:"disabled,omitzero" doc:"May not sign in; open sessions end."`
}

// User is a person who may sign in to the console through the company's identity provider.
type User struct {
	Name string `json:"name"`
	UserFields
	Meta
}

// UserList is all people, or the history of one.
type UserList struct {
	Items []User `json:"items"`
}

// PutUser makes or changes a person; what is left out is empty afterwards.
type PutUser struct {
	UserFields
	ChangeFields
}

func userOf(v operate.Versioned[tenant.User]) User {
	u := v.Body
	return User{Name: u.Name, UserFields: UserFields{u.Email, u.Role, u.Tenants, u.Reveal, u.Disabled}, Meta: metaOf(v.Meta)}
}

func users(o Users) []httpapi.Endpoint {
	del := op(remove, "users/{name}", "deleteUser", "End a person's access", admins(), problem.NotFound, problem.Conflict)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "users", "listUsers", "List the people who may sign in", admins()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*UserList, error) {
				items, err := many(userOf)(o.Users(ctx, c.Principal))
				return &UserList{items}, err
			}),
		httpapi.Route(op(get, "users/{name}/history", "listUserHistory", "List a person's versions, the newest first", admins(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*UserList, error) {
				items, err := many(userOf)(o.UserHistory(ctx, c.Principal, c.Path("name")))
				return &UserList{items}, err
			}),
		httpapi.Route(making(op(put, "users/{name}", "putUser", "Let a person sign in, or change what he may do", admins(), problem.Conflict, problem.UnknownTenant)),
			func(ctx context.Context, c *httpapi.Call, r *PutUser) (*User, error) {
				u := tenant.User{Name: c.Path("name"), Email: r.Email, Role: r.Role, Tenants: r.Tenants, Reveal: r.Reveal, Disabled: r.Disabled}
				v, err := o.PutUser(ctx, c.Principal, u, r.change())
				made(c, r.Version, err)
				return one(userOf)(v, err)
			}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteUser(ctx, c.Principal, c.Path("name"), change)
			}
			return nil, err
		}),
	}
}
