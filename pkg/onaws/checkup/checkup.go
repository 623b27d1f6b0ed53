package checkup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/secret"
)

// State says how bad a finding is.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
)

// Finding is what was seen of one thing.
type Finding struct {
	Name   string
	State  State
	Detail string
}

// Checkup looks at one stack.
type Checkup struct {
	*onaws.AWS
	sqs     *sqs.Client
	lambda  *lambda.Client
	ses     *sesv2.Client
	alarms  *cloudwatch.Client
	topics  *sns.Client
	secrets *secretsmanager.Client
	timers  *scheduler.Client
	found   []Finding
}

// New makes one of a stack that was opened.
func New(a *onaws.AWS) *Checkup {
	return &Checkup{AWS: a, sqs: sqs.NewFromConfig(a.SDK), lambda: lambda.NewFromConfig(a.SDK), ses: sesv2.NewFromConfig(a.SDK),
		alarms: cloudwatch.NewFromConfig(a.SDK), topics: sns.NewFromConfig(a.SDK), secrets: secretsmanager.NewFromConfig(a.SDK), timers: scheduler.NewFromConfig(a.SDK)}
}

// Look looks at everything, whatever one thing is like.
func (c *Checkup) Look(ctx context.Context) []Finding {
	c.found = nil
	c.quota(ctx)
	c.queues(ctx)
	c.readers(ctx)
	c.ticks(ctx)
	c.credentials(ctx)
	c.egress(ctx)
	if c.on(message.Email) {
		c.mail(ctx)
	}
	c.told(ctx)
	return c.found
}

func (c *Checkup) say(name string, state State, format string, args ...any) {
	c.found = append(c.found, Finding{name, state, fmt.Sprintf(format, args...)})
}

// unseen says that something could not be looked at, and tells whether that is so.
func (c *Checkup) unseen(name, permission string, err error) bool {
	var api smithy.APIError
	switch {
	case err == nil:
		return false
	case errors.As(err, &api) && slices.Contains([]string{"AccessDenied", "AccessDeniedException", "AuthorizationError"}, api.ErrorCode()):
		c.say(name, Warning, "not looked at: your credentials lack %s", permission)
	default:
		c.say(name, Failed, "cannot be looked at: %s", err)
	}
	return true
}

func (c *Checkup) on(ch message.Channel) bool {
	return len(c.Env.Channels) == 0 || slices.Contains(c.Env.Channels, ch)
}

// few is a quota of concurrent executions with which a busy channel alone starves the others:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const few = 100

func (c *Checkup) quota(ctx context.Context) {
	out, err := c.lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if c.unseen("lambda", "lambda:GetAccountSettings", err) {
		return
	}
	c.clock(out.ResultMetadata)
	if out.AccountLimit == nil || out.AccountLimit.UnreservedConcurrentExecutions == nil {
		c.say("lambda", Warning, "AWS does not say how many executions at once this account may have")
		return
	}
	free, all := *out.AccountLimit.UnreservedConcurrentExecutions, out.AccountLimit.ConcurrentExecutions
	if free < few {
		c.say("lambda", Warning, "%d of %d executions at once are free in this account; ask for 1,000 (Service Quotas, Lambda, Concurrent executions), or deploy with UrgentConcurrency=0 and so on while you try it out", free, all)
		return
	}
	c.say("lambda", OK, "%d of %d executions at once are free", free, all)
}

// clock compares this machine's with AWS's, which refuses requests that are 5 minutes off.
func (c *Checkup) clock(m middleware.Metadata) {
	theirs, ok := awsmiddleware.GetServerTime(m)
	ours, known := awsmiddleware.GetResponseAt(m)
	if !ok || !known {
		return
	}
	if off := ours.Sub(theirs).Round(time.Second); off.Abs() > 5*time.Second {
		c.say("clock", Warning, "this machine's clock is %s off AWS's", off)
		return
	}
	c.say("clock", OK, "agrees with AWS's")
}

// credentials looks whether each account's secrets are there.
func (c *Checkup) credentials(ctx context.Context) {
	accounts, err := c.Config.Accounts(ctx, "")
	if c.unseen("secrets", "dynamodb:Query on the table", err) {
		return
	}
	there := 0
	for _, a := range accounts {
		if a.Off || len(a.Secrets) == 0 {
			continue
		}
		_, err := c.Vault.Get(ctx, a.Name)
		switch {
		case errors.Is(err, secret.ErrNotFound):
			c.say("secrets", Failed, "account %s has none: put it again with its credentials", a.Name)
		case !c.unseen("secrets", "secretsmanager:GetSecretValue on "+c.Env.Stack+"/accounts/*", err):
			there++
		}
	}
	c.say("secrets", OK, "%d accounts have theirs", there)
}

// egress tells which address providers see, and which accounts' providers may keep a list of allowed ones.
func (c *Checkup) egress(ctx context.Context) {
	accounts, err := c.Config.Accounts(ctx, "")
	if c.unseen("egress", "dynamodb:Query on the table", err) {
		return
	}
	var listed []string
	for _, a := range accounts {
		d, _, err := c.Catalog.Get(ctx, a.Provider)
		if c.unseen("egress", "dynamodb:Query on the table", err) {
			return
		}
		if !a.Off && len(d.AllowList) > 0 {
			listed = append(listed, a.Name)
		}
	}
	switch names := strings.Join(listed, ", "); {
	case c.Env.Egress != "" && names != "":
		c.say("egress", OK, "providers see %s; it must be on the list of allowed addresses that %s have at their vendor", c.Env.Egress, names)
	case c.Env.Egress != "":
		c.say("egress", OK, "providers see %s", c.Env.Egress)
	case names != "":
		c.say("egress", Warning, "the address that providers see changes, and %s are of vendors that may allow listed addresses only: deploy with StaticEgress=on", names)
	default:
		c.say("egress", OK, "the address that providers see changes; no account's vendor allows addresses by list")
	}
}

// mail looks whether SES lets us send to everybody.
func (c *Checkup) mail(ctx context.Context) {
	out, err := c.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
	if c.unseen("ses", "ses:GetAccount", err) {
		return
	}
	switch {
	case !out.SendingEnabled:
		c.say("ses", Failed, "SES has stopped all mail of this account (%s): see its console", deref(out.EnforcementStatus))
	case !out.ProductionAccessEnabled:
		c.say("ses", Warning, "this account is in the sandbox: it sends to verified addresses only, 200 a day; ask for production access")
	case out.EnforcementStatus != nil && *out.EnforcementStatus != "HEALTHY":
		c.say("ses", Warning, "SES reviews this account: %s", *out.EnforcementStatus)
	default:
		c.say("ses", OK, "sends to everybody")
	}
}

func deref(s *string) string {
	if s == nil {
		return "no reason given"
	}
	return *s
}
