package stats

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/store"
)

// row is what was counted in one cell.
type row struct {
	store.Cell
	N map[string]int64 `json:"n"`
}

// peak is the second in which most was counted, and how much.
type peak struct {
	Second int   `json:"s"` // of its minute
	N      int64 `json:"n"`
}

// sheet is what was counted in a span of time. Rows are what answers are summed from. Peaks do not sum, so
// they are found for each value of each dimension, and for all, while the seconds are at hand: of minutes.
type sheet struct {
	Rows  []row                      `json:"r"`
	Peaks map[string]map[string]peak `json:"p,omitzero"` // by "", tenant=shop, channel=sms, …; by counter
}

// dimension is what figures are told apart by.
type dimension struct {
	name string
	of   func(*store.Cell) *string
}

var dimensions = []dimension{
	{"tenant", func(c *store.Cell) *string { return &c.Tenant }},
	{"channel", func(c *store.Cell) *string { return &c.Channel }},
	{"account", func(c *store.Cell) *string { return &c.Account }},
	{"template", func(c *store.Cell) *string { return &c.Template }},
}

func (d dimension) value(v string) string { return d.name + "=" + v }

// The most rows of a sheet: of what is left, the templates are not told apart.
const (
	maxRows    = 400
	maxAllRows = 1000
)

// fold makes the sheet of tallies of one minute.
func fold(tallies []store.Tally, most int) sheet {
	var s sheet
	seconds := map[string]map[string]*[60]int64{}
	at := map[store.Cell]int{}
	for i := range tallies {
		t := &tallies[i]
		j, ok := at[t.Cell]
		if !ok {
			j = len(s.Rows)
			at[t.Cell], s.Rows = j, append(s.Rows, row{t.Cell, map[string]int64{}})
		}
		for field, n := range t.Fields {
			name, second := readSlot(field)
			s.Rows[j].N[name] += n
			if second < 0 || second > 59 {
				continue
			}
			spread(seconds, "", name, second, n)
			for _, d := range dimensions {
				if v := *d.of(&t.Cell); v != "" {
					spread(seconds, d.value(v), name, second, n)
				}
			}
		}
	}
	s.bound(most)
	s.Peaks = map[string]map[string]peak{}
	for of, counters := range seconds {
		s.Peaks[of] = map[string]peak{}
		for name, slots := range counters {
			var top peak
			for second, n := range slots {
				if n > top.N {
					top = peak{second, n}
				}
			}
			s.Peaks[of][name] = top
		}
	}
	s.forget()
	return s
}

func spread(to map[string]map[string]*[60]int64, of, name string, second int, n int64) {
	if to[of] == nil {
		to[of] = map[string]*[60]int64{}
	}
	if to[of][name] == nil {
		to[of][name] = new([60]int64)
	}
	to[of][name][second] += n
}

// forget drops the peaks of templates that have no row of their own.
func (s *sheet) forget() {
	kept := map[string]bool{}
	for i := range s.Rows {
		kept["template="+s.Rows[i].Template] = true
	}
	maps.DeleteFunc(s.Peaks, func(of string, _ map[string]peak) bool { return strings.HasPrefix(of, "template=") && !kept[of] })
}

// sum makes one sheet of those of shorter spans.
func sum(sheets []sheet, most int) sheet {
	var out sheet
	at := map[store.Cell]int{}
	for _, s := range sheets {
		for _, r := range s.Rows {
			out.add(at, r)
		}
	}
	out.bound(most)
	return out
}

func (s *sheet) add(at map[store.Cell]int, r row) {
	i, ok := at[r.Cell]
	if !ok {
		i = len(s.Rows)
		at[r.Cell], s.Rows = i, append(s.Rows, row{r.Cell, map[string]int64{}})
	}
	for name, n := range r.N {
		s.Rows[i].N[name] += n
	}
}

// bound keeps a sheet small: beyond the largest rows, templates are not told apart.
func (s *sheet) bound(most int) {
	slices.SortFunc(s.Rows, func(a, b row) int { return cmp.Or(cmp.Compare(volume(b.N), volume(a.N)), compareCells(a.Cell, b.Cell)) })
	if len(s.Rows) <= most {
		return
	}
	tail := s.Rows[most:]
	s.Rows = s.Rows[:most:most]
	at := make(map[store.Cell]int, most)
	for i := range s.Rows {
		at[s.Rows[i].Cell] = i
	}
	for _, r := range tail {
		r.Template = Other
		s.add(at, r)
	}
}

func compareCells(a, b store.Cell) int {
	return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Channel, b.Channel), strings.Compare(a.Account, b.Account), strings.Compare(a.Template, b.Template))
}

func volume(counts map[string]int64) int64 {
	var n int64
	for _, c := range counts {
		n += c
	}
	return n
}

// tenants are those of whom something was counted.
func (s sheet) tenants() []string {
	names := map[string]bool{}
	for i := range s.Rows {
		names[s.Rows[i].Tenant] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (s sheet) encode() ([]byte, error) { return json.Marshal(s, json.Deterministic(true)) }

func readSheet(f store.Figures) (sheet, error) {
	var s sheet
	if err := json.Unmarshal(f.Data, &s); err != nil {
		return s, fmt.Errorf("stats: figures of %s: %w", f.At, err)
	}
	return s, nil
}
