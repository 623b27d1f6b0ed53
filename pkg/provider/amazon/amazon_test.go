package amazon_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

func account(change func(*provider.Account)) provider.Account {
	a := provider.Account{Config: map[string]string{"region": "us-east-1"}, Secrets: map[string]message.Secret{"access_key_id": "AKIDOFTHEACCOUNT", "secret_access_key": "canary"}}
	change(&a)
	return a
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*provider.Account){
		"":              func(*provider.Account) {},
		"region":        func(a *provider.Account) { delete(a.Config, "region") },
		"access_key_id": func(a *provider.Account) { delete(a.Secrets, "secret_access_key") },
	} {
		err := amazon.Check(account(change))
		if (err == nil) != (field == "") || err != nil && (!strings.Contains(err.Error(), `"`+field+`"`) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// The account's keys count, without them the process's own, over the same connection and once; there are none
// here, or not.
func TestWhoseKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHEPROCESS")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-the-process")
	t.Setenv("AWS_MAX_ATTEMPTS", "5")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	call := func(a provider.Account) (*provider.Courier, message.Result) {
		a.Config["endpoint"] = server.URL
		cfg, err := amazon.Config(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		by := &provider.Courier{Client: server.Client()}
		cfg.HTTPClient = by
		_, err = sesv2.NewFromConfig(cfg).GetAccount(t.Context(), &sesv2.GetAccountInput{})
		r, why, refused := amazon.Failed(t.Context(), by, err, a, "")
		if refused {
			r.Outcome = why.Outcome()
		}
		return by, r
	}
	for key, change := range map[string]func(*provider.Account){"AKIDOFTHEACCOUNT": func(*provider.Account) {}, "AKIDOFTHEPROCESS": func(a *provider.Account) { a.Secrets = nil }} {
		asked = nil
		_, r := call(account(change))
		if len(asked) != 1 || !strings.Contains(asked[0], "Credential="+key+"/") || r.Outcome != message.Retry || r.Code != "http_503" {
			t.Errorf("%s: %q %+v", key, asked, r)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	if by, r := call(account(func(a *provider.Account) { a.Secrets = nil })); by.Asked || r.Outcome != message.AccountFault || r.Code != "no_request" {
		t.Errorf("nobody's keys: %+v", r)
	}
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"Type":"Notification","Message":"{\"a\":1}"}`:    `{"a":1}`,
		`{"source":"aws.sms-voice","detail":{"a":1}}`:      `{"a":1}`,
		`{"source":"aws.ec2","detail":{"a":1}}`:            `{"source":"aws.ec2","detail":{"a":1}}`,
		`{"Type":"UnsubscribeConfirmation","Message":"x"}`: `{"Type":"UnsubscribeConfirmation","Message":"x"}`,
		`{"a":1}`: `{"a":1}`, `x`: `x`,
	} {
		if got := string(amazon.Unwrap([]byte(body))); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestAttempt(t *testing.T) {
	t.Parallel()
	const ours = "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000"
	for in, want := range map[[2]string]int{{ours, "2"}: 2, {ours, ""}: 0, {ours, "-1"}: 0, {ours, "x"}: 0, {"theirs", "2"}: -1, {"", ""}: -1} {
		id, epoch := amazon.Attempt(in[0], in[1])
		if want < 0 && (id != "" || epoch != 0) || want >= 0 && (id != ours || epoch != want) {
			t.Errorf("%v: %q %d", in, id, epoch)
		}
	}
}

// sns serves a certificate at SNS's address.
type sns []byte

func (c sns) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.String() != "https://sns.us-east-1.amazonaws.com/x.pem" {
		return nil, errors.New("asked for " + r.URL.String())
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(c)), Request: r}, nil
}

// What SNS has signed is read, whoever wrote its envelope.
func TestReceived(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	like := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, like, like, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	const topic = "arn:aws:sns:us-east-1:123456789012:mail"
	m := map[string]string{"Message": `{"an":"event"}`, "MessageId": "m-1", "Timestamp": "2026-01-02T03:04:05.000Z", "TopicArn": topic, "Type": "Notification"}
	var signed strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		signed.WriteString(name + "\n" + m[name] + "\n")
	}
	sum := sha256.Sum256([]byte(signed.String()))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	m["SignatureVersion"], m["Signature"], m["SigningCertURL"] = "2", base64.StdEncoding.EncodeToString(signature), "https://sns.us-east-1.amazonaws.com/x.pem"
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	e := provider.Env{Now: func() time.Time { return now }, Guarded: &http.Client{Transport: sns(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}}
	r := amazon.NewReceiver(account(func(a *provider.Account) { a.Config[amazon.Topic] = topic }), e, func(event []byte) ([]provider.Receipt, error) {
		return []provider.Receipt{{ProviderID: string(event)}}, nil
	})
	cb, err := r.Receive(t.Context(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), body)
	if err != nil || len(cb.Receipts) != 1 || cb.Receipts[0].ProviderID != `{"an":"event"}` {
		t.Errorf("%+v %v", cb, err)
	}
}

// Without a topic nothing comes over HTTPS, and nobody is asked; what SNS has not signed is not read.
func TestReceive(t *testing.T) {
	t.Parallel()
	read := 0
	for topic, body := range map[string]string{"": `{"Type":"Notification"}`, "arn:aws:sns:us-east-1:123456789012:mail": `{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:123456789012:mail","Timestamp":"2026-01-02T03:04:05Z"}`} {
		a := account(func(a *provider.Account) { a.Config[amazon.Topic] = topic })
		e := provider.Env{Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
		r := amazon.NewReceiver(a, e, func([]byte) ([]provider.Receipt, error) { read++; return nil, nil })
		cb, err := r.Receive(t.Context(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), []byte(body))
		if err == nil || len(cb.Receipts) > 0 || read > 0 {
			t.Errorf("%q: %+v %v", topic, cb, err)
		}
	}
}
