package secretsmanager_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/secret/secretsmanager"
)

const canary = "canary-s3cret"

func TestMiniStack(t *testing.T) {
	t.Parallel()
	client := awssecrets.NewFromConfig(emulators.Need(t, emulators.MiniStack).AWS())
	stack := "test-" + strings.ToLower(rand.Text()[:10])
	v := secretsmanager.Open(client, secretsmanager.Options{Stack: stack})
	key := map[string]message.Secret{"key": canary, "多行": "a\n\"b\" <&>\u2028", "empty": ""}
	other := map[string]message.Secret{"key": "other"}
	none := map[string]message.Secret{}
	for i, step := range []struct {
		put  map[string]message.Secret // nil: nothing is put
		want map[string]message.Secret // nil: not found
	}{
		{nil, nil}, {none, nil}, {key, key}, {other, other}, {other, other}, {none, nil}, {none, nil}, {key, key}, {none, nil}, {other, other},
	} {
		if step.put != nil {
			if err := v.Put(t.Context(), "sms-1", step.put); err != nil {
				t.Fatalf("step %d: Put: %v", i, err)
			}
		}
		got, err := v.Get(t.Context(), "sms-1")
		if step.want == nil {
			if !errors.Is(err, secret.ErrNotFound) {
				t.Errorf("step %d: Get: %v, want %v", i, err, secret.ErrNotFound)
			}
			continue
		}
		if diff := cmp.Diff(plain(step.want), plain(got)); diff != "" || err != nil {
			t.Errorf("step %d: Get: %v (-want +got):\n%s", i, err, diff)
		}
	}
	out, err := client.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: aws.String(stack + "/accounts/sms-1")})
	if err != nil || aws.ToString(out.SecretString) != `{"key":"other"}` {
		t.Errorf("the service keeps %q, %v", aws.ToString(out.SecretString), err)
	}
}

// plain is the fields with their texts: secrets do not print themselves.
func plain(fields map[string]message.Secret) map[string]string {
	out := map[string]string{}
	for k, s := range fields {
		out[k] = string(s)
	}
	return out
}

func TestManyPutOneName(t *testing.T) {
	t.Parallel()
	client := awssecrets.NewFromConfig(emulators.Need(t, emulators.MiniStack).AWS())
	v := secretsmanager.Open(client, secretsmanager.Options{Stack: "test-" + strings.ToLower(rand.Text()[:10])})
	var putting sync.WaitGroup
	for range 8 {
		putting.Go(func() {
			if err := v.Put(t.Context(), "new", map[string]message.Secret{"key": canary}); err != nil {
				t.Errorf("Put: %v", err)
			}
		})
	}
	putting.Wait()
	if got, err := v.Get(t.Context(), "new"); err != nil || got["key"] != canary {
		t.Errorf("Get: %v", err)
	}
}

// fake answers in turn; it remembers what it was asked.
type fake struct {
	answers []error
	asked   []string
	text    string
	deleted bool
	key     string
}

func (f *fake) next(what string) error {
	f.asked = append(f.asked, what)
	return f.answers[len(f.asked)-1]
}

func (f *fake) GetSecretValue(context.Context, *awssecrets.GetSecretValueInput, ...func(*awssecrets.Options)) (*awssecrets.GetSecretValueOutput, error) {
	return &awssecrets.GetSecretValueOutput{SecretString: &f.text}, f.next("get")
}

func (f *fake) PutSecretValue(context.Context, *awssecrets.PutSecretValueInput, ...func(*awssecrets.Options)) (*awssecrets.PutSecretValueOutput, error) {
	return nil, f.next("put")
}

func (f *fake) CreateSecret(_ context.Context, in *awssecrets.CreateSecretInput, _ ...func(*awssecrets.Options)) (*awssecrets.CreateSecretOutput, error) {
	f.key = aws.ToString(in.KmsKeyId)
	return nil, f.next("create")
}

func (f *fake) DeleteSecret(_ context.Context, in *awssecrets.DeleteSecretInput, _ ...func(*awssecrets.Options)) (*awssecrets.DeleteSecretOutput, error) {
	if aws.ToBool(in.ForceDeleteWithoutRecovery) || aws.ToInt64(in.RecoveryWindowInDays) != 7 {
		return nil, errors.New("not to be restored")
	}
	return nil, f.next("delete")
}

func (f *fake) RestoreSecret(context.Context, *awssecrets.RestoreSecretInput, ...func(*awssecrets.Options)) (*awssecrets.RestoreSecretOutput, error) {
	return nil, f.next("restore")
}

func (f *fake) DescribeSecret(context.Context, *awssecrets.DescribeSecretInput, ...func(*awssecrets.Options)) (*awssecrets.DescribeSecretOutput, error) {
	out := &awssecrets.DescribeSecretOutput{}
	if f.deleted {
		out.DeletedDate = &time.Time{}
	}
	return out, f.next("describe")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	missing, invalid, exists := &types.ResourceNotFoundException{}, &types.InvalidRequestException{}, &types.ResourceExistsException{}
	fault := errors.New("fault")
	get := func(v *secretsmanager.Vault) error { _, err := v.Get(t.Context(), "x"); return err }
	put := func(v *secretsmanager.Vault) error {
		return v.Put(t.Context(), "x", map[string]message.Secret{"key": canary})
	}
	remove := func(v *secretsmanager.Vault) error { return v.Put(t.Context(), "x", nil) }
	for name, c := range map[string]struct {
		do      func(*secretsmanager.Vault) error
		fake    *fake
		asked   string
		wantErr error
	}{
		"get":                      {get, &fake{answers: []error{nil}, text: "{}"}, "get", nil},
		"get, fault":               {get, &fake{answers: []error{fault}}, "get", fault},
		"get, missing":             {get, &fake{answers: []error{missing}}, "get", secret.ErrNotFound},
		"get, removed":             {get, &fake{answers: []error{invalid, nil}, deleted: true}, "get describe", secret.ErrNotFound},
		"get, forbidden":           {get, &fake{answers: []error{invalid, nil}}, "get describe", invalid},
		"get, nobody knows":        {get, &fake{answers: []error{invalid, fault}, deleted: true}, "get describe", invalid},
		"put":                      {put, &fake{answers: []error{nil}}, "put", nil},
		"put, fault":               {put, &fake{answers: []error{fault}}, "put", fault},
		"put, new":                 {put, &fake{answers: []error{missing, nil}}, "put create", nil},
		"put, new, fault":          {put, &fake{answers: []error{missing, fault}}, "put create", fault},
		"put, somebody was faster": {put, &fake{answers: []error{missing, exists, nil}}, "put create put", nil},
		"put, removed":             {put, &fake{answers: []error{invalid, nil, nil, nil}, deleted: true}, "put describe restore put", nil},
		"put, restore, fault":      {put, &fake{answers: []error{invalid, nil, fault}, deleted: true}, "put describe restore", fault},
		"put, forbidden":           {put, &fake{answers: []error{invalid, nil}}, "put describe", invalid},
		"remove":                   {remove, &fake{answers: []error{nil}}, "delete", nil},
		"remove, missing":          {remove, &fake{answers: []error{missing}}, "delete", nil},
		"remove, removed":          {remove, &fake{answers: []error{invalid, nil}, deleted: true}, "delete describe", nil},
		"remove, fault":            {remove, &fake{answers: []error{fault}}, "delete", fault},
	} {
		err := c.do(secretsmanager.Open(c.fake, secretsmanager.Options{Stack: "s", Key: "a-key"}))
		if asked := strings.Join(c.fake.asked, " "); !errors.Is(err, c.wantErr) || asked != c.asked {
			t.Errorf("%s: %v after %q, want %v after %q", name, err, asked, c.wantErr, c.asked)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error shows the secret", name)
		}
		if strings.Contains(c.asked, "create") && c.fake.key != "a-key" {
			t.Errorf("%s: the key is %q", name, c.fake.key)
		}
	}
}

func TestWhatIsNoObjectIsNotShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", canary, `["` + canary + `"]`, `{"key":["` + canary + `"]}`, `{"` + canary} {
		v := secretsmanager.Open(&fake{answers: []error{nil}, text: text}, secretsmanager.Options{})
		if got, err := v.Get(t.Context(), "x"); err == nil || got != nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
