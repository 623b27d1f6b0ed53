package onaws

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry/otlp"
	"github.com/opennotify/notify/pkg/wire"
)

// Env is what a function is told by the template. Names are those of its environment variables.
type Env struct {
	Stack     string   // NOTIFY_STACK: prefix of queues and secrets
	Table     string   // NOTIFY_TABLE
	KeyID     string   // NOTIFY_KMS_KEY: the master key
	Stage     string   // NOTIFY_STAGE: dev, staging, prod
	Allow     []string // NOTIFY_ALLOW: what a stage that is not prod may write to, separated by commas
	DueShards int      // NOTIFY_DUE_SHARDS
	LogLevel  string   // NOTIFY_LOG
	Account   string   // NOTIFY_ACCOUNT: the AWS account, part of the queues' URLs
	// AccountMetrics is NOTIFY_ACCOUNT_METRICS=on: CloudWatch tells accounts apart.
	AccountMetrics bool
	// Bus is NOTIFY_BUS: the EventBridge bus that gets every change of status; none without it.
	Bus string
	// Bucket, Schedules and ScheduleRole are told to functions that know of campaigns: NOTIFY_BUCKET, of their
	// audiences; NOTIFY_SCHEDULES, the group of their schedules; NOTIFY_SCHEDULE_ROLE, the ARN of the role that
	// these take.
	Bucket, Schedules, ScheduleRole string
	// Canary is NOTIFY_CANARY, the name of the secret that says whom a canary is sent to; none without it. API is
	// NOTIFY_API, the address that it is sent through.
	Canary, API string
	// Robot is NOTIFY_ROBOT, the ARN of the secret that says which chat robot is told of alarms; none without it.
	Robot string
	// Channels is NOTIFY_CHANNELS: those that have queues, separated by commas; none is all.
	Channels []message.Channel
	// Reach is NOTIFY_REACH: networks that webhooks may reach although they are not public, as
	// 127.0.0.0/8 against an emulator. Production has none.
	Reach []netip.Prefix
	// Spans go to the collector of OTEL_EXPORTER_OTLP_ENDPOINT; nil without one.
	Spans *otlp.Exporter
	wire.Outside
}

// ReadEnv reads an environment, as os.Getenv does, and names everything that is missing at once: a function
// that is not told everything does not start.
func ReadEnv(get func(name string) string) (Env, error) {
	var missing []error
	need := func(name string) string {
		v := get(name)
		if v == "" {
			missing = append(missing, fmt.Errorf("environment variable %s is missing", name))
		}
		return v
	}
	e := Env{Stack: need("NOTIFY_STACK"), Table: need("NOTIFY_TABLE"), KeyID: need("NOTIFY_KMS_KEY"), Stage: need("NOTIFY_STAGE"),
		Account: need("NOTIFY_ACCOUNT"), LogLevel: get("NOTIFY_LOG"), AccountMetrics: get("NOTIFY_ACCOUNT_METRICS") == "on", Canary: get("NOTIFY_CANARY"), API: get("NOTIFY_API"), Robot: get("NOTIFY_ROBOT"), Bus: get("NOTIFY_BUS"),
		Bucket: get("NOTIFY_BUCKET"), Schedules: get("NOTIFY_SCHEDULES"), ScheduleRole: get("NOTIFY_SCHEDULE_ROLE")}
	outside, err := wire.ReadOutside(get)
	if err != nil {
		missing = append(missing, err)
	}
	e.Outside = outside
	if e.Spans, err = otlp.Open(get, time.Now); err != nil {
		missing = append(missing, err)
	}
	if e.Stage != "" && !slices.Contains([]string{"dev", "staging", Production}, e.Stage) {
		missing = append(missing, fmt.Errorf("environment variable NOTIFY_STAGE must be dev, staging or %s", Production))
	}
	shards := need("NOTIFY_DUE_SHARDS")
	n, err := strconv.Atoi(shards)
	if shards != "" && (err != nil || n < 1 || n > 256) {
		missing = append(missing, fmt.Errorf("environment variable NOTIFY_DUE_SHARDS must be 1 to 256"))
	}
	e.DueShards = n
	for _, a := range strings.Split(get("NOTIFY_ALLOW"), ",") {
		if a = strings.TrimSpace(a); a != "" {
			e.Allow = append(e.Allow, a)
		}
	}
	for _, c := range strings.Split(get("NOTIFY_CHANNELS"), ",") {
		if c = strings.TrimSpace(c); c != "" {
			e.Channels = append(e.Channels, message.Channel(c))
		}
	}
	for _, text := range strings.Split(get("NOTIFY_REACH"), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil || e.Stage == Production {
			missing = append(missing, fmt.Errorf("environment variable NOTIFY_REACH must be networks as 127.0.0.0/8, and empty in %s", Production))
			continue
		}
		e.Reach = append(e.Reach, p)
	}
	return e, errors.Join(missing...)
}

// Partition is the part of AWS that the stack is in, as ARNs have it: aws, aws-cn.
func (e Env) Partition() string {
	if _, rest, ok := strings.Cut(e.ScheduleRole, ":"); ok {
		partition, _, _ := strings.Cut(rest, ":")
		return partition
	}
	return "aws"
}

// deployed tells whether a channel has queues.
func (e Env) deployed() func(message.Channel) bool {
	if len(e.Channels) == 0 {
		return nil
	}
	return func(c message.Channel) bool { return slices.Contains(e.Channels, c.Queue()) }
}

// queues says where a queue is. One of a channel that is off is other's, which is always on and whose function sends
// everything: there what was accepted before comes to its end.
func (e Env) queues(at func(queue.Name) string) func(queue.Name) string {
	has := e.deployed()
	if has == nil {
		return at
	}
	return func(name queue.Name) string {
		of, lane, _ := strings.Cut(string(name), "-")
		if _, channel := message.Channel(of).Info(); channel && !has(message.Channel(of)) {
			name = queue.Name(string(message.Other) + "-" + lane)
		}
		return at(name)
	}
}

// Production is the stage that may write to everybody.
const Production = "prod"

// allowed is the allow-list of a stage: an address, or the end of one, as @example.com or
// https://hooks.example.com/. Production has none.
func (e Env) allowed() func(message.AddressKind, message.Address) bool {
	if e.Stage == Production {
		return nil
	}
	return func(_ message.AddressKind, key message.Address) bool {
		for _, a := range e.Allow {
			switch {
			case a == "*", strings.EqualFold(a, string(key)),
				strings.HasPrefix(a, "@") && strings.HasSuffix(string(key), strings.ToLower(a)),
				strings.HasSuffix(a, "/") && strings.HasPrefix(string(key), a):
				return true
			}
		}
		return false
	}
}
