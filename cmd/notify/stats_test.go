package main

import (
	"slices"
	"testing"
)

// What seldom happens has a column where it did: the runbook says to look at bounced and complained.
func TestColumns(t *testing.T) {
	t.Parallel()
	calm, _ := columns(map[string]int64{"sent": 9})
	names, heads := columns(map[string]int64{"sent": 9, "bounced": 1, "in_doubt": 1})
	if len(calm) != 9 || slices.Contains(calm, "bounced") || !slices.Contains(names, "bounced") || slices.Contains(names, "complained") || heads[len(heads)-1] != "IN DOUBT" || len(heads) != len(names) {
		t.Errorf("%v; %v %v", calm, names, heads)
	}
}
