package deploy_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/telemetry/otlp"
	"github.com/opennotify/notify/pkg/wire"
)

// What a function would not start with is refused before anything is changed: a deployment that goes through and leaves no
// function that starts takes everything down.
func TestParametersThatNoFunctionStartsWith(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	for _, tc := range []struct {
		parameter, variable, value string
		ok                         bool
	}{
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "", true},
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "https://notify.example.com", true},
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "https://notify.example.com:8443/", true},
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "notify.example.com", false},
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "https://a1b2.execute-api.eu-west-1.amazonaws.com/live", false},
		{"PublicUrl", "NOTIFY_PUBLIC_URL", "https://notify.example.com?a=b", false},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "", true},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", true},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.com/otlp/", true},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", false},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317", false},
		{"TracesTo", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://", false},
	} {
		pattern, _ := r.Parameters[tc.parameter]["AllowedPattern"].(string)
		if taken := regexp.MustCompile("^(?:" + pattern + ")$").MatchString(tc.value); taken != tc.ok {
			t.Errorf("%s=%s is taken: %v", tc.parameter, tc.value, taken)
		}
		get := func(name string) string { return map[string]string{tc.variable: tc.value}[name] }
		_, err := wire.ReadOutside(get)
		if err == nil {
			_, err = otlp.Open(get, time.Now)
		}
		if starts := err == nil; starts != tc.ok {
			t.Errorf("with %s=%s a function starts: %v", tc.variable, tc.value, starts)
		}
	}
	for _, tc := range []struct {
		set map[string]string
		ok  bool
	}{
		{map[string]string{}, true},
		{map[string]string{"OidcIssuer": "https://id.example.com", "OidcClient": "c", "PublicUrl": "https://n.example.com"}, true},
		{map[string]string{"OidcIssuer": "https://id.example.com", "PublicUrl": "https://n.example.com"}, false},
		{map[string]string{"OidcIssuer": "https://id.example.com", "OidcClient": "c"}, false},
		{map[string]string{"Domain": "n.example.com", "Certificate": "arn", "PublicUrl": "https://n.example.com"}, true},
		{map[string]string{"Domain": "n.example.com", "PublicUrl": "https://n.example.com"}, false},
		{map[string]string{"Domain": "n.example.com", "Certificate": "arn"}, false},
		{map[string]string{"Stage": "prod", "Reach": "127.0.0.0/8"}, false},
		{map[string]string{"Stage": "dev", "Reach": "127.0.0.0/8"}, true},
	} {
		all := map[string]string{"Stage": "dev"}
		for name, v := range tc.set {
			all[name] = v
		}
		broken := broken(t, parse(t, "../template.yaml", "main", all))
		if (len(broken) == 0) != tc.ok {
			t.Errorf("%v: %v", tc.set, broken)
		}
	}
}

// broken are the assertions of a template that its parameters do not hold.
func broken(t *testing.T, whole template) (out []string) {
	t.Helper()
	if len(whole.Rules) == 0 {
		t.Fatal("no rules")
	}
	for _, rule := range whole.Rules {
		if rule.RuleCondition != nil && !whole.holds(rule.RuleCondition) {
			continue
		}
		for _, a := range rule.Assertions {
			if !whole.holds(a["Assert"]) {
				out = append(out, fmt.Sprint(a["AssertDescription"]))
			}
		}
	}
	return out
}
