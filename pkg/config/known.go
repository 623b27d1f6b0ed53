package config

import (
	"context"
	"errors"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// Known refuses the names in a question that never were anybody's; where is how its fields are named, as query:. It is
// for who found nothing: a slip of the pen is told from a quiet night. What was deleted is known, as its messages and
// figures are kept; what cannot be read is taken for known.
func (s *Source) Known(ctx context.Context, where, tenant string, ch message.Channel, account string) error {
	var faults []problem.Field
	never := func(k store.Kind, name string) bool {
		if name == "" {
			return false
		}
		_, err := s.docs.Doc(ctx, k, name)
		return errors.Is(err, store.ErrNotFound)
	}
	if never(store.Tenants, tenant) {
		faults = append(faults, problem.At(where+"tenant", problem.UnknownTenant, "there is no such tenant; see GET /v1/tenants"))
	}
	if _, builtIn := ch.Info(); ch != "" && !builtIn && ch != message.Channel(message.Callback) {
		// A recipe's: nothing was ever sent on one without an account.
		if of, err := s.Accounts(ctx, ch); err == nil && len(of) == 0 {
			faults = append(faults, problem.At(where+"channel", problem.UnknownChannel, "there is no such channel, or no account of it; see GET /v1/accounts"))
		}
	}
	of, name := store.Accounts, account
	if endpoint, ok := strings.CutPrefix(account, endpointPrefix); ok { // callbacks go over it
		of, name = store.Endpoints, endpoint
	}
	if never(of, name) {
		faults = append(faults, problem.At(where+"account", problem.BadValue, "there is no such account; see GET /v1/accounts"))
	}
	if len(faults) > 0 {
		return problem.Invalid(faults...)
	}
	return nil
}
