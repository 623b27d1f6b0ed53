package client

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/httpapi/campaigns"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// TestSameMembers holds every type to the API's own: the same members with the same kinds of values, all
// the way down. So a member that the API gains, loses or renames fails here, before any request is made.
func TestSameMembers(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]any{
		{SendRequest{}, messages.SendRequest{}}, {Sent{}, messages.Sent{}},
		{BatchRequest{}, messages.BatchRequest{}}, {BatchAnswer{}, messages.BatchAnswer{}},
		{Explained{}, messages.Explained{}}, {Message{}, messages.Message{}}, {GroupMessages{}, messages.GroupMessages{}},
		{SearchRequest{}, messages.SearchRequest{}}, {SearchAnswer{}, messages.SearchAnswer{}},
		{WhoRequest{}, messages.WhoRequest{}}, {WhoAnswer{}, messages.WhoAnswer{}},
		{why{}, messages.Why{}}, {why{}, operate.Retry{}}, {StopRequest{}, messages.StopRequest{}}, {StopAnswer{}, messages.StopAnswer{}},
		{Tenant{}, operate.Tenant{}}, {list[Tenant]{}, operate.TenantList{}},
		{APIKey{}, operate.Key{}}, {list[APIKey]{}, operate.KeyList{}}, {CreateKeyRequest{}, operate.CreateKey{}}, {NewKey{}, operate.NewKey{}},
		{DeadPage{}, operate.DeadLetterList{}}, {RedriveRequest{}, operate.RedriveRequest{}}, {redriveAnswer{}, operate.RedriveAnswer{}}, {RedrivePage{}, operate.RedriveList{}}, {why{}, operate.StopRedrive{}}, {Stats{}, stats.Figures{}}, {Throttles{}, stats.Ledger{}}, {list[Alarm]{}, stats.Alarms{}}, {RefusedPage{}, stats.RefusedList{}}, {Template{}, operate.Template{}}, {list[Template]{}, operate.TemplateList{}},
		{TemplateVersion{}, operate.TemplateVersion{}}, {PutTemplateRequest{}, operate.PutTemplate{}}, {TemplateDiff{}, operate.TemplateDiff{}},
		{TemplateBindings{}, operate.TemplateBindings{}}, {BoundTemplate{}, operate.BoundTemplate{}}, {PutBindingRequest{}, operate.PutBinding{}},
		{PreviewRequest{}, operate.PreviewRequest{}}, {Preview{}, operate.Preview{}}, {AuditPage{}, operate.AuditList{}}, {why{}, operate.Reveal{}}, {revealed{}, operate.Revealed{}},
		{Endpoint{}, operate.Endpoint{}}, {list[Endpoint]{}, operate.EndpointList{}}, {PutEndpointRequest{}, operate.PutEndpoint{}},
		{RotateEndpointRequest{}, operate.RotateEndpoint{}}, {EndpointSecret{}, operate.EndpointSecret{}}, {EndpointHealth{}, callbacks.EndpointHealth{}},
		{CallbackPage{}, callbacks.CallbackList{}}, {ResendCallbacksRequest{}, callbacks.Resend{}}, {Resent{}, callbacks.Resent{}}, {WebhookEvent{}, callback.Event{}},
		{list[Provider]{}, operate.ProviderList{}}, {list[Account]{}, operate.AccountList{}}, {Recipe{}, operate.Recipe{}}, {list[RecipeLine]{}, operate.RecipeList{}}, {PutRecipeRequest{}, operate.PutRecipe{}},
		{switched{}, operate.SwitchAccount{}}, {TestAccountRequest{}, operate.TestAccount{}}, {AccountTest{}, operate.AccountTest{}},
		{When{}, campaigns.When{}}, {Schedule{}, campaigns.Schedule{}}, {list[Schedule]{}, campaigns.ScheduleList{}}, {PutScheduleRequest{}, campaigns.PutSchedule{}},
		{RunNow{}, campaigns.RunNow{}}, {Run{}, campaigns.Run{}}, {RunPage{}, campaigns.RunList{}}, {CreateCampaignRequest{}, campaigns.CreateCampaign{}},
		{why{}, campaigns.Why{}}, {createUpload{}, campaigns.CreateAudience{}}, {upload{}, campaigns.Upload{}}, {BadRowPage{}, campaigns.BadRows{}}, {TemplateUses{}, campaigns.Uses{}}, {stopUses{}, campaigns.StopUses{}},
	} {
		ours, theirs := reflect.TypeOf(pair[0]), reflect.TypeOf(pair[1])
		if diff := cmp.Diff(shape(theirs, nil), shape(ours, nil)); diff != "" {
			t.Errorf("%v differs from %v (-API +client):\n%s", ours, theirs, diff)
		}
	}
}

func TestSameProblem(t *testing.T) {
	t.Parallel()
	theirs := shape(reflect.TypeFor[httpapi.Problem](), nil).(map[string]any)
	delete(theirs, "retry_after") // is read from the header
	if diff := cmp.Diff(any(theirs), shape(reflect.TypeFor[Error](), nil)); diff != "" {
		t.Error(diff)
	}
	listed := map[string]bool{}
	for _, k := range problem.Kinds() {
		listed[string(k.Code)] = true
	}
	for _, code := range []string{CodeBadJSON, CodeTooLarge, CodeUnauthorized, CodeForbidden, CodeNotFound, CodeInvalidRequest, CodeKeyReused,
		CodeConflict, CodeNotAllowedNow, CodeRateLimited, CodeDailyLimit, CodeUnavailable, CodeInternal} {
		if !listed[code] {
			t.Errorf("the API has no code %s", code)
		}
	}
}

func TestSameStatuses(t *testing.T) {
	t.Parallel()
	ours := []Status{StatusScheduled, StatusQueued, StatusSending, StatusSent, StatusInDoubt, StatusDelivered, StatusUndelivered, StatusBounced,
		StatusComplained, StatusFailed, StatusExpired, StatusCancelled, StatusSuppressed, StatusDead, StatusSimulated}
	for i, theirs := range message.Statuses() {
		if ours[i] != Status(theirs) || ours[i].Terminal() != theirs.Terminal() {
			t.Errorf("%s (terminal: %v) is %s (%v) in the API", ours[i], ours[i].Terminal(), theirs, theirs.Terminal())
		}
	}
	if len(ours) != len(message.Statuses()) {
		t.Errorf("%d statuses, the API has %d", len(ours), len(message.Statuses()))
	}
}

// shape is a type as JSON sees it: the members of objects, and kinds of values.
func shape(t reflect.Type, within []reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t == reflect.TypeFor[json.RawMessage]():
		return "any"
	case t == reflect.TypeFor[To](), t == reflect.TypeFor[messages.To]():
		return "recipients"
	case slices.Contains(within, t):
		return "itself"
	}
	within = append(slices.Clip(within), t)
	switch t.Kind() {
	case reflect.Struct:
		members := map[string]any{}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "-" || !f.IsExported() && !f.Anonymous:
			case f.Anonymous && name == "":
				maps.Copy(members, shape(f.Type, within).(map[string]any))
			default:
				members[name] = shape(f.Type, within)
			}
		}
		return members
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return []any{shape(t.Elem(), within)}
	case reflect.Map:
		return map[string]any{"*": shape(t.Elem(), within)}
	case reflect.Int, reflect.Int64:
		return "integer"
	}
	return t.Kind().String()
}
