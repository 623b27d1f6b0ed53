package sign_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/provider/sign"
)

const (
	snsTopic = "arn:aws:sns:us-west-2:123456789012:MyTopic"
	snsCert  = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
	snsToken = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=2336412f37"
)

// amazon is SNS with a key of our own: AWS publishes no message with its signature. It serves its certificate, and
// counts what it was asked for.
type amazon struct {
	key   *rsa.PrivateKey
	cert  []byte
	mu    sync.Mutex
	asked map[string]int
}

var newAmazon = sync.OnceValue(func() *amazon {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	like := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: snsNow().Add(-time.Hour), NotAfter: snsNow().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, like, like, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &amazon{key: key, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), asked: map[string]int{}}
})

func snsNow() time.Time { return time.Date(2012, 5, 2, 0, 54, 6, 0, time.UTC) }

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[r.URL.String()]++
	res := &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}
	switch r.URL.String() {
	case snsCert:
		res.StatusCode, res.Body = http.StatusOK, io.NopCloser(bytes.NewReader(a.cert))
	case snsToken:
		res.StatusCode = http.StatusOK
	}
	return res, nil
}

// says signs a message as SNS does, in the form of
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
func (a *amazon) says(version string, change ...string) string {
	m := map[string]string{"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": snsTopic, "Subject": "My First Message",
		"Message": "Hello \"world\"!\nline", "Timestamp": "2012-05-02T00:54:06.655Z", "SignatureVersion": version, "SigningCertURL": snsCert}
	for i := 0; i < len(change); i += 2 {
		if m[change[i]] = change[i+1]; change[i+1] == "-" {
			delete(m, change[i])
		}
	}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if v, ok := m[name]; ok {
			text.WriteString(name + "\n" + v + "\n")
		}
	}
	sum, hash := sha256.Sum256([]byte(text.String())), crypto.SHA256
	digest := sum[:]
	if version == "1" {
		old := sha1.Sum([]byte(text.String()))
		digest, hash = old[:], crypto.SHA1
	}
	signature, err := rsa.SignPKCS1v15(nil, a.key, hash, digest)
	if err != nil {
		panic(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func snsCallback(body string) callback {
	return callback{scheme: "sns", params: sign.Params{"topic": "arn:aws:sns:eu-west-1:123456789012:other, " + snsTopic}, now: snsNow(), url: "/", body: body, world: sign.World{Client: &http.Client{Transport: newAmazon()}, Certificates: &sign.Certificates{}}}
}

// The certificate's address and the confirmation's lead to SNS or are not asked, the topic is one of ours, and the
// message not older than SNS may repeat it.
func TestSNS(t *testing.T) {
	t.Parallel()
	a := newAmazon()
	confirm := []string{"Type", "SubscriptionConfirmation", "Subject", "-", "Token", "2336412f37", "SubscribeURL", snsToken}
	for name, c := range map[string]struct {
		body string
		late time.Duration
		want error
	}{
		"without a subject":                   {a.says("2", "Subject", "-"), 0, nil},
		"a confirmation":                      {a.says("2", confirm...), 0, nil},
		"its end":                             {a.says("1", "Type", "UnsubscribeConfirmation", "Subject", "-", "Token", "t", "SubscribeURL", snsToken), 0, nil},
		"an hour later":                       {a.says("2"), time.Hour, nil},
		"a replay":                            {a.says("2"), 2 * time.Hour, sign.ErrTimestamp},
		"of the future":                       {a.says("2"), -time.Hour, sign.ErrTimestamp},
		"another topic":                       {a.says("2", "TopicArn", "arn:aws:sns:us-west-2:666666666666:MyTopic"), 0, sign.ErrSignature},
		"another version":                     {a.says("3"), 0, sign.ErrForm},
		"another type":                        {a.says("2", "Type", "Other"), 0, sign.ErrForm},
		"no time":                             {a.says("2", "Timestamp", "now"), 0, sign.ErrForm},
		"no JSON":                             {"Hello", 0, sign.ErrForm},
		"a certificate of http":               {a.says("2", "SigningCertURL", strings.Replace(snsCert, "https", "http", 1)), 0, sign.ErrForm},
		"of another host":                     {a.says("2", "SigningCertURL", "https://sns.us-west-2.amazonaws.com.evil.example/x.pem"), 0, sign.ErrForm},
		"of a bucket":                         {a.says("2", "SigningCertURL", "https://s3.amazonaws.com/sns.us-west-2.amazonaws.com/x.pem"), 0, sign.ErrForm},
		"of a user":                           {a.says("2", "SigningCertURL", "https://sns.us-west-2.amazonaws.com@evil.example/x.pem"), 0, sign.ErrForm},
		"of a port":                           {a.says("2", "SigningCertURL", "https://sns.us-west-2.amazonaws.com:8443/x.pem"), 0, sign.ErrForm},
		"not of a .pem":                       {a.says("2", "SigningCertURL", "https://sns.us-west-2.amazonaws.com/x"), 0, sign.ErrForm},
		"a confirmation somewhere":            {a.says("2", append(confirm, "SubscribeURL", "https://evil.example/?Token=x")...), 0, sign.ErrForm},
		"a confirmation of a topic of theirs": {a.says("2", append(confirm, "TopicArn", "arn:aws:sns:us-west-2:666666666666:x")...), 0, sign.ErrSignature},
	} {
		m := snsCallback(c.body)
		m.now = m.now.Add(c.late)
		got, err := m.verify(t)
		if !errors.Is(err, c.want) || err == nil && got.Check == strings.Contains(c.body, `"Notification"`) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for asked := range a.asked {
		if asked != snsCert && asked != snsToken && !strings.HasPrefix(asked, "https://sns.") {
			t.Errorf("asked for %s", asked)
		}
	}
	if a.asked[snsToken] != 1 {
		t.Errorf("confirmed %d times", a.asked[snsToken])
	}
}

// A certificate is fetched once, and again only for another address.
func TestCertificatesAreKept(t *testing.T) {
	t.Parallel()
	a := &amazon{key: newAmazon().key, cert: newAmazon().cert, asked: map[string]int{}}
	v, _ := sign.LookupVerifier("sns")
	w := sign.World{Now: snsNow(), Client: &http.Client{Transport: a}, Certificates: &sign.Certificates{}}
	c := snsCallback(a.says("2"))
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Verify(c.params, w, r, []byte(c.body)); err != nil || string(got.Body) != "Hello \"world\"!\nline" {
			t.Fatalf("%s %v", got.Body, err)
		}
	}
	if a.asked[snsCert] != 1 {
		t.Errorf("fetched %d times", a.asked[snsCert])
	}
	w.Now = w.Now.Add(48 * time.Hour)
	late := a.says("2", "Timestamp", w.Now.Format(time.RFC3339))
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	if _, err := v.Verify(c.params, w, r, []byte(late)); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("a certificate that has expired: %v", err)
	}
}
