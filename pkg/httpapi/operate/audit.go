package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/audit"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Audit is what the audit needs of the use case.
type Audit interface {
	List(ctx context.Context, p tenant.Principal, f audit.Filter) ([]audit.Entry, string, error)
	Reveal(ctx context.Context, p tenant.Principal, id, reason, ip, request string) (string, error)
}

// AuditEntry is who did what, when and why.
type AuditEntry struct {
	At        time.Time     `json:"at"`
	By        string        `json:"by" doc:"key:<id> or user:<name>; a worker's name where a machine did it."`
	What      string        `json:"what" enum:"made,changed,deleted,revealed,suppressed,unsuppressed,cancelled,resent,retried,redriven,ordered,sent,paused,resumed,stopped,tried,tested,uploaded"`
	Kind      string        `json:"kind" doc:"Of what: a kind of document, message, address, redrive, run, audience."`
	Name      string        `json:"name" doc:"Its name or id; an address is masked; of messages that were stopped, the template or group."`
	Tenant    string        `json:"tenant,omitzero"`
	Version   int64         `json:"version,omitzero" doc:"Of the document."`
	Reason    string        `json:"reason,omitzero"`
	IP        string        `json:"ip,omitzero"`
	RequestID string        `json:"request_id,omitzero"`
	Changes   []AuditChange `json:"changes,omitzero" doc:"Value by value. Of what is no document it is what came of it: a message's status before and after, the id of the new message."`
}

// AuditChange is a value that was changed.
type AuditChange struct {
	Path   string `json:"path" doc:"A JSON pointer."`
	Before string `json:"before,omitzero" doc:"As JSON, at most 400 bytes of it; absent where it was not set."`
	After  string `json:"after,omitzero"`
}

// AuditList is a page of the audit, the newest first.
type AuditList struct {
	Items []AuditEntry `json:"items"`
	Next  string       `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// Reveal says why a recipient is needed in full.
type Reveal struct {
	Reason string `json:"reason" doc:"Kept in the audit, with who asked." maxLength:"200"`
}

// Revealed is a recipient in full.
type Revealed struct {
	To string `json:"to"`
}

func entryOf(e audit.Entry) AuditEntry {
	out := AuditEntry{At: e.At.Std(), By: e.By, What: e.What, Kind: e.Kind, Name: e.Name, Tenant: e.Tenant, Version: e.Version, Reason: e.Reason, IP: e.IP, RequestID: e.Request}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, AuditChange(c))
	}
	return out
}

// Auditing mounts the audit, and the reveal of recipients.
func Auditing(o Audit) []httpapi.Endpoint {
	list := op(get, "audit", "listAudit", "List who did what, when and why, the newest first", []tenant.Scope{tenant.Operate}, problem.BadTime)
	list.Description = "Every version of what is edited, with what it changed, and what leaves no version: recipients that were revealed, addresses that were suppressed, " +
		"messages that a person or a key with the scope operate cancelled, resent, stopped or tried again, how they steered campaigns and redrives, accounts and endpoints that they tried, and lists that they uploaded. " +
		"What a tenant's own key does to its messages is its traffic: it stands in their timelines. " +
		"Changes of people are told to admins only. A page may be short, even empty, and not be the last: go on while there is a next."
	list.Query = []httpapi.Param{{Name: "by", Description: "Only what this one did: key:<id> or user:<name>, or what follows the colon.", Example: "user:li"},
		{Name: "what", Description: "Only this.", Enum: []string{audit.Made, audit.Changed, audit.Deleted, "revealed", "suppressed", "unsuppressed", "cancelled", "resent", "retried", "redriven", "ordered", "sent", "paused", "resumed", "stopped", "tried", "tested", "uploaded"}},
		{Name: "kind", Description: "Only of this kind.", Example: "route"}, {Name: "name", Description: "Only where the name has this in it.", Example: "otp-sms"},
		{Name: "from", Description: "Inclusive; 7 days before to without it, at most 92.", Example: "2026-01-02T10:30:00Z"}, {Name: "to", Description: "Exclusive; now without it.", Example: "2026-01-02T11:30:00Z"},
		httpapi.LimitParam(), httpapi.AfterParam()}
	reveal := op(post, "messages/{id}/reveal", "revealRecipient", "Show the recipient of a message in full, and note who asked and why", []tenant.Scope{tenant.Reveal}, problem.NotFound, problem.NotAllowedNow)
	reveal.Description = "Recipients are masked everywhere else. The request is kept in the audit before it is answered."
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*AuditList, error) {
			f := audit.Filter{By: c.Query("by"), What: c.Query("what"), Kind: c.Query("kind"), Name: c.Query("name"), After: c.Query("after")}
			var err error
			if f.Limit, err = c.Limit(); err != nil {
				return nil, err
			}
			if f.From, f.To, err = c.Span(); err != nil {
				return nil, err
			}
			page, next, err := o.List(ctx, c.Principal, f)
			items, err := many(entryOf)(page, err)
			return &AuditList{items, next}, err
		}),
		httpapi.Route(reveal, func(ctx context.Context, c *httpapi.Call, r *Reveal) (*Revealed, error) {
			to, err := o.Reveal(ctx, c.Principal, c.Path("id"), r.Reason, c.IP, c.RequestID)
			if err != nil {
				return nil, err
			}
			return &Revealed{to}, nil
		}),
	}
}
