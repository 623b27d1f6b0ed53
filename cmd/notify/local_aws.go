package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onaws/campaigns"
	"github.com/opennotify/notify/pkg/onaws/canary"
	"github.com/opennotify/notify/pkg/onaws/stack"
	"github.com/opennotify/notify/pkg/queue"
)

// awsWorld is a stack on AWS, or what stands for it in an emulator, worked on by this process.
func awsWorld(ctx context.Context, log *slog.Logger, name string, create bool) (*local.World, error) {
	// Every lane is polled on a connection of its own.
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 64 })
	// What the SDK has to say is about how a connection ended: the drivers tell of what matters.
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(transport), awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fmt.Errorf("aws configuration: %w", err)
	}
	if create && cfg.BaseEndpoint == nil {
		return nil, errors.New("--create is for an emulator: set AWS_ENDPOINT_URL to its address; on AWS, make deploy makes the stack")
	}
	env, url, err := stack.Find(ctx, cfg, name)
	switch {
	case errors.Is(err, stack.ErrNone) && create:
		env, err = stack.Create(ctx, cfg, name)
	case errors.Is(err, stack.ErrNone):
		err = fmt.Errorf("%w: deploy it with make deploy, name another with --stack, or let an emulator have what is needed with --create", err)
	}
	if err != nil {
		return nil, err
	}
	a, err := onaws.Assemble(ctx, cfg, env, log, io.Discard)
	if err != nil {
		return nil, err
	}
	a.Env.API = url
	canary.Open(a)           // whoever is quicker takes the entry
	if env.Schedules != "" { // without a stack: a timer in this process, and a folder
		if err := campaigns.Open(a); err != nil {
			return nil, err
		}
	}
	return &local.World{Backend: a.Backend, Source: pollers{a.Queue.(queue.Source)}, Demo: create, Close: func() error { return nil },
		Chores: []local.Chore{{What: "keep what was counted", Every: time.Second, Do: a.Metrics.Flush, AtEnd: true}}}, nil
}

// pollers works on a lane with one long poll, and a batch side by side.
type pollers struct{ queue.Source }

// Consume implements queue.Source.
func (p pollers) Consume(ctx context.Context, name queue.Name, c queue.Consumer) error {
	c.Workers, c.Batch = 1, 10
	return p.Source.Consume(ctx, name, c)
}
