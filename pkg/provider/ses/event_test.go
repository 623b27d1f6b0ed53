package ses_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/ses"
)

// wantReceipt is a receipt as a case file has it.
type wantReceipt struct {
	ID         message.ID `json:"id"`
	Epoch      int        `json:"epoch"`
	ProviderID string     `json:"provider_id"`
	State      string     `json:"state"`
	At         string     `json:"at"`
	Code       string     `json:"code"`
	Text       string     `json:"text"`
}

func readEvent(t testing.TB, file string) (event []byte, want []wantReceipt) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil || len(a.Files) != 2 || !strings.Contains(string(a.Comment), "https://") {
		t.Fatalf("%s: %v: not an event and its receipts, with the page that it is from", file, err)
	}
	if err := json.Unmarshal(a.Files[1].Data, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return a.Files[0].Data, want
}

func eventFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/events/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	return files
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, file := range eventFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			event, want := readEvent(t, file)
			receipts, err := ses.Receipts(event)
			if err != nil {
				t.Fatal(err)
			}
			got := []wantReceipt{}
			for _, r := range receipts {
				if r.Part != 0 {
					t.Errorf("part %d", r.Part)
				}
				got = append(got, wantReceipt{r.ID, r.Epoch, r.ProviderID, r.State.String(), r.At.String(), r.Code, r.Text})
				shown(t, r.Code, r.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			name, again, ok, err := ses.Foreign(event)
			if diff := cmp.Diff(receipts, again); diff != "" || name != "ses" || !ok || err != nil {
				t.Errorf("Foreign: %q, %v, %v (-Receipts +Foreign):\n%s", name, ok, err, diff)
			}
		})
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ ok, fault bool }{
		"Successfully validated SNS topic for Amazon SES event publishing.":                                  {ok: true},
		`{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed"}`: {ok: true},
		`{"account":"mail-1","receipt":{"ID":"msg_1","State":3}}`:                                            {},
		`{"Type":"Notification","Message":"{\"account\":\"mail-1\"}"}`:                                       {},
		`{"eventType":"Send","mail":{}}`:                                                                     {ok: true, fault: true},
		`{"eventType":"Send","mail":"of recipient@example.com"}`:                                             {ok: true, fault: true},
		`{"eventType":"Bounce","mail":{"messageId":"m"},"bounce":["recipient@example.com"]}`:                 {ok: true, fault: true},
		`[]`: {}, ``: {}, `null`: {}, `{"eventType":`: {}, `{"eventType":7}`: {},
	} {
		name, receipts, ok, err := ses.Foreign([]byte(body))
		if ok != want.ok || (err != nil) != want.fault || (name == "ses") != want.ok || receipts != nil {
			t.Errorf("%s: %q %v %v %v", body, name, receipts, ok, err)
		}
		if err != nil && strings.Contains(err.Error(), "recipient") {
			t.Errorf("%s: the error quotes the event: %v", body, err)
		}
	}
	if _, err := ses.Receipts([]byte(`{"eventType":"Send"}`)); err == nil {
		t.Error("an event of no mail: no error")
	}
}

func FuzzReceipts(f *testing.F) {
	for _, file := range eventFiles(f) {
		event, _ := readEvent(f, file)
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		receipts, err := ses.Receipts(body)
		if len(receipts) > 1 || err != nil && receipts != nil {
			t.Errorf("%v %v", receipts, err)
		}
		for _, r := range receipts {
			if r.ProviderID == "" || r.State == message.ReceiptNone || r.Epoch < 0 || r.ID == "" && r.Epoch > 0 {
				t.Errorf("%+v", r)
			}
			shown(t, r.Code, r.Text)
		}
	})
}

// shown fails the test if what is kept has an address, or is too long.
func shown(t testing.TB, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if len(s) > message.MaxText || strings.Contains(s, "@example") {
			t.Errorf("kept: %q", s)
		}
	}
}
