package cost

// The prices are those of us-east-1, in US dollars, looked up in 2026-11; eu-west-1 is within a tenth of them, most
// others within a third.
const (
	// MetricMonth is a custom metric of CloudWatch for a month, as long as there are fewer than 10,000:
	// https://aws.amazon.com/cloudwatch/pricing/
	MetricMonth = 0.30
)

// Metrics is what a number of custom metrics costs in a month. One that is not written in an hour is not paid for
// in that hour, so it is at most that.
func Metrics(n int) float64 { return float64(n) * MetricMonth }
