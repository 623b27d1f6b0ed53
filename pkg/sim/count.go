package sim

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// sums are counters by name.
type sums map[string]int64

// Count adds to a counter.
func (s sums) Count(name string, n int64, _ telemetry.Labels) { s[name] += n }

// Observe does nothing.
func (sums) Observe(string, float64, telemetry.Unit, telemetry.Labels) {}

// receipted says that every provider gives receipts.
func receipted(string) bool { return true }

// counts counts what a change on the disk means: every one, whoever heard of it.
func (o *oracle) counts(before, after *message.Message) {
	telemetry.Statuses{Metrics: o.counted, Receipts: receipted}.Moved(before, after, o.w.now)
}

// field is the counter of a tally's field: what has a peak has a field for each second.
func field(name string) string {
	if _, err := strconv.Atoi(name[len(name)-2:]); err == nil && len(name) == 3 {
		return map[byte]string{'a': telemetry.Accepted, 's': string(message.Sent), 't': telemetry.Throttled}[name[0]]
	}
	return name
}

// repeated keeps what was added and will be added again, because nobody heard that it was.
func (w *world) repeats(deltas []store.Delta) {
	for _, d := range deltas {
		if strings.HasPrefix(d.PK, "n#") {
			w.repeated[field(d.Field)] += d.N
		}
	}
}

// tallied holds the counters against what happened: in peace they are the same; in chaos they may lack what
// a process took with it, and have more by what was added twice after a lost answer, no more.
func (o *oracle) tallied() {
	got := sums{}
	for key, it := range o.w.disk.Data() {
		if !strings.HasPrefix(key.PK, "n#") {
			continue
		}
		var fields map[string]int64
		if err := json.Unmarshal(it, &fields); err != nil {
			o.violate(Counted, "tally %v: %v", key, err)
		}
		for name, n := range fields {
			got[field(name)] += n
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] > o.counted[name]+o.w.repeated[name] {
			o.violate(Counted, "%s: %d, and it happened %d times, %d were added twice", name, got[name], o.counted[name], o.w.repeated[name])
		}
	}
	if !o.w.Calm || o.w.Accidents != [2]Accident{} {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o.counted)) {
		if got[name] != o.counted[name] {
			o.violate(Counted, "%s: %d, and it happened %d times", name, got[name], o.counted[name])
		}
	}
}
