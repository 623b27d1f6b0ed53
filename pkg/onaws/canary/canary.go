// Package canary adds to a function's Backend the order of its canaries, which is a secret: it holds an API key. The
// other functions do not link it.
package canary

import (
	"context"
	"encoding/json"
	"errors"
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
		if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &o) != nil { // its error would quote the secret
			return o, fmt.Errorf("canary: secret %s is not a JSON object with key, channel, to, template, and where it differs url and locale", a.Env.Canary)
		}
		if o.Key == "" || o.To == "" || o.Channel == "" || o.Template == "" || o.URL == "" {
			return o, errors.New("canary: key, channel, to, template or url is missing in secret " + a.Env.Canary)
		}
		return o, nil
	}
}
