package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/pkg/queue"
)

// Client is what a Queue uses of *sqs.Client.
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

// Options are what a Queue may have.
type Options struct {
	// Stack is in front of every queue's name: <stack>-<name>.
	Stack string
	// URL tells where a queue is, as URLs does; nil looks each one up once.
	URL func(queue.Name) string
	// Rand spreads back-offs, 0 <= x < 1; they are not spread when nil. Only Consume uses it.
	Rand func() float64
	// Backoff is the first wait of an item that was not done; it doubles up to Consumer.Visibility: 1 s.
	Backoff time.Duration
	// Log is where Consume's troubles go; nowhere when nil.
	Log *slog.Logger
}

// Queue is a queue.Queue on SQS. It is safe for concurrent use and needs no Close.
type Queue struct {
	client Client
	opts   Options

	mu   sync.Mutex
	urls map[queue.Name]string
}

var (
	_ queue.Queue  = (*Queue)(nil)
	_ queue.Source = (*Queue)(nil)
)

// Open makes a Queue. It asks for nothing yet.
func Open(client Client, opts Options) *Queue {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Rand == nil {
		opts.Rand = func() float64 { return 1 }
	}
	if opts.Backoff <= 0 {
		opts.Backoff = time.Second
	}
	return &Queue{client: client, opts: opts, urls: map[queue.Name]string{}}
}

// URLs tells where the queues of a stack are, without asking AWS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func URLs(region, account, stack string) func(queue.Name) string {
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return func(name queue.Name) string {
		return fmt.Sprintf("https://sqs.%s.%s/%s/%s-%s", region, domain, account, stack, name)
	}
}

// url is where a queue is. Two that ask at once for a new one both look it up: that is cheaper than waiting.
func (q *Queue) url(ctx context.Context, name queue.Name) (string, error) {
	if q.opts.URL != nil {
		return q.opts.URL(name), nil
	}
	q.mu.Lock()
	url, ok := q.urls[name]
	q.mu.Unlock()
	if ok {
		return url, nil
	}
	out, err := q.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(q.opts.Stack + "-" + string(name))})
	if err != nil {
		return "", fmt.Errorf("find it: %w", err)
	}
	url = aws.ToString(out.QueueUrl)
	q.mu.Lock()
	q.urls[name] = url
	q.mu.Unlock()
	return url, nil
}
