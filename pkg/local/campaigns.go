package local

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/timer/memory"
)

// keepUploads is how long files of audiences are kept, as a bucket's lifecycle has it.
const keepUploads = 30 * 24 * time.Hour

// campaigns gives a world that has none a timer, in memory, and a folder for audiences. It gives the handler
// of their uploads.
func (l *Local) campaigns(dir, url string) (uploads http.Handler, err error) {
	l.fire = func(context.Context) {}
	if l.Timer == nil {
		t := memory.New(l.Now, l.Queue, memory.Options{Rand: mathrand.Float64, Log: l.Log})
		l.Timer, l.fire = t, t.Run
	}
	if l.Blobs != nil {
		return http.NotFoundHandler(), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	blobs, err := blobfile.Open(filepath.Join(dir, blobsFolder), blobfile.Options{Now: l.Now, Key: []byte(l.Store.UploadSecret()), URL: func() string { return url }})
	if err != nil {
		return nil, err
	}
	l.Blobs = blobs
	l.world.Chores = append(l.world.Chores, Chore{What: "remove old files of audiences", Every: time.Hour, Do: func(ctx context.Context) error {
		for _, prefix := range []string{"uploads/", "runs/", "sources/"} {
			if _, err := blobs.Purge(ctx, prefix, l.Now().Add(-keepUploads)); err != nil {
				return err
			}
		}
		if l.world.Folder == dir { // else another's schedules may name what lies here
			l.control.Tidy(ctx)
		}
		return nil
	}})
	return blobs.Handler(), nil
}
