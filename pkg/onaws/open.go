package onaws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"
	_ "time/tzdata" // a function's image has no time zones, which quiet hours and schedules need

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/bus/eventbridge"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/refused"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	sqsqueue "github.com/opennotify/notify/pkg/queue/sqs"
	kmsseal "github.com/opennotify/notify/pkg/seal/kms"
	smsecret "github.com/opennotify/notify/pkg/secret/secretsmanager"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/telemetry/otlp"
	"github.com/opennotify/notify/pkg/wire"
	wiresession "github.com/opennotify/notify/pkg/wire/session"
	"github.com/opennotify/notify/recipes"
)

// AWS is a Backend with what only a function has.
type AWS struct {
	wire.Backend
	Env     Env
	SDK     aws.Config
	Metrics *Metrics
}

// Metrics is what is written at the end of an invocation.
type Metrics struct {
	telemetry.Tee
	emf      *telemetry.EMF
	counters *stats.Counters
	refusals *stats.Refusals
	spans    *otlp.Exporter
}

func newMetrics(out io.Writer, env Env) *Metrics {
	m := &Metrics{emf: telemetry.NewEMF(out, "notify/"+env.Stack, env.AccountMetrics, time.Now), counters: stats.NewCounters(time.Now, mathrand.Uint32()), spans: env.Spans}
	m.Tee = telemetry.Tee{m.emf, m.counters}
	return m
}

// keepIn says where to keep what is counted: the store is opened with the metrics, so they are made first.
func (m *Metrics) keepIn(s *store.Store) {
	m.counters.KeepIn(s)
	m.refusals = stats.NewRefusals(s)
}

// Flush writes the metrics to the log, into the store what is kept there, and sends spans where there is a collector.
func (m *Metrics) Flush(ctx context.Context) error {
	return errors.Join(m.emf.Flush(), m.refusals.Flush(ctx, message.At(time.Now())), m.counters.Settle(ctx), m.spans.Flush(ctx))
}

// listShards spreads a tenant's lists of a day, so that one busy tenant is no hot partition: all that the stack accepts
// at its peak may be its own, or go wrong.
func listShards(env Env) int { return max(4, env.DueShards/2) }

// Open makes the Backend of an environment. out takes logs and metrics.
func Open(ctx context.Context, env Env, out io.Writer) (*AWS, error) {
	var level slog.Level
	if env.LogLevel != "" {
		if err := level.UnmarshalText([]byte(env.LogLevel)); err != nil {
			return nil, fmt.Errorf("environment variable NOTIFY_LOG must be debug, info, warn or error")
		}
	}
	log := slog.New(env.Spans.Handler(telemetry.NewLogger(out, level).Handler())).With("stack", env.Stack)
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(client(patience)))
	if err != nil {
		return nil, fmt.Errorf("aws configuration: %w", err)
	}
	return open(ctx, cfg, env, log, out, nil)
}

// patience is how long a function waits for a connection, and then for an answer of AWS, before it asks again. What it
// asks answers in milliseconds; who asks for nothing again would hang until the function's own end, which is API
// Gateway's (29 s), or leaves what it has just sent in doubt.
const patience = 5 * time.Second

// client makes the calls to AWS. Bodies may take their time.
func client(patience time.Duration) aws.HTTPClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = patience }).WithTransportOptions(func(t *http.Transport) {
		t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = patience, patience
	})
}

// Assemble makes the Backend of a configuration, for what is no function. Metrics are written to out.
func Assemble(ctx context.Context, cfg aws.Config, env Env, log *slog.Logger, out io.Writer) (*AWS, error) {
	return open(ctx, cfg, env, log, out, nil)
}

// open makes the Backend of a configuration. consumed is told what the table's calls cost; it may be nil.
func open(ctx context.Context, cfg aws.Config, env Env, log *slog.Logger, out io.Writer, consumed func(string, types.ConsumedCapacity)) (*AWS, error) {
	db := dynamo.Open(dynamodb.NewFromConfig(cfg), dynamo.Options{Table: env.Table, Log: log, Consumed: consumed})
	keeper := kmsseal.New(kms.NewFromConfig(cfg), env.KeyID)
	cat := catalog.Open(provider.Descriptors(), recipes.FS())
	metrics := newMetrics(out, env)
	st, err := store.Open(ctx, db, keeper, message.At(time.Now()), store.Options{DueShards: env.DueShards, ListShards: listShards(env), Random: rand.Reader,
		Moved: wire.Moved(metrics, cat)})
	if err != nil {
		return nil, err
	}
	metrics.keepIn(st)
	conf := config.New(st, time.Now, log)
	queues := sqsqueue.Open(sqs.NewFromConfig(cfg), sqsqueue.Options{Stack: env.Stack, URL: env.queues(sqsqueue.URLs(cfg.Region, env.Account, env.Stack)), Rand: mathrand.Float64, Log: log})
	vault := smsecret.Open(secretsmanager.NewFromConfig(cfg), smsecret.Options{Stack: env.Stack})
	var events bus.Bus
	if env.Bus != "" {
		events = eventbridge.Open(awseventbridge.NewFromConfig(cfg), env.Bus)
	}
	return &AWS{Env: env, SDK: cfg, Metrics: metrics, Backend: wire.Backend{
		Bus:   events,
		Store: st, Config: conf, Queue: queues, Vault: vault, Catalog: cat.With(conf), Metrics: metrics,
		Now: time.Now, Random: rand.Reader, Chance: mathrand.Float64, NewULID: wire.ULIDs(rand.Reader), Log: log,
		Allowed: env.allowed(), Deployed: env.deployed(), Reach: env.Reach, Outside: env.Outside,
	}}, nil
}

// Sessions opens the sessions of the console.
func (a *AWS) Sessions() *session.Sessions { return wiresession.New(&a.Backend, true) }

// API makes the HTTP handler of endpoints. People who are signed in to the console call it with their
// session.
func (a *AWS) API(endpoints ...httpapi.Endpoint) http.Handler {
	sessions := a.Sessions()
	return sessions.Handler(httpapi.New(httpapi.Config{
		Auth: sessions, Now: a.Now, Log: a.Log,
		Refused:      refused.Watch(a.Metrics, a.Metrics.refusals),
		NewRequestID: func() string { return "req_" + a.NewULID(message.At(a.Now())) },
	}, endpoints...))
}

// Main starts a function: it reads the environment, opens the Backend, and hands over to Lambda. What is
// missing is written to the log, and the function stops at its start.
func Main(build func(ctx context.Context, a *AWS) (handler any, err error)) {
	ctx := context.Background()
	env, err := ReadEnv(os.Getenv)
	if err == nil {
		var a *AWS
		if a, err = Open(ctx, env, os.Stdout); err == nil {
			var handler any
			if handler, err = build(ctx, a); err == nil {
				lambda.StartWithOptions(handler, lambda.WithContext(ctx))
				return
			}
		}
	}
	telemetry.NewLogger(os.Stdout, slog.LevelInfo).Error("the function cannot start", "error", errors.Join(err))
	os.Exit(1)
}
