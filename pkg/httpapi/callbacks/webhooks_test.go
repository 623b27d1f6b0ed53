package callbacks_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/webhook"
)

// The description names every status that somebody can be told of, and every header that a receiver verifies with.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	want := []string{callback.Test}
	told := message.TellEnds() | message.TellOf(message.Sent, message.InDoubt)
	for _, s := range message.Statuses() {
		if told.Has(s) {
			want = append(want, "message."+string(s))
		}
	}
	field, _ := reflect.TypeFor[callback.Event]().FieldByName("Type")
	got := strings.Split(field.Tag.Get("enum"), ",")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the types of events are %v, described are %v", want, got)
	}
	for _, w := range callbacks.Webhooks() {
		for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
			if !slices.ContainsFunc(w.Headers, func(p httpapi.Param) bool { return strings.EqualFold(p.Name, name) && p.Required }) {
				t.Errorf("%s: the header %s is not described", w.Name, name)
			}
		}
	}
}
