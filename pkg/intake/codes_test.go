package intake_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// A request with a key that is cut off, at whichever write, has its places of the caps when it is asked again: it is
// one code for its recipient, and is held against the numbers around him once, whoever else asks.
func TestCodesOfARequestThatIsCutOff(t *testing.T) {
	t.Parallel()
	shapes := map[string]func(in *intake.Intake, key string) (*problem.Error, error){
		"one": func(in *intake.Intake, key string) (*problem.Error, error) {
			return nil, sendOnly(t, in, code(anna, keyed(key)))
		},
		"list": func(in *intake.Intake, key string) (*problem.Error, error) {
			return nil, sendOnly(t, in, code("", to(anna), keyed(key)))
		},
		"batch": func(in *intake.Intake, key string) (*problem.Error, error) {
			a, err := in.Batch(t.Context(), intaketest.Shop, key, []byte("same"), []*intake.Request{code(anna), code("no number")})
			if err != nil {
				return nil, err
			}
			return a.Problems[0], nil
		},
	}
	for name, ask := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for cut := 0; ; cut++ {
				w := intaketest.New(t)
				w.Put(store.Settings, config.SettingsName, "", config.Settings{Codes: config.Codes{PerRecipient: &config.Cap{Messages: 1, Seconds: 600}, PerRange: &config.Cap{Messages: 3, Seconds: 600}}})
				_, err := ask(w.Over(w.Open(&dying{Driver: w.DB, left: cut}), w.Queue), "k")
				whole := err == nil
				for range 3 { // again, as callers do
					if p, err := ask(w.Intake, "k"); p != nil || err != nil {
						t.Fatalf("cut off at write %d, and asked again: %v %v", cut, p, err)
					}
				}
				if p, err := ask(w.Intake, "another"); p == nil && err == nil {
					t.Errorf("cut off at write %d: a second code is accepted", cut)
				}
				if err := sendOnly(t, w.Intake, code(berta)); err != nil {
					t.Errorf("cut off at write %d: the numbers around are refused: %v", cut, err)
				}
				if whole {
					return
				}
			}
		})
	}
}

func sendOnly(t *testing.T, in *intake.Intake, r *intake.Request) error {
	t.Helper()
	_, err := in.Send(t.Context(), intaketest.Shop, r)
	return err
}

// A replay later than the cap's time is of a message whose place is over: it takes none from the next code.
func TestLateReplayTakesNoPlace(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Settings, config.SettingsName, "", config.Settings{Codes: config.Codes{PerRecipient: &config.Cap{Messages: 1, Seconds: 60}}})
	for _, step := range []struct {
		after time.Duration
		key   string
	}{{0, "k"}, {90 * time.Second, "k"}, {10 * time.Second, "another"}} {
		w.Advance(step.after)
		if err := sendOnly(t, w.Intake, code(anna, keyed(step.key))); err != nil {
			t.Errorf("%s: %v", step.key, err)
		}
	}
	if n := len(w.Records(message.Phone, anna)); n != 2 {
		t.Errorf("%d codes", n)
	}
}
