package memory

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/queue"
)

// Against a plain model: first in, first out within a group; and while a group waits, no other is served
// twice.
func TestTurns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var turns turns
		model := map[string][]string{}            // waiting IDs by group
		overtaken := map[string]map[string]bool{} // by group: who was served while it waited
		next, total := 0, 0
		remove := func(group, id string) {
			model[group] = slices.DeleteFunc(model[group], func(s string) bool { return s == id })
			delete(overtaken, group)
			total--
		}
		anyGroup := rapid.SampledFrom([]string{"", "a", "b", "c", "d"})
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				group := anyGroup.Draw(t, "group")
				for range rapid.IntRange(1, 5).Draw(t, "n") {
					next++
					id := strconv.Itoa(next)
					turns.push(&entry{item: queue.Item{ID: id, Group: group}})
					model[group] = append(model[group], id)
					total++
				}
			},
			"pop": func(t *rapid.T) {
				e := turns.pop()
				if total == 0 {
					if e != nil {
						t.Fatalf("popped %q of nothing", e.item.ID)
					}
					return
				}
				group := e.item.Group
				if want := model[group][0]; e.item.ID != want {
					t.Fatalf("popped %q of group %q, want %q", e.item.ID, group, want)
				}
				remove(group, e.item.ID)
				for other, ids := range model {
					if len(ids) == 0 || other == group {
						continue
					}
					if overtaken[other][group] {
						t.Fatalf("%q was served twice while %q waited", group, other)
					}
					if overtaken[other] == nil {
						overtaken[other] = map[string]bool{}
					}
					overtaken[other][group] = true
				}
			},
			"take": func(t *rapid.T) {
				group := anyGroup.Draw(t, "group")
				if len(model[group]) == 0 {
					return
				}
				id := rapid.SampledFrom(model[group]).Draw(t, "id")
				if e := turns.take(id); e == nil || e.item.ID != id {
					t.Fatalf("take of %q: %v", id, e)
				}
				kept := overtaken[group]
				remove(group, id)
				if len(model[group]) > 0 {
					overtaken[group] = kept // taking is not serving
				}
			},
			"": func(t *rapid.T) {
				left := map[string][]string{}
				for e := range turns.all() {
					left[e.item.Group] = append(left[e.item.Group], e.item.ID)
				}
				want := map[string][]string{}
				for g, ids := range model {
					if len(ids) > 0 {
						want[g] = ids
					}
				}
				if diff := cmp.Diff(want, left); diff != "" {
					t.Fatalf("waiting (-want +got):\n%s", diff)
				}
				if turns.len != total || len(turns.groups) != len(want) {
					t.Fatalf("len %d and %d groups, want %d and %d", turns.len, len(turns.groups), total, len(want))
				}
			},
		})
		if turns.take("none") != nil {
			t.Fatal("took what is not there")
		}
	})
}
