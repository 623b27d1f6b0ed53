package queuetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
)

func bodies(b *bench) {
	want := map[string]string{ // body to group
		"x":                            "",
		`{"id":"msg_1","n":1.50}`:      "shop",
		" spaces, \t tab, \r\n lines ": "tenant.with-punctuation_1",
		`<&>"'\u0000 %41 &amp; ]]>`:    "shop",
		"验证码 — ñ 🎉 \u200b e\u0301\u2028":                            strings.Repeat("g", queue.MaxGroup),
		"\u007f\u0085\ufffd\U0010ffff":                              "!~",
		base64.StdEncoding.EncodeToString([]byte{0, 1, 0xff, 0xfe}): "shop",
		strings.Repeat("a", queue.MaxBody-3) + "é!":                 "big",
	}
	for body, group := range want {
		b.send(queue.Item{ID: "ignored", Body: []byte(body), Group: group, Receives: 7})
	}
	got, _ := b.consume(Lane, nil)
	items := b.distinct(got, len(want))
	for body, group := range want {
		it, ok := items[body]
		if !ok {
			b.Errorf("%.40q did not come as it was sent", body)
			continue
		}
		if it.Group != group {
			b.Errorf("%.40q: group %q, want %q", body, it.Group, group)
		}
		if it.ID == "" || it.ID == "ignored" || it.Receives != 1 || it.Delay != 0 {
			b.Errorf("%.40q: ID %q, receives %d, delay %v; want an ID of the queue, 1, 0", body, it.ID, it.Receives, it.Delay)
		}
	}
}

func copies(b *bench) {
	body := []byte("first")
	b.send(queue.Item{Body: body})
	copy(body, "XXXXX")
	got, _ := b.consume(Lane, nil)
	if d := b.next(got); string(d.Body) != "first" {
		b.Errorf("the item follows its sender's buffer: %q", d.Body)
	}
}

func twice(b *bench) {
	b.send(text("same"), text("same"))
	got, _ := b.consume(Lane, nil)
	if one, two := b.next(got), b.next(got); one.ID == two.ID {
		b.Errorf("both have the ID %q", one.ID)
	}
}

func refused(b *bench) {
	items := []queue.Item{
		text("kept 0"),
		{Body: bytes.Repeat([]byte("x"), queue.MaxBody+1)},
		{},
		text("kept 3"),
		text("\xff\xfe not UTF-8"),
		text("a NUL \x00"),
		text("an escape \x1b[0m"),
		text("no character \ufffe"),
		text("half a pair \xed\xa0\x80"),
		{Body: []byte("later than possible"), Delay: queue.MaxDelay + 1},
		{Body: []byte("before now"), Delay: -time.Second},
		{Body: []byte("group"), Group: "has space"},
		{Body: []byte("group"), Group: "租户"},
		{Body: []byte("group"), Group: strings.Repeat("g", queue.MaxGroup+1)},
		text("kept 14"),
	}
	want := map[int]error{
		1: queue.ErrTooLarge, 2: queue.ErrBody, 4: queue.ErrBody, 5: queue.ErrBody, 6: queue.ErrBody, 7: queue.ErrBody,
		8: queue.ErrBody, 9: queue.ErrDelay, 10: queue.ErrDelay, 11: queue.ErrGroup, 12: queue.ErrGroup, 13: queue.ErrGroup,
	}
	var failed *queue.SendError
	if err := b.Queue.Send(b.ctx, Lane, items...); !errors.As(err, &failed) {
		b.Fatalf("Send: %v, want a *queue.SendError", err)
	}
	if diff := cmp.Diff(keys(want), keys(failed.Failed)); diff != "" {
		b.Errorf("refused (-want +got):\n%s", diff)
	}
	for i, err := range want {
		if got := failed.Failed[i]; !errors.Is(got, err) {
			b.Errorf("item %d: %v, want %v", i, got, err)
		}
	}
	b.send(b.after("last"))
	got, _ := b.consume(Lane, nil)
	wantCounts := map[string]int{"kept 0": 1, "kept 3": 1, "kept 14": 1, "last": 1}
	if diff := cmp.Diff(wantCounts, b.until(got, "last")); diff != "" {
		b.Errorf("kept (-want +got):\n%s", diff)
	}
}

func longestDelay(b *bench) {
	b.send(queue.Item{Body: []byte("later"), Delay: queue.MaxDelay}, text("now"))
	got, _ := b.consume(Lane, nil)
	if d := b.next(got); string(d.Body) != "now" {
		b.Errorf("%q came first", d.Body)
	}
}

func manyAtOnce(b *bench) {
	const n, bad = 37, 23
	items := make([]queue.Item, n)
	for i := range items {
		items[i] = text(fmt.Sprint("item ", i))
	}
	items[bad].Body = nil
	var failed *queue.SendError
	if err := b.Queue.Send(b.ctx, Lane, items...); !errors.As(err, &failed) || !slices.Equal(keys(failed.Failed), []int{bad}) {
		b.Fatalf("Send: %v, want item %d refused, and only that", err, bad)
	}
	got, _ := b.consume(Lane, nil)
	b.distinct(got, n-1)
}

func muchAtOnce(b *bench) {
	items := make([]queue.Item, 8)
	for i := range items {
		items[i].Body = bytes.Repeat([]byte{byte('a' + i)}, queue.MaxBody)
	}
	b.send(items...)
	got, _ := b.consume(Lane, nil)
	b.distinct(got, len(items))
}

func ended(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := b.Queue.Send(ctx, Lane, text("never")); !errors.Is(err, context.Canceled) {
		b.Errorf("Send: %v, want %v", err, context.Canceled)
	}
	b.send(text("first"))
	got, _ := b.consume(Lane, nil)
	if d := b.next(got); string(d.Body) != "first" {
		b.Errorf("%q came", d.Body)
	}
}

func delay(b *bench) {
	delays := map[string]time.Duration{"none": 0, "two": 2 * time.Second, "three": 2001 * time.Millisecond}
	rounded := map[string]time.Duration{"none": 0, "two": 2 * time.Second, "three": 3 * time.Second}
	got, _ := b.consume(Lane, nil)
	start := time.Now()
	for body, d := range delays {
		b.send(queue.Item{Body: []byte(body), Delay: d})
	}
	for range delays {
		d := b.next(got)
		waited, want := d.at.Sub(start), rounded[string(d.Body)]
		if waited < want-b.Early || b.Exact && waited != want {
			b.Errorf("%s came after %v, want %v", d.Body, waited, want)
		}
	}
}
