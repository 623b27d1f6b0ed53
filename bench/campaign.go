package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/opennotify/notify/client"
)

// maxAbove is what a campaign may take above idle, in MiB, while its rows become messages.
const maxAbove = 64

// campaign sends a campaign of n rows, or only reads and checks them, and tells how long its parts take, and
// how much memory.
func (b *bench) campaign(n int, send bool) error {
	t, err := b.start("notify", filepath.Join(b.dir, "campaign"))
	if err != nil {
		return err
	}
	defer t.child.stop()
	c, err := client.New(client.Options{URL: t.child.URL, Key: client.Key(t.child.Key)})
	if err != nil {
		return err
	}
	ctx := context.Background()
	idle, peak := t.child.anon(), int64(0)
	began := time.Now()
	id, err := upload(ctx, c, n)
	if err != nil {
		return err
	}
	uploaded := time.Since(began)
	r, err := c.CreateCampaign(ctx, client.CreateCampaignRequest{TimedContent: client.TimedContent{Template: "order-shipped", Channel: "sms"}, Audience: client.Audience{Upload: id}, Send: send})
	if err != nil {
		return err
	}
	ordered := time.Now()
	var read time.Duration
	for next := time.Now(); r.ExpandedAt.IsZero() && (send || read == 0); {
		if r.State.Ended() || r.State == client.RunPaused {
			return fmt.Errorf("the campaign is %s: %s", r.State, r.Fault)
		}
		peak = max(peak, t.child.anon())
		time.Sleep(20 * time.Millisecond)
		if time.Now().Before(next) {
			continue
		}
		next = time.Now().Add(time.Second)
		if r, err = c.Campaign(ctx, r.ID); err != nil {
			return err
		}
		if read == 0 && r.State != client.RunReading {
			read = time.Since(ordered)
		}
		fmt.Fprintf(os.Stderr, "\rcampaign: %s, %d rows read, %d made, %d MiB above idle ", r.State, r.Rows.Total, r.Made.Made, (peak-idle)>>20)
	}
	above := float64(peak-idle) / (1 << 20)
	if !send {
		fmt.Printf("\nfile of %d rows: uploaded in %v, read and checked in %v (%.0f rows/s); at most %.0f MiB above idle (%.0f)\n",
			n, uploaded.Round(10*time.Millisecond), read.Round(time.Second), float64(n)/read.Seconds(), above, float64(idle)/(1<<20))
		return nil
	}
	made := time.Since(ordered) - read
	if r.Made.Made != int64(n) {
		return fmt.Errorf("%d of %d rows became messages: %+v", r.Made.Made, n, r.Made)
	}
	fmt.Printf("\ncampaign of %d rows: uploaded in %v, read and checked in %v (%.0f rows/s), made and mostly delivered in %v (%.0f/s); at most %.0f MiB above idle (%.0f); file %.0f MB\n",
		n, uploaded.Round(10*time.Millisecond), read.Round(time.Second), float64(n)/read.Seconds(), made.Round(time.Second), float64(n)/made.Seconds(), above, float64(idle)/(1<<20),
		size(filepath.Join(b.dir, "campaign", "notify.db")))
	if n <= 100_000 && above > maxAbove {
		return fmt.Errorf("the campaign took %.0f MiB above idle, more than %d", above, maxAbove)
	}
	return nil
}

// upload sends a file of n rows as it is written.
func upload(ctx context.Context, c *client.Client, n int) (string, error) {
	const head, row = "phone,name,order\n", "+86138%08d,Li Lei %07d,M-%07d\n"
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriter(w)
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(b, row, i, i, i)
		}
		w.CloseWithError(b.Flush())
	}()
	defer r.Close()
	return c.UploadAudience(ctx, "", int64(len(head)+n*len(fmt.Sprintf(row, 0, 0, 0))), r)
}
