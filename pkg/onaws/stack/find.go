package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/onaws"
)

// ErrNone: CloudFormation knows no such stack.
var ErrNone = errors.New("there is no such stack")

// Find asks CloudFormation for what a stack tells its functions, and for the API's address.
func Find(ctx context.Context, cfg aws.Config, name string) (env onaws.Env, url string, err error) {
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist"):
		return env, "", fmt.Errorf("stack %s: %w", name, ErrNone)
	case err != nil:
		return env, "", fmt.Errorf("read stack %s: %w", name, err)
	}
	outputs, parameters := map[string]string{}, map[string]string{}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
		for _, p := range s.Parameters {
			parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		}
	}
	for _, key := range []string{"Table", "KmsKey", "Stage", "Account", "DueShards", "Url"} {
		if outputs[key] == "" {
			return env, "", fmt.Errorf("stack %s has no output %s: is it one of notify, and deployed?", name, key)
		}
	}
	// The names on the left are those of template.yaml's Globals.
	told := map[string]string{
		"NOTIFY_STACK": name, "NOTIFY_TABLE": outputs["Table"], "NOTIFY_KMS_KEY": outputs["KmsKey"], "NOTIFY_STAGE": outputs["Stage"],
		"NOTIFY_ACCOUNT": outputs["Account"], "NOTIFY_DUE_SHARDS": outputs["DueShards"], "NOTIFY_ALLOW": parameters["Allow"], "NOTIFY_REACH": parameters["Reach"],
		"NOTIFY_PUBLIC_URL": parameters["PublicUrl"], "NOTIFY_OIDC_ISSUER": parameters["OidcIssuer"], "NOTIFY_OIDC_CLIENT": parameters["OidcClient"],
		"NOTIFY_OIDC_TRUST_EMAIL": map[string]string{"on": "true"}[parameters["OidcTrustEmail"]],
		// Stacks from before there were campaigns have none of these.
		"NOTIFY_BUCKET": outputs["AudienceBucket"], "NOTIFY_SCHEDULES": outputs["ScheduleGroup"], "NOTIFY_SCHEDULE_ROLE": outputs["ScheduleRoleArn"],
		"NOTIFY_EGRESS": outputs["EgressAddress"], "NOTIFY_BUS": map[string]string{"on": name}[parameters["Bus"]],
		"NOTIFY_ROBOT": parameters["AlarmRobot"], "NOTIFY_CANARY": map[string]string{"on": name + "/canary"}[parameters["Canary"]],
		"NOTIFY_LOG": "warn", "NOTIFY_CHANNELS": strings.Join(on(parameters), ","),
	}
	if env, err = onaws.ReadEnv(func(key string) string { return told[key] }); err != nil {
		return env, "", fmt.Errorf("stack %s: %w", name, err)
	}
	return env, outputs["Url"], nil
}

// on lists the channels that have queues: each is a parameter, and other always has.
func on(parameters map[string]string) []string {
	out := []string{string(message.Other)}
	for key, value := range parameters {
		if _, is := message.Channel(strings.ToLower(key)).Info(); is && value == "on" {
			out = append(out, strings.ToLower(key))
		}
	}
	slices.Sort(out)
	return out
}
