package main

import (
	"fmt"
	"strings"
	"time"
)

// progress shows on standard error how far something is: a line that changes on a terminal, else a line for
// every tenth, and no more than one in ten seconds.
type progress struct {
	s     *session
	said  time.Time
	tenth int
	shown bool
}

// tellEvery is how often a line may come where lines stay.
const tellEvery = 10 * time.Second

func (s *session) progress() *progress { return &progress{s: s, said: s.now()} }

// show tells that n of all are done; text says more.
func (p *progress) show(n, all int64, text string) {
	all = max(all, n, 1)
	percent := int(100 * n / all)
	if p.s.bars {
		const width = 30
		full := percent * width / 100
		fmt.Fprintf(p.s.err, "\r\x1b[K[%s%s] %3d %%  %s", strings.Repeat("#", full), strings.Repeat(".", width-full), percent, clean(text))
		p.shown = true
		return
	}
	if now := p.s.now(); percent/10 > p.tenth && now.Sub(p.said) >= tellEvery {
		p.said, p.tenth = now, percent/10
		p.s.tell("%d %%  %s\n", percent, text)
	}
}

// end takes the line away.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.s.err, "\r\x1b[K")
		p.shown = false
	}
}
