package deploy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/pkg/provider/sign"
)

// From the acceptance over a vendor, uploaded a moment before, and its signed receipt at the account's address, to
// the tenant's own server, which is told of both.
func (d *deployment) told(t *testing.T) {
	recipe, err := os.ReadFile("../pkg/local/testdata/courier/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	d.call(t, http.StatusCreated, http.MethodPut, "/v1/recipes/courier", map[string]any{"recipe": string(recipe)})
	address := d.soon(t, http.StatusCreated, http.MethodPut, "/v1/accounts/courier", map[string]any{"provider": "courier",
		"config": map[string]string{"server": d.sinks.hook.URL + "/ok/courier"}, "secrets": map[string]string{"key": key}}).text("callback_path")
	d.soon(t, http.StatusCreated, http.MethodPut, "/v1/templates/shop/parcel", map[string]any{"class": "transactional",
		"variants": []map[string]any{{"channel": "courier", "locale": "en", "text": "Your parcel is here"}}})
	d.soon(t, http.StatusOK, http.MethodPost, "/v1/templates/shop/parcel/publish", map[string]any{"version": 1})
	var id string
	eventually(t, "the uploaded channel is in force", func() (string, bool) { // within 30 s
		got, err := d.try(t.Context(), http.MethodPost, "/v1/messages", map[string]any{"to": "anna", "channel": "courier", "template": "parcel", "locale": "en"})
		id = got.text("id")
		return fmt.Sprint(got.body, err), err == nil && got.status == http.StatusAccepted
	})
	d.until(t, id, "sent")
	_, _, last := d.sinks.webhooks("/ok/courier")
	var asked struct{ To, Text, Ref string }
	if err := json.Unmarshal([]byte(last), &asked); err != nil || asked.To != "anna" || asked.Text != "Your parcel is here" {
		t.Fatalf("the vendor was asked %s: %v", last, err)
	}
	body := fmt.Sprintf(`{"ref":%q,"state":"handed_over"}`, asked.Ref)
	for key, want := range map[string]int{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": http.StatusNotFound, key: http.StatusOK} {
		d.call(t, want, http.MethodPost, address, []byte(body), signed(t, key, body)...)
	}
	d.until(t, id, "delivered")
	for _, status := range []string{"sent", "delivered"} {
		eventually(t, "the tenant is told", func() (string, bool) { return "", d.sinks.event(id, status) != nil })
	}
	if e := d.sinks.event(id, "delivered"); e["type"] != "message.delivered" || !strings.Contains(fmt.Sprint(e["data"]), "code:handed_over") {
		t.Errorf("it was told %v", e)
	}
	page := d.call(t, http.StatusOK, http.MethodGet, "/v1/endpoints/shop/told/attempts?limit=100", nil)
	for _, item := range page.body["items"].([]any) {
		if text := fmt.Sprint(item); strings.Contains(text, id) && strings.Contains(text, "message.delivered") && !strings.Contains(text, "http_status:200") {
			t.Errorf("its attempts are %v", item)
		}
	}
}

// soon makes something of an uploaded recipe, which every process of the stack knows within 30 s.
func (d *deployment) soon(t *testing.T, want int, method, path string, body any) (made answer) {
	t.Helper()
	eventually(t, path+" is taken", func() (string, bool) {
		var err error
		made, err = d.try(t.Context(), method, path, body)
		return fmt.Sprint(made.body, err), err == nil && made.status == want
	})
	return made
}

// A vendor that never calls back is asked: the sweep of one function says so, another one asks.
func (d *deployment) asked(t *testing.T) {
	recipe, err := os.ReadFile("../pkg/local/testdata/mute/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string][2]string{ // who is to ask may not know the recipe yet, so it comes again in a minute
		"paged": {"{of: account, every_seconds: 60}", "${cursor}"},
		"named": {"{of: message, after_seconds: 0, every_seconds: 60, until_seconds: 3600}", "${asked.provider_id}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for what is in force in 30 s
			text := strings.NewReplacer("$NAME", name, "$POLLS", of[0], "$QUERY", of[1]).Replace(string(recipe))
			d.call(t, http.StatusCreated, http.MethodPut, "/v1/recipes/"+name, map[string]any{"recipe": text})
			d.soon(t, http.StatusCreated, http.MethodPut, "/v1/accounts/"+name, map[string]any{"provider": name, "config": map[string]string{"server": d.sinks.hook.URL + mutePath + name}})
			d.soon(t, http.StatusCreated, http.MethodPut, "/v1/templates/shop/"+name, map[string]any{"class": "transactional",
				"variants": []map[string]any{{"channel": name, "locale": "en", "text": "Is anybody there?"}}})
			d.soon(t, http.StatusOK, http.MethodPost, "/v1/templates/shop/"+name+"/publish", map[string]any{"version": 1})
			id := ""
			eventually(t, "the uploaded channel is in force", func() (string, bool) { // within 30 s
				got, err := d.try(t.Context(), http.MethodPost, "/v1/messages", map[string]any{"to": "1234", "channel": name, "template": name, "locale": "en"})
				id = got.text("id")
				return fmt.Sprint(got.body, err), err == nil && got.status == http.StatusAccepted
			})
			var passed time.Time
			eventually(t, "it is delivered", func() (string, bool) {
				got, err := d.try(t.Context(), http.MethodGet, "/v1/messages/"+id, nil)
				if got.text("status") == "sent" && time.Since(passed) > 5*time.Second { // sooner than the stack's own tick; the account is news to the sweep
					passed = time.Now()
					_, err = d.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: d.queue("control"), MessageBody: aws.String(`{"kind":"pass"}`)})
				}
				return fmt.Sprint(got.body, err), err == nil && got.text("status") == "delivered"
			})
			if n, _, _ := d.sinks.webhooks(mutePath + name + "/" + name); n != 1 {
				t.Errorf("%s was asked %d times", name, n)
			}
		})
	}
}

// signed is the headers of a vendor's callback.
func signed(t *testing.T, key, body string) (headers []string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	scheme, _ := sign.Lookup("standard-webhooks")
	if err := scheme.Apply(sign.Params{"key": key, "id": "evt_1"}, sign.Moment{Now: time.Now()}, r, []byte(body)); err != nil {
		t.Fatal(err)
	}
	for name := range r.Header {
		headers = append(headers, name+": "+r.Header.Get(name))
	}
	return headers
}
