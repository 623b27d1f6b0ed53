package reference_test

import (
	"flag"
	"slices"
	"testing"

	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/openapi"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/httpapi/reference"
	"github.com/opennotify/notify/pkg/httpapi/stats"
)

var update = flag.Bool("update", false, "write docs/openapi.json again")

// The committed document is that of all mounts: go test ./pkg/httpapi/reference -update writes it.
func TestOpenAPIIsFresh(t *testing.T) {
	t.Parallel()
	doc, err := openapi.Document(openapi.Info{Title: "notify", Version: "1", Description: "The notification service that all of a company's systems send through.", Webhooks: callbacks.Webhooks()},
		slices.Concat(messages.Sending(nil), messages.Reading(nil), operate.Endpoints(nil), operate.Redriving(nil), operate.Auditing(nil), campaigns.Endpoints(nil), callbacks.Endpoints(nil), stats.Endpoints(nil), receipts.Endpoints(nil), reference.Endpoints()))
	if err != nil {
		t.Fatal(err)
	}
	if err := openapi.Check(doc); err != nil {
		t.Fatal(err)
	}
	if err := openapi.Fresh("../../../docs/openapi.json", doc, *update); err != nil {
		t.Fatal(err)
	}
}
