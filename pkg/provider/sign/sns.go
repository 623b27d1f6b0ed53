package sign

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // of signatures of version 1
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// snsRepeats is the longest that SNS keeps a message which was not taken.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
const snsRepeats = time.Hour

// snsMessage is what SNS posts. Its names are read as they are written: what is signed is what is read.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type snsMessage map[string]any

func (m snsMessage) field(name string) string {
	s, _ := m[name].(string)
	return s
}

// SNS verifies a message of one of the topics that parameter topic names, parted by commas: anybody can
// have a topic that SNS signs for. A confirmation of a subscription to one of them is given.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
func SNS(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	var m snsMessage
	if json.Unmarshal(body, &m) != nil {
		return Opened{}, ErrForm
	}
	if m.field("TopicArn") == "" || !slices.Contains(strings.FieldsFunc(p["topic"], func(c rune) bool { return c == ',' || c == ' ' }), m.field("TopicArn")) {
		return Opened{}, ErrSignature
	}
	at, err := time.Parse(time.RFC3339Nano, m.field("Timestamp"))
	if err != nil {
		return Opened{}, ErrForm
	}
	if age := w.Now.Sub(at); age > snsRepeats+tolerance || age < -tolerance {
		return Opened{}, ErrTimestamp
	}
	if err := m.verify(r.Context(), w); err != nil {
		return Opened{}, err
	}
	switch m.field("Type") {
	case "Notification":
		return Opened{Body: []byte(m.field("Message"))}, nil
	case "SubscriptionConfirmation":
		if !ofSNS(m.field("SubscribeURL")) {
			return Opened{}, ErrForm
		}
		_, err := w.get(r.Context(), m.field("SubscribeURL"))
		return Opened{Check: true}, err
	}
	return Opened{Check: true}, nil // somebody has ended the subscription
}

func (m snsMessage) verify(ctx context.Context, w World) error {
	hash := map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[m.field("SignatureVersion")]
	signature, err := base64.StdEncoding.DecodeString(m.field("Signature"))
	if err != nil || hash == 0 || !ofSNS(m.field("SigningCertURL")) || !strings.HasSuffix(m.field("SigningCertURL"), ".pem") {
		return ErrForm
	}
	text, err := m.text()
	if err != nil {
		return err
	}
	cert, err := w.certificate(ctx, m.field("SigningCertURL"))
	if err != nil {
		return err
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || w.Now.Before(cert.NotBefore) || w.Now.After(cert.NotAfter) {
		return ErrSignature
	}
	sum := hash.New() // x509 refuses signatures over SHA-1 altogether
	sum.Write([]byte(text))
	if rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), signature) != nil {
		return ErrSignature
	}
	return nil
}

// text is what SNS signs: names and values, a line each.
func (m snsMessage) text() (string, error) {
	var names []string
	switch m.field("Type") {
	case "Notification":
		names = []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var b strings.Builder
	for _, name := range names {
		if _, has := m[name]; has || name != "Subject" {
			b.WriteString(name + "\n" + m.field(name) + "\n")
		}
	}
	if len(names) == 0 {
		return "", ErrForm
	}
	return b.String(), nil
}

var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?$`)

// ofSNS tells whether a URL leads to SNS, over TLS, by its plain name.
func ofSNS(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.User == nil && snsHost.MatchString(u.Host) && u.String() == raw
}

// Certificates keeps those that callbacks are signed with, by their addresses. The zero value is empty.
type Certificates struct {
	mu    sync.Mutex
	known map[string]*x509.Certificate
}

// maxCertificates is more than a vendor has at a time.
const maxCertificates = 16

// certificate fetches one, or knows it. It is trusted for the host that it comes from, over TLS.
func (w World) certificate(ctx context.Context, from string) (*x509.Certificate, error) {
	if w.Certificates == nil {
		return nil, errors.New("sign: certificates cannot be fetched here")
	}
	w.Certificates.mu.Lock()
	cert := w.Certificates.known[from]
	w.Certificates.mu.Unlock()
	if cert != nil {
		return cert, nil
	}
	data, err := w.get(ctx, from)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, ErrForm
	}
	if cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, ErrForm
	}
	w.Certificates.mu.Lock()
	defer w.Certificates.mu.Unlock()
	if w.Certificates.known == nil || len(w.Certificates.known) >= maxCertificates {
		w.Certificates.known = map[string]*x509.Certificate{}
	}
	w.Certificates.known[from] = cert
	return cert, nil
}

func (w World) get(ctx context.Context, from string) ([]byte, error) {
	if w.Client == nil {
		return nil, errors.New("sign: nothing can be fetched here")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, ErrForm
	}
	res, err := w.Client.Do(req)
	if err != nil {
		return nil, errors.New("sign: SNS was not reached") // its error has the token of a confirmation
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("sign: SNS answered %d", res.StatusCode)
	}
	return data, nil
}
