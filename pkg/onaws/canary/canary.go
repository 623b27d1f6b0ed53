// Package canary adds to a function's Backend the order of its canaries, which is a secret: it holds an API key. The
// other functions do not link it.
package canary

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/onaws"
)

// Open adds the order, where there are canaries.
func Open(a *onaws.AWS) {
	if a.Env.Canary == "" {
		return
	}
	secrets := secretsmanager.NewFromConfig(a.SDK)
	a.Canary = func(ctx context.Context) (canary.Order, error) {
		o := canary.Order{URL: a.Env.API}
		out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &a.Env.Canary})
		if err != nil {
			return o, fmt.Errorf("canary: read secret %s: %w", a.Env.Canary, err)
		}
		if o, err = canary.ReadOrder([]byte(aws.ToString(out.SecretString)), o); err != nil {
			return o, fmt.Errorf("canary: secret %s: %w", a.Env.Canary, err)
		}
		return o, nil
	}
}
