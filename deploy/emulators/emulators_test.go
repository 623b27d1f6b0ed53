package emulators_test

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/deploy/emulators"
)

func TestMiniStack(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	roundTripDynamo(t, dynamodb.NewFromConfig(stack.AWS()))
	roundTripSQS(t, sqs.NewFromConfig(stack.AWS()))
}

func TestLocalStack(t *testing.T) {
	t.Parallel()
	roundTripSQS(t, sqs.NewFromConfig(emulators.Need(t, emulators.LocalStack).AWS()))
}

func TestDynamoDBLocal(t *testing.T) {
	t.Parallel()
	emulators.InNamespace(t, emulators.DynamoDBLocal, func(t *testing.T, e *emulators.Emulator) {
		roundTripDynamo(t, dynamodb.NewFromConfig(e.AWS(), func(o *dynamodb.Options) {
			o.DisableValidateResponseChecksum = true // its answers have none that the SDK accepts
		}))
	})
}

func TestSAM(t *testing.T) {
	t.Parallel()
	sam := emulators.Need(t, emulators.SAM)
	for _, tool := range []string{"sam", "cfn-lint"} {
		out, err := exec.CommandContext(t.Context(), sam.Tool(tool), "--version").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "1.") {
			t.Errorf("%s --version: %v: %s", tool, err, out)
		}
	}
}

// An emulator leaves nothing behind: its port is closed when Stop returns.
func TestStop(t *testing.T) {
	t.Parallel()
	emulators.Need(t, emulators.MiniStack) // skips where it cannot be had
	e, err := emulators.Start(t.Context(), emulators.MiniStack)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	if err := get(t.Context(), e.URL); err != nil {
		t.Fatal("before Stop:", err)
	}
	e.Stop()
	e.Stop() // twice is no fault
	if err := get(t.Context(), e.URL); err == nil {
		t.Error("after Stop it still answers")
	} else if !strings.Contains(err.Error(), syscall.ECONNREFUSED.Error()) {
		t.Error("after Stop:", err)
	}
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_ministack/health", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return err
}

func roundTripDynamo(t *testing.T, client *dynamodb.Client) {
	t.Helper()
	table := aws.String("smoke-" + t.Name())
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            table,
		BillingMode:          dynamotypes.BillingModePayPerRequest,
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: dynamotypes.KeyTypeHash}},
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	item := map[string]dynamotypes.AttributeValue{"pk": &dynamotypes.AttributeValueMemberS{Value: "a"}}
	put := func() error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: table, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		})
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if err := put(); err == nil || !strings.Contains(err.Error(), "ConditionalCheckFailed") {
		t.Errorf("the second conditional put: %v, want ConditionalCheckFailed", err)
	}
}

func roundTripSQS(t *testing.T, client *sqs.Client) {
	t.Helper()
	queue, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("smoke-" + t.Name())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("hello")}); err != nil {
		t.Fatal(err)
	}
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 5})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Messages) != 1 || aws.ToString(got.Messages[0].Body) != "hello" {
		t.Errorf("received %+v, want one message: hello", got.Messages)
	}
}
