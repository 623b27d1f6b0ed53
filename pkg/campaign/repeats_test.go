package campaign

import (
	"slices"
	"testing"
	"time"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/store"
)

// withFiles has nothing but where files are kept.
func withFiles(t *testing.T) *Campaigns {
	t.Helper()
	blobs, err := blobfile.Open(t.TempDir(), blobfile.Options{Now: time.Now, Key: []byte("k"), URL: func() string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	return &Campaigns{Ports: Ports{Blobs: blobs}}
}

// A dry run leaves out the rows that reading found to be repeats, wherever its pages are cut: they are not
// those of reading.
func TestFirsts(t *testing.T) {
	t.Parallel()
	c := withFiles(t)
	r := &run{Job: store.Job{ID: "run_1", Counts: map[string]int64{"repeats": 6}}}
	repeats := []int{3, 9, 4999, 5001, 5600, 10001}
	for _, page := range [][]int{{3, 9, 4999}, nil, {5001, 5600}, {10001}} {
		if err := c.keepRepeats(t.Context(), r, page); err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range [][2]int{{1, 500}, {4, 9}, {4900, 5100}, {5002, 5599}, {5600, 5600}, {9000, 10001}, {10002, 10003}, {1, 10003}} {
		var lines []Line
		want := []int{}
		for n := page[0]; n <= page[1]; n++ {
			lines = append(lines, Line{N: n})
			if !slices.Contains(repeats, n) {
				want = append(want, n)
			}
		}
		got, again, err := c.firsts(t.Context(), r, lines)
		if err != nil {
			t.Fatal(err)
		}
		rows := []int{}
		for _, l := range got {
			rows = append(rows, l.N)
		}
		if !slices.Equal(rows, want) || int(again) != page[1]-page[0]+1-len(want) {
			t.Errorf("rows %d to %d: %d left, %d repeats; want %d left", page[0], page[1], len(rows), again, len(want))
		}
	}
}

// Where more lists are kept than a store names at once, the last of them count too.
func TestManyRepeats(t *testing.T) {
	t.Parallel()
	c := withFiles(t)
	r := &run{Job: store.Job{ID: "run_1", Counts: map[string]int64{"repeats": 2400}}}
	var lines []Line
	for n := 2; n <= 2400; n += 2 { // each on a page of its own
		if err := c.keepRepeats(t.Context(), r, []int{n}); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, Line{N: n - 1}, Line{N: n})
	}
	if left, again, err := c.firsts(t.Context(), r, lines); err != nil || len(left) != 1200 || again != 1200 {
		t.Errorf("%d left, %d repeats: %v", len(left), again, err)
	}
}
