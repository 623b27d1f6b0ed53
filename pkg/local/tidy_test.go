package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Lists that no schedule names go, if the schedules of this folder can be read: what runs over an emulator's table in the
// same folder knows none of them.
func TestListsOfAnotherWorldStay(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for name, own := range map[string]bool{"its own": true, "another's": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			list := filepath.Join(dir, blobsFolder, "audiences", "shop", "news", message.ULIDFloor(message.At(time.Now().AddDate(0, -2, 0)))+".jsonl")
			if err := os.MkdirAll(filepath.Dir(list), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(list, []byte("{}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			records := dir
			if !own {
				records = t.TempDir()
			}
			l, err := Start(t.Context(), Options{Addr: "127.0.0.1:0", Data: dir, Log: log, World: func(ctx context.Context) (*World, error) { return File(ctx, records, log) }})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range l.chores() {
				if c.Every == time.Hour {
					l.do(t.Context(), c)
				}
			}
			if err := errors.Join(l.listener.Close(), l.world.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(list); os.IsNotExist(err) != own {
				t.Errorf("the list: %v", err)
			}
		})
	}
}
