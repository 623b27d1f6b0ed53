package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

// StaticEgress puts what calls providers behind one address, and nothing else; without it nothing is in a network.
func TestStaticEgress(t *testing.T) {
	t.Parallel()
	inside := func(res resource) bool { return res.Properties["VpcConfig"] != nil }
	for _, on := range []bool{false, true} {
		r := root(t, map[string]string{"StaticEgress": map[bool]string{true: "on", false: "off"}[on]})
		for name, want := range map[string]bool{"Admin": on, "Receipt": on, "Ingest": false, "Schedule": false, "Alarm": false} {
			if got := inside(r.Resources[name]); got != want {
				t.Errorf("with StaticEgress %v, %s is in a network: %v", on, name, got)
			}
		}
		told := r.Resources["Admin"].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)["NOTIFY_EGRESS"]
		if want := map[bool]string{true: "<Network.Outputs.Address>", false: ""}[on]; told != want {
			t.Errorf("with StaticEgress %v, admin is told that providers see %q", on, told)
		}
		channel := nested(t, r, message.SMS)
		if inside(channel.Resources["Deliver"]) != on {
			t.Errorf("with StaticEgress %v, deliver is in a network: %v", on, !on)
		}
		for name, res := range map[string]resource{"deliver": channel.Resources["DeliverRole"], "admin": r.Resources["AdminRole"], "receipt": r.Resources["ReceiptRole"]} {
			if may := slices.Contains(list(res.Properties["ManagedPolicyArns"]), "<Interfaces>"); may != on {
				t.Errorf("with StaticEgress %v, %s may be in a network: %v", on, name, may)
			}
		}
	}
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
	policy := fmt.Sprint(root(t, map[string]string{"StaticEgress": "on"}).Resources["Interfaces"].Properties["PolicyDocument"])
	for _, action := range []string{"CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"} {
		if !strings.Contains(policy, "ec2:"+action) {
			t.Errorf("a function in the network may not %s", action)
		}
	}
	network, err := os.ReadFile("network.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(string(network), "  Address:\n")
	if !strings.HasPrefix(address, "    Type: AWS::EC2::EIP\n    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n") {
		t.Error("the address that providers allow goes with the stack")
	}
}

// A table that was restored is the only one that anything uses; the stack's own stays beside it.
func TestRestoredTable(t *testing.T) {
	t.Parallel()
	r := root(t, map[string]string{"RestoredTable": "notify-restored"})
	if r.Resources["Table"].Type != "AWS::DynamoDB::Table" {
		t.Error("the stack's own table goes")
	}
	all := []template{r}
	for _, info := range message.Channels() {
		all = append(all, nested(t, r, info.Channel))
	}
	const arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/notify-restored"
	tables := 0
	for _, of := range all {
		for name, res := range of.Resources {
			text := fmt.Sprint(res.Properties)
			if strings.Contains(text, "<Table") {
				t.Errorf("%s uses the stack's own table: %s", name, text)
			}
			tables += strings.Count(text, arn)
		}
	}
	if roles := 4 + len(message.Channels()); tables < roles {
		t.Errorf("the restored table is named %d times, want %d or more", tables, roles)
	}
	if got := r.Globals["Function"]["Environment"].(map[string]any)["Variables"].(map[string]any)["NOTIFY_TABLE"]; got != "notify-restored" {
		t.Errorf("functions are told to use %v", got)
	}
}

// A domain is put in front of whichever API there is.
func TestDomain(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"http": "<HttpApi> <HttpStage>", "rest": "<RestApi> <RestApi.Stage>"} {
		r := root(t, map[string]string{"ApiType": kind, "Domain": "notify.example.com", "Certificate": "arn"})
		p := r.Resources["DomainStack"].Properties["Parameters"].(map[string]any)
		if got := fmt.Sprint(p["Api"], " ", p["StageName"]); got != want || p["Domain"] != "notify.example.com" {
			t.Errorf("%s: the domain leads to %s", kind, got)
		}
	}
	if _, there := root(t, map[string]string{"Domain": ""}).Resources["DomainStack"]; there {
		t.Error("a domain without a name")
	}
}

// Whoever serves the console is told what the world outside is, by parameters; docs/console.md names only some that
// there are, and what the command reads of a stack are its parameters too.
func TestOutside(t *testing.T) {
	t.Parallel()
	read := func(path, pattern string) (names []string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		if len(names) == 0 {
			t.Errorf("%s names nothing", path)
		}
		return names
	}
	r := root(t, map[string]string{"OidcTrustEmail": "on"})
	told := maps.Clone(r.Globals["Function"]["Environment"].(map[string]any)["Variables"].(map[string]any))
	maps.Copy(told, r.Resources["Admin"].Properties["Environment"].(map[string]any)["Variables"].(map[string]any))
	for _, name := range read("../pkg/wire/outside.go", `(?:get|number)\("(NOTIFY_[A-Z_]+)"`) {
		if _, ok := told[name]; !ok {
			t.Errorf("admin is not told %s", name)
		}
	}
	if trust := told["NOTIFY_OIDC_TRUST_EMAIL"]; trust != "true" {
		t.Errorf("with OidcTrustEmail=on admin is told %v", trust)
	}
	named := append(read("../docs/console.md", "`((?:Oidc|Public)[A-Za-z]+)`"), read("../pkg/onaws/stack/find.go", `parameters\["(\w+)"\]`)...)
	for _, name := range append(named, "OidcTrustEmail") {
		if _, ok := r.Parameters[name]; !ok {
			t.Errorf("there is no parameter %s", name)
		}
	}
	if !slices.Contains(named, "OidcTrustEmail") {
		t.Error("OidcTrustEmail is named nowhere")
	}
}

// Alarms roll a deployment back: the script sets them on the stack, keeps its template, parameters and tags, and takes the
// stack's own pages, its first, whatever lies beside it. The AWS CLI is a stand-in that writes down what it is asked.
func TestGuard(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, c := range every() {
		pages = append(pages, "main-"+string(c)+"-page")
	}
	for _, tc := range []struct {
		how   string
		there []string // in the order of the alphabet, as CloudWatch lists them
		want  []string
		says  string
	}{
		{"10", []string{"main-dev-page", "main-other-page", "main-page", "main-sms-page"}, []string{"main-page", "main-sms-page", "main-other-page"}, ""},
		{"30", append(slices.Sorted(slices.Values(pages)), "main-page"), []string{"main-page", "main-sms-page", "main-email-page", "main-push-page", "main-feishu-page"}, "main-other-page does not roll back"},
		{"10", []string{"main-dev-page"}, nil, "stack main has no pages"},
		{"off", append(slices.Sorted(slices.Values(pages)), "main-page"), []string{}, ""},
	} {
		asked, said, err := guard(t, tc.how, tc.there)
		if !strings.Contains(said, tc.says) || tc.says == "" && said != "" || (err == nil) != (tc.want != nil) {
			t.Errorf("%s: %v, %q", tc.how, err, said)
		}
		_, update, ok := strings.Cut(asked, "cloudformation update-stack ")
		if ok != (tc.want != nil) {
			t.Errorf("%s: asked for %s", tc.how, asked)
		}
		if !ok {
			continue
		}
		if names := "--alarm-names main-page " + strings.Join(pages, " ") + " --"; tc.how != "off" && !strings.Contains(asked, names) {
			t.Errorf("asked for %s, want %s", asked, names)
		}
		for _, kept := range []string{"--use-previous-template", `--parameters [{"ParameterKey":"Stage","UsePreviousValue":true}]`, `--tags [{"Key":"team","Value":"a b"}]`} {
			if !strings.Contains(update, kept) {
				t.Errorf("%s: %q is not in %s", tc.how, kept, update)
			}
		}
		_, configuration, _ := strings.Cut(update, "--rollback-configuration ")
		var got struct {
			MonitoringTimeInMinutes int
			RollbackTriggers        []struct{ Arn, Type string }
		}
		if err := json.NewDecoder(strings.NewReader(configuration)).Decode(&got); err != nil {
			t.Errorf("%s: %v: %s", tc.how, err, configuration)
		}
		names := []string{}
		for _, trigger := range got.RollbackTriggers {
			names = append(names, strings.TrimPrefix(trigger.Arn, "arn:aws:cloudwatch:eu-west-1:1:alarm:"))
			if trigger.Type != "AWS::CloudWatch::CompositeAlarm" {
				t.Errorf("%+v", trigger)
			}
		}
		if minutes := strings.TrimPrefix(tc.how, "off") + map[bool]string{true: "0"}[tc.how == "off"]; !slices.Equal(names, tc.want) || fmt.Sprint(got.MonitoringTimeInMinutes) != minutes {
			t.Errorf("%s: %v within %d minutes, want %v", tc.how, names, got.MonitoringTimeInMinutes, tc.want)
		}
	}
}

// guard runs the script for stack main, beside such pages.
func guard(t *testing.T, how string, there []string) (asked, said string, err error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "asked")
	stand := `#!/bin/sh
printf '%s\n' "$*" >>` + file + `
case "$*" in
"cloudwatch describe-alarms "*) for name in ` + strings.Join(there, " ") + `; do case "$*" in *" $name "*) printf 'arn:aws:cloudwatch:eu-west-1:1:alarm:%s\t' $name ;; esac; done ;;
*"Parameters[]"*) printf '[{"ParameterKey":"Stage","UsePreviousValue":true}]' ;;
*"Tags["*) printf '[{"Key":"team","Value":"a b"}]' ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(stand), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "../tools/guard.sh", "main", how)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	text, unread := os.ReadFile(file)
	if unread != nil {
		t.Fatal(unread)
	}
	return string(text), string(out), err
}

// Functions are built for the processor that the environment's parameters name: another's do not start, and the deployment
// would go through.
func TestBuiltForItsProcessor(t *testing.T) {
	t.Parallel()
	makefile, err := filepath.Abs("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		dev, arch, want string
	}{{"Stage=dev", "", "arm64"}, {"Stage=dev Architecture=x86_64", "", "amd64"}, {"Stage=dev Architecture=x86_64", "amd64", "amd64"}, {"Stage=dev Architecture=arm64", "", "arm64"}, {"Stage=dev", "amd64", ""}} {
		dir := t.TempDir()
		config := "[dev.deploy.parameters]\nparameter_overrides = \"" + tc.dev + "\"\n[prod.deploy.parameters]\nparameter_overrides = \"Stage=prod Architecture=x86_64\"\n"
		for name, text := range map[string]string{"samconfig.toml": config, "sam": "#!/bin/sh\necho \"$1 $ARCH\" >>asked\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		argv := []string{"-C", dir, "-f", makefile, "deploy", "ENV=dev", "SAM=./sam", "CONSOLE=true"}
		if tc.arch != "" {
			argv = append(argv, "ARCH="+tc.arch)
		}
		out, err := exec.CommandContext(t.Context(), "make", argv...).CombinedOutput()
		asked, _ := os.ReadFile(filepath.Join(dir, "asked"))
		if built := strings.HasPrefix(string(asked), "build "+tc.want+"\n"); (err == nil) != (tc.want != "") || tc.want != "" && !built || tc.want == "" && len(asked) > 0 {
			t.Errorf("%+v: %v, %q\n%s", tc, err, asked, out)
		}
	}
}

// What is deployed has the console in it: the functions embed what is built, and a placeholder where nothing is.
func TestConsoleIsBuiltFirst(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{{"deploy", "ENV=prod"}, {"deploy-local", "AWS_ENDPOINT_URL=http://127.0.0.1:1"}} {
		out, err := exec.CommandContext(t.Context(), "make", append([]string{"-C", "..", "-n"}, argv...)...).CombinedOutput()
		console, sam := strings.Index(string(out), "tools/console.sh"), strings.Index(string(out), "sam build")
		if err != nil || console < 0 || sam < 0 || console > sam {
			t.Errorf("make %s: %v\n%s", argv[0], err, out)
		}
	}
}
