package limit_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
)

// In no time of the length are more places taken than there are; who waits as long as he is told gets one
// if nobody else took it; and a name never takes two.
func TestFrequency(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(t, "most")
		within := time.Duration(rapid.IntRange(1, 100).Draw(t, "within")) * time.Second
		var f limit.Frequency
		now := message.Time(1_700_000_000_000)
		taken := map[string]message.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(t, "passes")) * time.Millisecond)
			name := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "name"))
			next, wait, changed := f.Take(name, most, within, now)
			_, had := taken[name]
			switch {
			case wait > 0:
				if changed {
					t.Fatal("changed, and nothing taken")
				}
				if _, again, _ := f.Take(name, most, within, now.Add(wait)); again > 0 {
					t.Fatalf("waited %s, and must wait %s", wait, again)
				}
				if _, early, _ := f.Take(name, most, within, now.Add(wait-time.Millisecond)); early == 0 && wait > time.Millisecond {
					t.Fatal("told to wait longer than needed")
				}
				continue
			case changed:
				taken[name] = now
			case !had:
				t.Fatal("nothing was kept")
			}
			f = next
			if len(f) > most {
				t.Fatalf("%d of %d places", len(f), most)
			}
		}
		for _, from := range taken {
			n := 0
			for _, at := range taken {
				if at >= from && at.Sub(from) < within {
					n++
				}
			}
			if n > most {
				t.Fatalf("%d within %s, of %d", n, within, most)
			}
		}
	})
}
