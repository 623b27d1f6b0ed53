package trace

import (
	"context"
	"errors"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// GroupView is the messages of one request.
type GroupView struct {
	ID      string
	Tenant  string
	Kind    store.GroupKind
	Created message.Time
	Members []Member // in the order of the request
	// Counts has the members that can be read, by status; Missing the others, without those refused.
	Counts  map[message.Status]int
	Missing int
}

// Member is a place in a group.
type Member struct {
	ID message.ID // "": this item of a batch was refused
	// Message is nil when the item was refused, its record's time is over, or it cannot be read.
	Message *Summary
}

// Group reads a group. Another tenant's, and what is no id, is NotFound.
func (t *Trace) Group(ctx context.Context, p tenant.Principal, id string) (*GroupView, error) {
	if err := may(p); err != nil {
		return nil, err
	}
	if !isGroupID(id) {
		return nil, problem.New(problem.NotFound, "there is no group of this id; one begins with %s and has 30 characters", store.GroupPrefix)
	}
	g, err := t.Store.Group(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "there is no group %s", id)
	}
	if err != nil {
		return nil, unread(err)
	}
	ids := make([]message.ID, 0, len(g.IDs))
	for _, id := range g.IDs {
		if id != "" {
			ids = append(ids, id)
		}
	}
	records, bad, err := t.Store.Messages(ctx, p, ids...)
	if err != nil {
		return nil, unread(err)
	}
	for _, u := range bad {
		t.Log.ErrorContext(ctx, "record unreadable", "message", u.ID, "error", u.Err)
	}
	out := &GroupView{ID: g.ID, Tenant: g.Tenant, Kind: g.Kind, Created: g.Created, Counts: map[message.Status]int{}}
	now := t.now()
	for _, id := range g.IDs {
		member := Member{ID: id}
		if id != "" {
			if r := records[0]; r != nil {
				s := t.summary(ctx, r, now)
				member.Message = &s
				out.Counts[r.Status]++
			} else {
				out.Missing++
			}
			records = records[1:]
		}
		out.Members = append(out.Members, member)
	}
	return out, nil
}

func isGroupID(id string) bool {
	ulid, ok := strings.CutPrefix(id, store.GroupPrefix)
	return ok && len(ulid) == 26 && strings.Trim(ulid, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}
