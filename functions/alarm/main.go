// Command alarm tells a chat robot what CloudWatch alarms of. It uses neither the table nor the queues.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/opennotify/notify/pkg/onaws/robot"
	"github.com/opennotify/notify/pkg/telemetry"
)

func main() {
	log := telemetry.NewLogger(os.Stdout, slog.LevelInfo)
	secret := os.Getenv("NOTIFY_ROBOT")
	cfg, err := awsconfig.LoadDefaultConfig(context.Background())
	if err != nil || secret == "" {
		log.Error("the function cannot start: environment variable NOTIFY_ROBOT or the AWS configuration is missing", "error", err)
		os.Exit(1)
	}
	lambda.Start(robot.Open(cfg, secret, os.Getenv("NOTIFY_RUNBOOK"), log).Handle)
}
