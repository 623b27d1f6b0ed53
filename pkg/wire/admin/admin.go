// Package admin wires what people run notify with, the same in both worlds: the reading of messages, the operators'
// API, campaigns, endpoints of tenants, figures and the reference. The console that shows it is mounted beside it.
package admin

import (
	"errors"
	"slices"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/reference"
	"github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/provider/accounts"
	"github.com/opennotify/notify/pkg/wire"
	wireaudit "github.com/opennotify/notify/pkg/wire/audit"
	wirecallback "github.com/opennotify/notify/pkg/wire/callback"
	wirecampaign "github.com/opennotify/notify/pkg/wire/campaign"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	wireredrive "github.com/opennotify/notify/pkg/wire/redrive"
	wirestats "github.com/opennotify/notify/pkg/wire/stats"
	wiretrace "github.com/opennotify/notify/pkg/wire/trace"
)

// New makes the endpoints. The backend has a timer and blobs, which campaigns need.
func New(b *wire.Backend, senders *accounts.Accounts) ([]httpapi.Endpoint, error) {
	tr, err1 := wiretrace.New(b)
	op, err2 := wireoperate.New(b, senders)
	again, err3 := wireredrive.New(b)
	camp, err4 := wirecampaign.New(b)
	told, err5 := wirecallback.New(b)
	figures, err6 := wirestats.New(b)
	done, err7 := wireaudit.New(b)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	return slices.Concat(messages.Reading(tr), operate.Endpoints(op), operate.Redriving(again), operate.Auditing(done), campaigns.Endpoints(camp),
		callbacks.Endpoints(told), stats.Endpoints(figures), reference.Endpoints()), nil
}
