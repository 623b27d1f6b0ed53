package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"os"
	"slices"
	"time"
)

func median[T cmp.Ordered](values []T) T {
	v := slices.Clone(values)
	slices.Sort(v)
	var zero T
	if len(v) == 0 {
		return zero
	}
	return v[len(v)/2]
}

func of[T cmp.Ordered](rows []result, f func(result) T) T {
	var v []T
	for _, r := range rows {
		v = append(v, f(r))
	}
	return median(v)
}

// report prints the table of docs/performance.md.
func (b *bench) report() {
	fmt.Println("| load | server | accepted/s | delivered/s | accept p50 / p99 ms | arrival p50 / p99 ms | CPU ms | KB written | lost / refused / doubled |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, load := range []string{"c=1", "c=16", "c=64", "200/s"} {
		for _, server := range []string{"bound", "notify"} {
			rows := b.rows[server+" "+load]
			ms := func(f func(result) time.Duration) float64 { return of(rows, f).Seconds() * 1000 }
			lost, bad, doubled := 0, 0, 0
			for _, r := range rows {
				lost, bad, doubled = lost+r.Lost, bad+r.Bad, doubled+r.Doubled
			}
			fmt.Printf("| %s | %s | %.0f | %.0f | %.2f / %.1f | %.2f / %.1f | %.3f | %.1f | %d / %d / %d |\n", load, server,
				of(rows, func(r result) float64 { return r.PerSecond }), of(rows, func(r result) float64 { return r.Delivered }),
				ms(func(r result) time.Duration { return r.Accept50 }), ms(func(r result) time.Duration { return r.Accept99 }),
				ms(func(r result) time.Duration { return r.Arrive50 }), ms(func(r result) time.Duration { return r.Arrive99 }),
				ms(func(r result) time.Duration { return r.CPU }), float64(of(rows, func(r result) int64 { return r.Written }))/1024, lost, bad, doubled)
		}
	}
	fmt.Println()
	b.ratios()
	fmt.Println()
	for _, server := range []string{"bound", "notify"} {
		fmt.Printf("%s: start to first answer %v; anonymous memory idle %.1f MB, after c=64 %.1f MB\n", server, median(b.started[server]).Round(100*time.Microsecond),
			float64(median(b.idle[server]))/(1<<20), float64(median(b.busy[server]))/(1<<20))
	}
	if st, err := os.Stat(b.notify); err == nil {
		version := ""
		if info, err := buildinfo.ReadFile(b.notify); err == nil {
			version = ", " + info.GoVersion
		}
		fmt.Printf("notify: binary %.1f MB%s\n", float64(st.Size())/(1<<20), version)
	}
}

// ratios are medians over the rounds of notify over the bound, round by round.
func (b *bench) ratios() {
	fmt.Println("| ratio to the bound, in the same round | c=1 | c=16 | c=64 | 200/s |")
	fmt.Println("|---|---|---|---|---|")
	for _, m := range []struct {
		name string
		of   func(result) float64
	}{
		{"delivered/s", func(r result) float64 { return r.Delivered }},
		{"CPU a message", func(r result) float64 { return r.CPU.Seconds() }},
		{"arrival p50", func(r result) float64 { return r.Arrive50.Seconds() }},
		{"accept p99/p50", func(r result) float64 { return r.Accept99.Seconds() / r.Accept50.Seconds() }},
	} {
		fmt.Printf("| %s |", m.name)
		for _, load := range []string{"c=1", "c=16", "c=64", "200/s"} {
			ours, bound := b.rows["notify "+load], b.rows["bound "+load]
			var ratios []float64
			for i := range min(len(ours), len(bound)) {
				ratios = append(ratios, m.of(ours[i])/m.of(bound[i]))
			}
			fmt.Printf(" %.2f |", median(ratios))
		}
		fmt.Println()
	}
	if b.syncs {
		for _, load := range []string{"c=1", "c=16", "c=64"} {
			fmt.Printf("syncs a message at %s: bound %.2f, notify %.2f\n", load, of(b.rows["bound "+load], func(r result) float64 { return r.Syncs }),
				of(b.rows["notify "+load], func(r result) float64 { return r.Syncs }))
		}
	}
}
