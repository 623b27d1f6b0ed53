package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// JWTKey is a private key for tokens.
type JWTKey struct {
	alg    string
	signer crypto.Signer
}

// ParseJWTKey reads a private key in PEM (PKCS #8, or PKCS #1 for RSA); alg is RS256 or ES256. The error
// says nothing of the key.
func ParseJWTKey(alg, text string) (JWTKey, error) {
	// Who copies it out of a JSON file has \n where the lines end.
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return JWTKey{}, errors.New("the key is not in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if rsaKey, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			key = rsaKey
		}
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if alg == "RS256" {
			return JWTKey{alg, k}, nil
		}
	case *ecdsa.PrivateKey:
		if alg == "ES256" && k.Curve.Params().BitSize == 256 {
			return JWTKey{alg, k}, nil
		}
	}
	return JWTKey{}, fmt.Errorf("the PEM block holds no private key for %s", alg)
}

// Sign makes a token (RFC 7519) of a header and claims; alg and typ are added to the header.
// Equal input gives an equal token: ES256 takes its nonce from the input (RFC 6979).
func (k JWTKey) Sign(header, claims map[string]any) (string, error) {
	head := map[string]any{"typ": "JWT"}
	for name, v := range header {
		head[name] = v
	}
	head["alg"] = k.alg
	h, err := json.Marshal(head)
	if err != nil {
		return "", fmt.Errorf("sign: jwt header: %w", err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: jwt claims: %w", err)
	}
	text := b64(h) + "." + b64(c)
	signature, err := k.signature([]byte(text))
	if err != nil {
		return "", fmt.Errorf("sign: jwt: %w", err)
	}
	return text + "." + b64(signature), nil
}

func (k JWTKey) signature(text []byte) ([]byte, error) {
	if k.signer == nil {
		return nil, errors.New("no key")
	}
	sum := sha256.Sum256(text)
	out, err := k.signer.Sign(nil, sum[:], crypto.SHA256)
	if err != nil || k.alg != "ES256" {
		return out, err
	}
	var pair struct{ R, S *big.Int } // a token wants them side by side, not in ASN.1
	if _, err := asn1.Unmarshal(out, &pair); err != nil {
		return nil, err
	}
	return append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...), nil
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
