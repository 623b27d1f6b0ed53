package client_test

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/local"
)

// service is a whole notify in this process, with its demo tenant's key. Stop it in the end.
func service() (o client.Options, stop func()) {
	dir, err := os.MkdirTemp("", "notify")
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	l, err := local.Start(ctx, local.Options{Addr: "127.0.0.1:0", Data: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(err)
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return client.Options{URL: l.URL, Key: client.Key(l.Key)}, func() {
		cancel()
		must(<-done)
		must(os.RemoveAll(dir))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
