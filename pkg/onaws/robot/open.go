package robot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/recipes"
)

// Open makes the robot of a secret, by its ARN. runbook is the address of a folder that has docs/runbook.md.
func Open(cfg aws.Config, arn, runbook string, log *slog.Logger) *Robot {
	secrets := secretsmanager.NewFromConfig(cfg)
	return &Robot{
		Secret: func(ctx context.Context) (string, error) {
			out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
			if err != nil {
				return "", err
			}
			return aws.ToString(out.SecretString), nil
		},
		Recipes: recipes.FS(), Runbook: runbook, Client: guard.Client(guard.Options{}), Now: time.Now, Nonce: nonce, Log: log,
	}
}

// nonce is for signatures. Reading the system's randomness never fails: https://pkg.go.dev/crypto/rand#Read
func nonce() string {
	var n [16]byte
	_, _ = rand.Read(n[:])
	return hex.EncodeToString(n[:])
}
