package stack

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// Create makes what is missing of a table, a key and the queues of every channel, named as the template names
// them. What is there is used as it is. It is a stack of stage dev that writes to everybody, webhooks on this
// machine too.
func Create(ctx context.Context, cfg aws.Config, name string) (onaws.Env, error) {
	env := onaws.Env{Stack: name, Table: name, Stage: "dev", Allow: []string{"*"}, DueShards: 4, LogLevel: "warn",
		Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	key, err := masterKey(ctx, kms.NewFromConfig(cfg), name)
	if err != nil {
		return env, fmt.Errorf("create key alias/%s: %w", name, err)
	}
	parsed, err := arn.Parse(key)
	if err != nil {
		return env, fmt.Errorf("key alias/%s: %w", name, err)
	}
	env.KeyID, env.Account = key, parsed.AccountID
	if err := table(ctx, dynamodb.NewFromConfig(cfg), name); err != nil {
		return env, fmt.Errorf("create table %s: %w", name, err)
	}
	return env, queues(ctx, sqs.NewFromConfig(cfg), parsed, name)
}

// masterKey finds or makes the key that wraps the data keys, by its alias.
func masterKey(ctx context.Context, client *kms.Client, name string) (string, error) {
	alias := "alias/" + name
	found, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &alias})
	if err == nil {
		return aws.ToString(found.KeyMetadata.Arn), nil
	}
	if none := (*kmstypes.NotFoundException)(nil); !errors.As(err, &none) {
		return "", err
	}
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String(name + ": wraps the data keys")})
	if err != nil {
		return "", err
	}
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: made.KeyMetadata.KeyId})
	return aws.ToString(made.KeyMetadata.Arn), err
}

func table(ctx context.Context, client *dynamodb.Client, name string) error {
	_, err := client.CreateTable(ctx, dynamo.Definition(name))
	if there := (*dynamotypes.ResourceInUseException)(nil); errors.As(err, &there) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := dynamodb.NewTableExistsWaiter(client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		return err
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &name, TimeToLiveSpecification: &dynamotypes.TimeToLiveSpecification{
		AttributeName: aws.String(dynamo.TTLAttribute), Enabled: aws.Bool(true)}})
	return err
}

// queues makes the queues of all channels, each after its dead-letter queue.
func queues(ctx context.Context, client *sqs.Client, like arn.ARN, stack string) error {
	names := []queue.Name{queue.Control, queue.Receipts}
	for _, info := range append(message.Channels(), message.ChannelInfo{Channel: message.Other}) {
		for _, lane := range []message.Lane{message.Urgent, message.Normal, message.Bulk} {
			names = append(names, queue.Lane(info.Channel, lane))
		}
	}
	made := map[queue.Name]bool{}
	create := func(name queue.Name, attributes map[string]string) error {
		if made[name] {
			return nil
		}
		made[name] = true
		_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(stack + "-" + string(name)), Attributes: attributes})
		if there := (*sqstypes.QueueNameExists)(nil); errors.As(err, &there) { // with other attributes
			return nil
		}
		if err != nil {
			return fmt.Errorf("create queue %s-%s: %w", stack, name, err)
		}
		return nil
	}
	for _, name := range names {
		dead := arn.ARN{Partition: like.Partition, Service: "sqs", Region: like.Region, AccountID: like.AccountID, Resource: stack + "-" + string(name.DLQ())}
		err := create(name.DLQ(), map[string]string{"MessageRetentionPeriod": "1209600"})
		if err == nil {
			err = create(name, map[string]string{"VisibilityTimeout": "180", "MessageRetentionPeriod": "345600",
				"RedrivePolicy": `{"deadLetterTargetArn":"` + dead.String() + `","maxReceiveCount":"` + strconv.Itoa(queue.MaxReceives) + `"}`})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
