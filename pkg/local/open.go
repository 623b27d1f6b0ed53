package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue/memory"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	secretfile "github.com/opennotify/notify/pkg/secret/file"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/recipes"
)

// File opens the world of a data folder: one SQLite file, and queues in memory. It makes the folder if there
// is none.
func File(ctx context.Context, dir string, log *slog.Logger) (*World, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, databaseFile), sqlite.Options{})
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	w, err := assemble(ctx, dir, db, log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return w, nil
}

func assemble(ctx context.Context, dir string, db *sqlite.DB, log *slog.Logger) (*World, error) {
	keeper, err := sealfile.Open(filepath.Join(dir, keyFile), rand.Reader)
	if err != nil {
		return nil, err
	}
	cat := catalog.Open(provider.Descriptors(), recipes.FS())
	counters, gauges, totals := stats.NewCounters(time.Now, 0), stats.NewGauges(time.Now), telemetry.NewPrometheus()
	metrics := telemetry.Tee{counters, gauges, totals}
	st, err := store.Open(ctx, db, keeper, message.At(time.Now()), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader, Moved: wire.Moved(metrics, cat)})
	if err != nil {
		return nil, fmt.Errorf("%w (is %s the key that this data was written with?)", err, filepath.Join(dir, keyFile))
	}
	vault, err := secretfile.Open(ctx, filepath.Join(dir, secretsFile), keeper, rand.Reader)
	if err != nil {
		return nil, err
	}
	counters.KeepIn(st)
	conf := config.New(st, time.Now, log)
	q := memory.New(memory.Options{Now: time.Now, Rand: mathrand.Float64, Log: log})
	purge := func(ctx context.Context) error { // whoever reads compares for himself
		_, err := db.Purge(ctx, message.At(time.Now()), 10000)
		return err
	}
	w := &World{Folder: dir, Source: q, Forgets: true, Demo: true, Totals: totals, Close: db.Close, Chores: []Chore{
		{What: "remove what has expired", Every: 10 * time.Minute, Do: purge},
		{What: "keep what was counted", Every: time.Second, Do: counters.Flush, AtEnd: true},
	}, Backend: wire.Backend{
		Store: st, Config: conf, Queue: q, Vault: vault, Catalog: cat.With(conf), Metrics: metrics, Gauges: gauges,
		Now: time.Now, Random: rand.Reader, Chance: mathrand.Float64, NewULID: wire.ULIDs(rand.Reader), Log: log,
		Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}}
	return w, w.measure(q)
}
