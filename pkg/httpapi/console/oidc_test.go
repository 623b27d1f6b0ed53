package console_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// identity is an identity provider: metadata, keys, and a token for the code that it gave.
type identity struct {
	*httptest.Server
	key       *rsa.PrivateKey
	now       func() time.Time
	challenge string         // of the sign-in under way
	claims    map[string]any // of the next token, over the defaults
	secret    string
}

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &identity{key: key, secret: "s3cret"}
	mux := http.NewServeMux()
	answer := func(path string, v func(r *http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			body := v(r)
			if body == nil {
				w.WriteHeader(http.StatusBadRequest)
			}
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	answer("/.well-known/openid-configuration", func(*http.Request) any {
		return map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}}
	})
	text := base64.RawURLEncoding.EncodeToString
	answer("/keys", func(*http.Request) any {
		return map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": text(key.N.Bytes()), "e": text(big.NewInt(int64(key.E)).Bytes())}}}
	})
	answer("/token", func(r *http.Request) any {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		_, secret, _ := r.BasicAuth()
		if r.FormValue("code") != "code-1" || text(sum[:]) != i.challenge || secret != i.secret && r.FormValue("client_secret") != i.secret {
			return nil
		}
		return map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.token(t)}
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *identity) token(t *testing.T) string {
	claims := map[string]any{"iss": i.URL, "aud": "notify", "sub": "1", "email": "Li@Example.com", "email_verified": true,
		"iat": i.now().Unix(), "exp": i.now().Add(time.Hour).Unix()}
	for k, v := range i.claims {
		claims[k] = v
		if v == nil {
			delete(claims, k)
		}
	}
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(map[string]string{"alg": "RS256", "kid": "k"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// signInBy goes to the identity provider and comes back; change may tamper with what comes back.
func (w *world) signInBy(i *identity, change func(back url.Values, cookies map[string]string)) *http.Response {
	w.Helper()
	away := w.want(w.do("GET", "/console/oidc", ""), http.StatusSeeOther)
	to, err := url.Parse(away.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), i.URL+"/authorize?") {
		w.Fatalf("sent to %s, %v", to, err)
	}
	q := to.Query()
	if q.Get("redirect_uri") != "https://notify.example.com/console/oidc/callback" || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || q.Get("state") == "" {
		w.Fatalf("asked for %v", q)
	}
	i.challenge = q.Get("code_challenge")
	if _, set := i.claims["nonce"]; !set {
		i.claims["nonce"] = q.Get("nonce")
	}
	back := url.Values{"code": {"code-1"}, "state": {q.Get("state")}}
	cookies := map[string]string{}
	for _, c := range away.Cookies() {
		if c.SameSite != http.SameSiteLaxMode || !c.HttpOnly || !c.Secure {
			w.Errorf("cookie %+v", c)
		}
		cookies[c.Name] = c.Value
	}
	if change != nil {
		change(back, cookies)
	}
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	return w.do("GET", "/console/oidc/callback?"+back.Encode(), "", "Sec-Fetch-Site", "cross-site", "Cookie", strings.Join(pairs, "; "))
}

func oidcWorld(t *testing.T) (*world, *identity) {
	t.Helper()
	i := newIdentity(t)
	var w *world
	w = worldWith(t, true, &console.Identity{Issuer: i.URL, ClientID: "notify", URL: "https://notify.example.com", Client: i.Client(),
		Secret: func(context.Context) (message.Secret, error) { return "s3cret", nil },
		Person: func(_ context.Context, email string) (tenant.User, bool, error) {
			for _, u := range w.users {
				if u.Is(email) {
					return u, true, nil
				}
			}
			return tenant.User{}, false, nil
		}})
	i.now = func() time.Time { return w.now }
	i.claims = map[string]any{}
	w.users["li"] = tenant.User{Name: "li", Email: "li@example.com", Role: tenant.RoleSupport}
	return w, i
}

func TestSignInByIdentity(t *testing.T) {
	t.Parallel()
	w, i := oidcWorld(t)
	res := w.want(w.signInBy(i, nil), http.StatusSeeOther)
	if at := res.Header.Get("Location"); at != "/console/" {
		t.Fatalf("led to %s", at)
	}
	var cookie *http.Cookie
	for _, c := range res.Cookies() {
		if c.Name == "__Host-notify" {
			cookie = c
		}
	}
	if cookie == nil || cookie.SameSite != http.SameSiteStrictMode || !cookie.Secure || !cookie.HttpOnly {
		t.Fatalf("cookies %v", res.Cookies())
	}
	sent := cookie.Name + "=" + cookie.Value
	if got := text(t, w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 200)); !strings.Contains(got, "user:li") {
		t.Error(got)
	}
	var s console.Session
	if err := json.Unmarshal([]byte(text(t, w.want(w.do("GET", "/console/session", "", "Cookie", sent), 200))), &s); err != nil {
		t.Fatal(err)
	}
	if s.Key != "user:li" || len(s.Scopes) != 2 || !s.Identity {
		t.Errorf("%+v", s)
	}
	// Who is switched off, or no longer there, is out at once.
	u := w.users["li"]
	u.Disabled = true
	w.users["li"] = u
	w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 401)
	delete(w.users, "li")
	w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 401)
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims map[string]any
		change func(w *world, back url.Values, cookies map[string]string)
		at     string
	}{
		"nobody we know": {map[string]any{"email": "han@example.com"}, nil, "unknown"},
		"switched off": {nil, func(w *world, _ url.Values, _ map[string]string) {
			w.users["li"] = tenant.User{Name: "li", Email: "li@example.com", Disabled: true}
		}, "unknown"},
		"an address not verified":  {map[string]any{"email_verified": false}, nil, "refused"},
		"nothing said about it":    {map[string]any{"email_verified": nil}, nil, "refused"},
		"no address":               {map[string]any{"email": ""}, nil, "refused"},
		"another client's token":   {map[string]any{"aud": "other"}, nil, "refused"},
		"another issuer's":         {map[string]any{"iss": "https://evil.example"}, nil, "refused"},
		"another sign-in's token":  {map[string]any{"nonce": "x"}, nil, "refused"},
		"a token that is over":     {map[string]any{"exp": 1}, nil, "refused"},
		"another state":            {nil, func(_ *world, back url.Values, _ map[string]string) { back.Set("state", "x") }, "refused"},
		"no state":                 {nil, func(_ *world, back url.Values, _ map[string]string) { back.Del("state") }, "refused"},
		"a code of somebody else":  {nil, func(_ *world, back url.Values, _ map[string]string) { back.Set("code", "code-2") }, "refused"},
		"the provider says no":     {nil, func(_ *world, back url.Values, _ map[string]string) { back.Set("error", "access_denied") }, "refused"},
		"another browser":          {nil, func(_ *world, _ url.Values, cookies map[string]string) { clear(cookies) }, "refused"},
		"a cookie that was forged": {nil, func(_ *world, _ url.Values, cookies map[string]string) { cookies["__Host-notify-oidc"] = "e30" }, "refused"},
		"too slow":                 {nil, func(w *world, _ url.Values, _ map[string]string) { w.now = w.now.Add(11 * time.Minute) }, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, i := oidcWorld(t)
			for k, v := range c.claims {
				i.claims[k] = v
			}
			res := w.want(w.signInBy(i, func(back url.Values, cookies map[string]string) {
				if c.change != nil {
					c.change(w, back, cookies)
				}
			}), http.StatusSeeOther)
			if at := res.Header.Get("Location"); at != "/console/login?error="+c.at {
				t.Errorf("led to %s", at)
			}
			for _, cookie := range res.Cookies() {
				if cookie.Name == "__Host-notify" {
					t.Error("signed in all the same")
				}
			}
		})
	}
}

func TestNoIdentityProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.want(w.do("GET", "/console/oidc", ""), 404)
	w.want(w.do("GET", "/console/oidc/callback", ""), 404)
}
