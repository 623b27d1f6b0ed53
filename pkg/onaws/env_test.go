package onaws

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opennotify/notify/pkg/message"
)

func whole() map[string]string {
	return map[string]string{"NOTIFY_STACK": "main", "NOTIFY_TABLE": "table", "NOTIFY_KMS_KEY": "key", "NOTIFY_STAGE": "dev", "NOTIFY_ACCOUNT": "123456789012", "NOTIFY_DUE_SHARDS": "4"}
}

func TestReadEnv(t *testing.T) {
	t.Parallel()
	vars := whole()
	maps.Copy(vars, map[string]string{"NOTIFY_ALLOW": " @example.com, +8613800138000,", "NOTIFY_REACH": "127.0.0.0/8, ::1/128", "NOTIFY_LOG": "debug", "NOTIFY_BUS": "main", "NOTIFY_CHANNELS": "other, sms"})
	got, err := ReadEnv(func(name string) string { return vars[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := Env{Stack: "main", Table: "table", KeyID: "key", Stage: "dev", Account: "123456789012", DueShards: 4, LogLevel: "debug", Bus: "main",
		Allow: []string{"@example.com", "+8613800138000"}, Channels: []message.Channel{message.Other, message.SMS},
		Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error("(-want +got):", diff)
	}
}

// A function that is not told everything does not start, and says all that is missing at once.
func TestMissing(t *testing.T) {
	t.Parallel()
	_, err := ReadEnv(func(string) string { return "" })
	for name := range whole() {
		if err == nil || !strings.Contains(err.Error(), name+" is missing") {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	for name, change := range map[string][2]string{
		"one missing":       {"NOTIFY_TABLE", ""},
		"no number":         {"NOTIFY_DUE_SHARDS", "four"},
		"too few":           {"NOTIFY_DUE_SHARDS", "0"},
		"too many":          {"NOTIFY_DUE_SHARDS", "257"},
		"no stage":          {"NOTIFY_STAGE", "production"},
		"no network":        {"NOTIFY_REACH", "127.0.0.1"},
		"in production too": {"NOTIFY_REACH", "127.0.0.0/8"},
	} {
		vars := whole()
		if name == "in production too" {
			vars["NOTIFY_STAGE"] = Production
		}
		vars[change[0]] = change[1]
		if _, err := ReadEnv(func(name string) string { return vars[name] }); err == nil || !strings.Contains(err.Error(), change[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	e := Env{Stage: "dev", Allow: []string{"@Example.com", "+8613800138000", "https://hooks.example.com/a/", "team-bot"}}
	for address, want := range map[message.Address]bool{
		"a@example.com": true, "a@notexample.com": false, "a@example.com.evil.org": false, "a@sub.example.com": false,
		"+8613800138000": true, "+86138001380001": false, "+861380013800": false,
		"https://hooks.example.com/a/b": true, "https://hooks.example.com/ab": false, "https://hooks.example.com.evil.org/a/": false,
		"team-bot": true, "team-bots": false, "": false,
	} {
		if got := e.allowed()(message.Mail, address); got != want {
			t.Errorf("%q is allowed: %v", address, got)
		}
	}
	if (Env{Stage: Production, Allow: []string{"nobody"}}).allowed() != nil {
		t.Error("production has an allow-list")
	}
	if (Env{Stage: "dev"}).allowed()(message.Mail, "a@example.com") {
		t.Error("an empty list allows somebody")
	}
	if !(Env{Stage: "dev", Allow: []string{"*"}}).allowed()(message.Mail, "a@example.com") {
		t.Error("* does not allow everybody")
	}
}

func TestDeployed(t *testing.T) {
	t.Parallel()
	if (Env{}).deployed() != nil {
		t.Error("no list is not every channel")
	}
	has := Env{Channels: []message.Channel{message.Other, message.SMS}}.deployed()
	var got []message.Channel
	for _, c := range []message.Channel{message.SMS, message.Email, "fax"} { // a recipe's channel travels with other
		if has(c) {
			got = append(got, c)
		}
	}
	if !slices.Equal(got, []message.Channel{message.SMS, "fax"}) {
		t.Error(got)
	}
}
