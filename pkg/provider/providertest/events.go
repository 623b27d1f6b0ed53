package providertest

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Feed is a provider whose events a cloud service puts into the queue of receipts.
type Feed struct {
	Name     string
	Receipts func(event []byte) ([]provider.Receipt, error)
	Foreign  func(item []byte) (name string, receipts []provider.Receipt, ok bool, err error)
	// Address is a piece of the recipients' addresses in the events; nothing that is kept has it.
	Address string
}

// wantEvent is what an event file says of a receipt.
type wantEvent struct {
	ID         message.ID `json:"id"`
	Epoch      int        `json:"epoch"`
	ProviderID string     `json:"provider_id"`
	State      string     `json:"state"`
	At         string     `json:"at"`
	Code       string     `json:"code"`
	Text       string     `json:"text"`
}

// Events holds a feed to the files testdata/events/*.txtar of a provider's folder: an event, its receipts, and in
// the comment the page that it is from. Whatever code one has, the descriptor has its sentence.
func Events(t *testing.T, f Feed, d provider.Descriptor, fsys fs.FS) {
	t.Helper()
	events(t, fsys, func(name string, event, want []byte) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var expected []wantEvent
			if err := json.Unmarshal(want, &expected); err != nil {
				t.Fatal(err)
			}
			receipts, err := f.Receipts(event)
			if err != nil {
				t.Fatal(err)
			}
			got := []wantEvent{}
			for _, r := range receipts {
				if r.Part != 0 {
					t.Errorf("part %d", r.Part)
				}
				got = append(got, wantEvent{r.ID, r.Epoch, r.ProviderID, r.State.String(), r.At.String(), r.Code, r.Text})
				f.kept(t, r)
				said(t, d, r.Code)
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			of, again, ok, err := f.Foreign(event)
			if diff := cmp.Diff(receipts, again); diff != "" || of != f.Name || !ok || err != nil {
				t.Errorf("in the queue: %q, %v, %v (-Receipts +Foreign):\n%s", of, ok, err, diff)
			}
		})
	})
}

// FuzzEvents: whatever comes, there is one receipt at most, of a message, with nothing that must not be kept.
func FuzzEvents(f *testing.F, feed Feed, fsys fs.FS) {
	f.Helper()
	events(f, fsys, func(_ string, event, _ []byte) { f.Add(event) })
	f.Fuzz(func(t *testing.T, body []byte) {
		receipts, err := feed.Receipts(body)
		if len(receipts) > 1 || err != nil && receipts != nil {
			t.Errorf("%v %v", receipts, err)
		}
		for _, r := range receipts {
			if r.ProviderID == "" || r.State == message.ReceiptNone || r.Epoch < 0 || r.ID == "" && r.Epoch > 0 {
				t.Errorf("%+v", r)
			}
			feed.kept(t, r)
		}
	})
}

func (f Feed) kept(t testing.TB, r provider.Receipt) {
	t.Helper()
	for _, s := range []string{r.Code, r.Text} {
		if len(s) > message.MaxText || strings.Contains(s, f.Address) {
			t.Errorf("kept: %q", s)
		}
	}
}

func events(t testing.TB, fsys fs.FS, each func(name string, event, want []byte)) {
	t.Helper()
	files, err := fs.Glob(fsys, "testdata/events/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			t.Fatal(err)
		}
		a := txtar.Parse(data)
		if vendor, err := backed(a); len(a.Files) != 2 || !vendor || err != nil {
			t.Fatalf("%s: not an event and its receipts, with the page that it is from", file)
		}
		each(path.Base(file), a.Files[0].Data, a.Files[1].Data)
	}
}
