package cost

// The prices are those of us-east-1, in US dollars, looked up in 2026-11; eu-west-1 is within a tenth of them, most
// others within a third.
const (
	// APIRequest is a request to an HTTP API, as a million: https://aws.amazon.com/api-gateway/pricing/
	APIRequest = 1.00
	// WriteUnit and ReadUnit are request units of DynamoDB on demand, as a million:
	// https://aws.amazon.com/dynamodb/pricing/on-demand/
	WriteUnit = 0.625
	ReadUnit  = 0.125
	// StoredGB is a gigabyte of a table for a month: https://aws.amazon.com/dynamodb/pricing/on-demand/
	StoredGB = 0.25
	// QueueRequest is a request to a standard queue, as a million: https://aws.amazon.com/sqs/pricing/
	QueueRequest = 0.40
	// Invocation is one of Lambda, as a million, and GBSecond a second of a gigabyte on arm64:
	// https://aws.amazon.com/lambda/pricing/
	Invocation = 0.20
	GBSecond   = 0.0000133334
	// LogGB is a gigabyte of a log: https://aws.amazon.com/cloudwatch/pricing/
	LogGB = 0.50
	// MetricMonth is a custom metric for a month, as long as there are fewer than 10,000; AlarmMetric a metric that an
	// alarm watches, Composite a composite alarm, Dashboard a dashboard: https://aws.amazon.com/cloudwatch/pricing/
	MetricMonth = 0.30
	AlarmMetric = 0.10
	Composite   = 0.50
	Dashboard   = 3.00
	// KeyMonth is a key of KMS for a month: https://aws.amazon.com/kms/pricing/
	KeyMonth = 1.00
	// SecretMonth is a secret for a month: https://aws.amazon.com/secrets-manager/pricing/
	SecretMonth = 0.40
)

// Metrics is what a number of custom metrics costs in a month. One that is not written in an hour is not paid for
// in that hour, so it is at most that.
func Metrics(n int) float64 { return float64(n) * MetricMonth }

// Pollers are the long polls that Lambda keeps on an idle queue: five where MaximumConcurrency is set, which keeps it
// from going down to two: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	Pollers          = 5
	PollersUnbounded = 2
)

// IdleQueue is what the polls of an idle queue cost in a month of 30 days, each of them 20 seconds long.
func IdleQueue(pollers int) float64 { return float64(pollers) * 30 * 86400 / 20 * QueueRequest / 1e6 }
