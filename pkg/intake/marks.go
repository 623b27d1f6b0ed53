package intake

import (
	"cmp"
	"context"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// About is a message that somebody asked for in vain, as far as it can be read: anything may be missing.
type About struct {
	Tenant    string
	Channel   message.Channel
	To        []string
	Reference string
}

// maxMarks bounds by how many recipients and references one request is found.
const maxMarks = 10

// Marks are what a refused request is found by later: keyed hashes of whom and what it was about. What is no
// address is left out. They are made after the answer, so nothing of it is an error.
func (in *Intake) Marks(ctx context.Context, p tenant.Principal, all ...About) []string {
	var marks []string
	for _, a := range all {
		region := ""
		if t, ok, err := in.Config.Tenant(ctx, cmp.Or(a.Tenant, p.Tenant)); err == nil && ok {
			region = t.Region
		}
		if a.Reference != "" {
			marks = append(marks, in.Store.RefusedAs(a.Reference))
		}
		for _, to := range a.To {
			if len(marks) >= maxMarks {
				return marks[:maxMarks]
			}
			if kind, n, ok := in.understand(ctx, a.Channel, to, region); ok {
				marks = append(marks, in.Store.RefusedTo(kind, string(n.Key)))
			}
		}
	}
	return marks
}

// understand reads an address as its channel does, or as what it looks like.
func (in *Intake) understand(ctx context.Context, ch message.Channel, raw, region string) (message.AddressKind, address.Normal, bool) {
	if ch != "" {
		if info, ok, err := in.Providers.Channel(ctx, ch); err == nil && ok {
			n, err := info.Read(in.Addresses, raw, region)
			return info.Address, n, err == nil
		}
	}
	kind, ok := address.Guess(raw)
	if !ok {
		return kind, address.Normal{}, false
	}
	n, err := in.Addresses.Normalise(kind, raw, region)
	return kind, n, err == nil
}
