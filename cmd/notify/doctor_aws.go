package main

import (
	"context"
	"io"
	"log/slog"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/opennotify/notify/pkg/onaws"
	awscheckup "github.com/opennotify/notify/pkg/onaws/checkup"
	"github.com/opennotify/notify/pkg/onaws/stack"
)

// onAWS looks at a stack with the AWS credentials of who asks.
func (u *checkup) onAWS(ctx context.Context, name string) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		u.fail("aws", "%s", err)
		return
	}
	env, url, err := stack.Find(ctx, cfg, name)
	if err != nil {
		u.fail("stack", "%s", err)
		return
	}
	u.ok("stack", "%s, %s", name, url)
	a, err := onaws.Assemble(ctx, cfg, env, slog.New(slog.DiscardHandler), io.Discard)
	if err != nil {
		u.fail("store", "it cannot be opened: %s", err)
		return
	}
	c := awscheckup.New(a)
	found := c.Look(ctx)
	if env.Robot != "" {
		found = append(found, c.Secret(ctx, "chat robot", env.Robot))
	}
	if env.Canary != "" {
		found = append(found, c.Secret(ctx, "canary", env.Canary))
	}
	for _, f := range found {
		if f.State == awscheckup.Failed {
			u.OK = false
		}
		u.Checks = append(u.Checks, check{f.Name, string(f.State), f.Detail})
	}
}
