package amazon

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/opennotify/notify/pkg/provider"
)

// Check tells what is wrong with the fields that every such account has: region, and both keys or none.
func Check(a provider.Account) error {
	if a.Config["region"] == "" {
		return fmt.Errorf("field %q is required", "region")
	}
	if (a.Secrets["access_key_id"] == "") != (a.Secrets["secret_access_key"] == "") {
		return errors.New(`fields "access_key_id" and "secret_access_key" belong together: fill in both, or none`)
	}
	return nil
}

// Client is what an account's calls go through. An address that was entered is judged as a webhook's is: who may make
// accounts may not see what only this process reaches.
func Client(a provider.Account, e provider.Env) *http.Client {
	if a.Config["endpoint"] != "" {
		return e.Guarded
	}
	return e.Client
}

// Config is the SDK's configuration for an account, with its retries off: neither service takes a token by which
// it would know a repetition. What the process runs as, and AWS_ENDPOINT_URL, count only for an account without
// keys.
func Config(ctx context.Context, a provider.Account) (aws.Config, error) {
	cfg := aws.Config{
		Region:      a.Config["region"],
		Credentials: credentials.NewStaticCredentialsProvider(string(a.Secrets["access_key_id"]), string(a.Secrets["secret_access_key"]), ""),
	}
	if a.Secrets["access_key_id"] == "" {
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx, config.WithRegion(cfg.Region)); err != nil {
			return aws.Config{}, fmt.Errorf("amazon: %w", err)
		}
	}
	if endpoint := a.Config["endpoint"]; endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	cfg.RetryMaxAttempts = 1
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return cfg, nil
}
