package tenant

import (
	"slices"
	"strings"
)

// Role is what a person may do in the console.
type Role string

// The roles, each with more than the one before.
const (
	RoleSupport   Role = "support"   // finds and reads every tenant's messages
	RoleDeveloper Role = "developer" // reads and sends for his own tenants
	RoleOperator  Role = "operator"  // steers: templates, routes, campaigns, dead letters
	RoleAdmin     Role = "admin"     // everything, accounts, keys and people too
)

// scopes of the roles.
var scopesOf = map[Role][]Scope{
	RoleSupport:   {Read, Support},
	RoleDeveloper: {Read, Send},
	RoleOperator:  {Read, Send, Support, Operate},
	RoleAdmin:     {Read, Send, Support, Operate, Admin},
}

// Scopes is what the role may do.
func (r Role) Scopes() []Scope { return slices.Clone(scopesOf[r]) }

// ValidRole tells whether r is one of the roles.
func ValidRole(r Role) bool { return scopesOf[r] != nil }

// User is a person who may sign in to the console through the company's identity provider.
type User struct {
	Name    string   `json:"name"`  // as in the audit: lower-case letters, digits and -, at most 32
	Email   string   `json:"email"` // as the identity provider has it
	Role    Role     `json:"role"`
	Tenants []string `json:"tenants,omitempty"` // a developer's
	// Reveal lets him see recipients in full, each time with a reason that is kept. An admin may anyway.
	Reveal   bool `json:"reveal,omitempty"`
	Disabled bool `json:"disabled,omitempty"`
}

// Is tells whether the user has a mail address, whatever its case.
func (u User) Is(email string) bool { return email != "" && strings.EqualFold(u.Email, email) }

// Person is the principal of somebody who is signed in. Of several tenants the first is the one that is
// meant where none is named.
func Person(u User) Principal {
	p := Principal{KeyID: "user:" + u.Name, Name: "user:" + u.Name, Live: true, scopes: u.Role.Scopes(), tenants: u.Tenants, person: true}
	if u.Reveal {
		p.scopes = append(p.scopes, Reveal)
	}
	if len(u.Tenants) > 0 {
		p.Tenant = u.Tenants[0]
	}
	return p
}
