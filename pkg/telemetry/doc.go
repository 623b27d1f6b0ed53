// Package telemetry is what the service tells of itself: log lines in JSON, and metrics that CloudWatch
// reads out of log lines.
package telemetry
