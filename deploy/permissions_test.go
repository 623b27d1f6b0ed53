package deploy_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
)

var update = flag.Bool("update", false, "write testdata/permissions.txt again")

// What each role may do is written down, action by action: a wider one is seen in a review.
func TestPermissions(t *testing.T) {
	t.Parallel()
	r := root(t, nil)
	var lines []string
	for _, tmpl := range []template{r, nested(t, r, message.Email), nested(t, r, message.SMS)} {
		for name, res := range tmpl.Resources {
			lines = append(lines, granted(t, name, res)...)
		}
	}
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	const golden = "testdata/permissions.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test ./deploy -run TestPermissions -update writes it again):\n%s", golden, diff)
	}
}

// granted lists what a resource allows: "role action resource", or the service where it is a resource's own
// policy.
func granted(t *testing.T, name string, res resource) []string {
	var out []string
	policies, _ := res.Properties["Policies"].([]any)
	documents := []any{res.Properties["PolicyDocument"]}
	for _, p := range policies {
		documents = append(documents, p.(map[string]any)["PolicyDocument"])
	}
	for _, d := range documents {
		document, ok := d.(map[string]any)
		if !ok {
			continue
		}
		for _, s := range document["Statement"].([]any) {
			s := s.(map[string]any)
			who := name
			if p, ok := s["Principal"].(map[string]any); ok {
				who += " " + fmt.Sprint(p["Service"])
			}
			for _, action := range list(s["Action"]) {
				for _, on := range list(s["Resource"]) {
					if s["Effect"] == "Deny" {
						continue
					}
					if strings.Contains(action+unavoidable(action, on), "*") {
						t.Errorf("%s may %s on %s: write out which", who, action, on)
					}
					out = append(out, who+"  "+action+"  "+on)
				}
			}
		}
	}
	for _, arn := range list(res.Properties["ManagedPolicyArns"]) {
		if !strings.HasPrefix(arn, "<") {
			t.Errorf("%s has policy %s: write out what it may do", name, arn)
		}
		out = append(out, name+"  has  "+arn)
	}
	return out
}

// network is what Lambda needs to put a function into one.
var network = regexp.MustCompile(`^ec2:(Create|Delete|Describe)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$`)

// unavoidable takes off the wildcards that there is no way around: a secret's ARN ends in random characters,
// objects and schedules are made while the service runs, schedules can only be listed altogether, and a network knows no narrower resource either.
func unavoidable(action, on string) string {
	for _, end := range []string{":secret:main/accounts/*", ":secret:main/canary-*", "<Audiences.Arn>/*", "<Audiences.Arn>/runs/*", "<Audiences.Arn>/uploads/*", "<Audiences.Arn>/audiences/*", ":schedule/main-schedules/*"} {
		on = strings.TrimSuffix(on, end)
	}
	if on == "*" && (action == "scheduler:ListSchedules" || network.MatchString(action)) {
		return ""
	}
	return on
}

func list(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, fmt.Sprint(e))
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}
