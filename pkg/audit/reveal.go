package audit

import (
	"context"
	"errors"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// MaxReason is the length of a reason.
const MaxReason = 200

// Reveal gives the recipient of a message in full. That somebody asked, and why, is kept before it is answered;
// an audit that cannot be written reveals nothing.
func (a *Audit) Reveal(ctx context.Context, p tenant.Principal, id, reason, ip, request string) (string, error) {
	if err := may(p, tenant.Reveal); err != nil {
		return "", err
	}
	switch reason = strings.TrimSpace(reason); {
	case reason == "":
		return "", problem.Invalid(problem.At("/reason", problem.Required, "say why you need it: it is kept with your name"))
	case len(reason) > MaxReason:
		return "", problem.Invalid(problem.At("/reason", problem.TooLong, "reason has at most %d bytes", MaxReason))
	}
	none := problem.New(problem.NotFound, "there is no message of this id; one begins with msg_ and has 55 characters")
	parsed, err := message.ParseID(id)
	if err != nil {
		return "", none
	}
	r, err := a.Store.Message(ctx, p, parsed)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Class == message.Callback { // which is no person's
		return "", none
	}
	if err != nil {
		return "", unread(err)
	}
	to, err := a.Store.Address(ctx, r)
	if err != nil {
		return "", unread(err)
	}
	if to == "" {
		return "", problem.New(problem.NotAllowedNow, "the recipient is erased, as planned for records of this age")
	}
	err = a.Store.AddDeed(ctx, p, a.now(), store.Deed{What: "revealed", Kind: "message", Object: string(r.ID), Tenant: r.Tenant, Reason: reason, IP: ip, Request: request})
	if err != nil {
		return "", problem.New(problem.Unavailable, "it could not be noted that you asked, so it is not revealed; try again").Because(err)
	}
	return string(to), nil
}
