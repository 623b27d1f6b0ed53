// Package notify_test holds the rules that the compiler cannot: who may import whom, what may not be
// called, and how long a file may be. Each row has its reason. The checkers are in rules_check_test.go,
// and testdata/rules proves that each of them bites.
package notify_test

// A pattern is a path: itself, "x/*" (what is directly in it), "x/..." (it and all below), or "pkg/**test"
// (the conformance suites). Our packages are written from the repository's root, others as imported.

// layers is the order of our packages: one may import what is in lower layers, and in its own unless its
// row is alone. The first row that matches counts.
var layers = []struct {
	layer    int
	packages []string
	alone    bool // imports nothing of its own layer but what is below its own folder
	why      string
}{
	{7, []string{"pkg/**test", "pkg/sim", "pkg/sim/...", "deploy/...", "bench/..."}, false, "suites and worlds for tests may use everything"},
	{6, []string{"functions/*", "cmd/..."}, false, "a main says what it is made of"},
	{0, []string{"pkg/message"}, true, "the words everyone shares are readable alone"},
	{1, []string{"pkg/problem", "pkg/address", "pkg/address/...", "pkg/audience", "pkg/template", "pkg/route", "pkg/limit", "pkg/breaker", "pkg/tenant", "pkg/suppress", "pkg/cost", "pkg/alarm"}, false, "ideas are pure: values in, values out"},
	{5, []string{"pkg/wire/...", "pkg/httpapi/...", "pkg/onlambda/...", "pkg/onaws/...", "pkg/local/..."}, false, "the two worlds and their edges"},
	{2, []string{"recipes", "web", "docs", "client", "client/..."}, false, "embedded data, and the Go client"},
	{2, []string{"pkg/store", "pkg/queue", "pkg/timer", "pkg/seal", "pkg/secret", "pkg/blob", "pkg/bus", "pkg/config", "pkg/quota", "pkg/provider", "pkg/telemetry"}, false, "a port knows no driver"},
	// In a port's folder, yet no driver: what ports and their drivers stand on.
	{2, []string{"pkg/provider/catalog", "pkg/provider/guard", "pkg/provider/accounts", "pkg/provider/sign", "pkg/provider/token", "pkg/timer/cron"}, false, "a port knows no driver"},
	{2, []string{"pkg/job"}, false, "work in pages is what use cases stand on, and knows none of them"},
	{3, []string{"pkg/provider/recipe"}, false, "the engine stands between the port and the list of senders"},
	{3, []string{"pkg/provider/amazon"}, false, "what several senders share stands below them"},
	{3, []string{"pkg/intake", "pkg/delivery", "pkg/receipt", "pkg/campaign", "pkg/sweep", "pkg/trace", "pkg/operate", "pkg/stats", "pkg/notice", "pkg/redrive", "pkg/callback", "pkg/canary", "pkg/audit"}, true, "use cases meet through records and queues, as in production"},
	{5, []string{"pkg/provider/senders"}, false, "the list of coded providers"},
	{4, []string{"pkg/store/*", "pkg/queue/*", "pkg/timer/*", "pkg/seal/*", "pkg/secret/*", "pkg/blob/*", "pkg/bus/*", "pkg/config/*", "pkg/provider/...", "pkg/telemetry/*"}, true, "adapters are replaceable; each knows its port only"},
}

// imports is what may not be imported directly, by files that are not tests.
var imports = []struct {
	packages, except []string
	banned           []string
	why, fix         string
}{
	{
		packages: []string{"pkg/message"}, banned: []string{"third-party", "ours"},
		why: "the words everyone shares are readable alone", fix: "use the standard library, or move the code to the package that needs it",
	},
	{
		packages: []string{"pkg/problem", "pkg/address/...", "pkg/audience", "pkg/template", "pkg/route", "pkg/limit", "pkg/breaker", "pkg/tenant", "pkg/suppress", "pkg/cost", "pkg/alarm"},
		banned:   []string{"os", "os/...", "io/fs", "io/ioutil", "net", "net/http/httputil", "net/http/httptest", "database/sql/...", "log/...", "syscall"},
		why:      "pure ideas make fuzzing and properties cheap", fix: "take the value as an argument; do the I/O in a use case or an adapter",
	},
	{
		packages: []string{"pkg/..."}, except: []string{"pkg/address/phone", "pkg/**test"},
		banned: []string{"github.com/nyaruka/phonenumbers/..."},
		why:    "it adds 6 MB and 6 to 8 ms of start to every binary that links it", fix: "parse at intake, through pkg/address/phone",
	},
	{
		packages: []string{"pkg/store", "pkg/queue", "pkg/timer", "pkg/seal", "pkg/secret", "pkg/blob", "pkg/bus", "pkg/config", "pkg/quota", "pkg/provider", "pkg/telemetry", "pkg/job", "pkg/intake", "pkg/delivery", "pkg/receipt", "pkg/campaign", "pkg/sweep", "pkg/trace", "pkg/operate", "pkg/stats", "pkg/notice", "pkg/redrive", "pkg/callback", "pkg/canary", "pkg/audit", "pkg/httpapi/...", "pkg/wire/..."},
		banned:   []string{"github.com/aws/...", "database/sql/...", "modernc.org/..."},
		why:      "what knows AWS or SQL runs in one world only", fix: "put it in an adapter folder behind the port",
	},
	{
		packages: []string{"pkg/..."}, except: []string{"pkg/store/sqlite", "pkg/local/...", "pkg/sim/...", "pkg/**test"},
		banned: []string{"database/sql/...", "modernc.org/...", "pkg/store/sqlite"},
		why:    "a Lambda never links SQLite", fix: "only pkg/store/sqlite and pkg/local know SQL",
	},
	{
		packages: []string{"pkg/local/..."},
		banned:   []string{"github.com/aws/aws-lambda-go/...", "pkg/onaws/...", "pkg/onlambda/...", "pkg/store/dynamo", "pkg/queue/sqs", "pkg/timer/eventbridge"},
		why:      "neither world drags in the other; they differ only in Backend", fix: "share it through pkg/wire",
	},
	{
		packages: []string{"pkg/onaws/...", "pkg/onlambda/..."},
		banned:   []string{"pkg/local/...", "pkg/store/sqlite", "pkg/queue/memory", "pkg/timer/memory"},
		why:      "neither world drags in the other; they differ only in Backend", fix: "share it through pkg/wire",
	},
	{
		packages: []string{"..."}, except: []string{"pkg/provider/senders", "pkg/provider/...", "pkg/**test"},
		banned: []string{"provider"}, // a folder with a provider.yaml
		why:    "a provider is one folder and one line, in pkg/provider/senders", fix: "look it up in senders",
	},
	{
		packages: []string{"functions/*", "cmd/...", "pkg/..."}, except: []string{"pkg/**test", "pkg/sim/..."},
		banned: []string{"testing", "testing/...", "net/http/httptest", "github.com/google/go-cmp/...", "pgregory.net/rapid", "golang.org/x/tools/...", "pkg/**test"},
		why:    "what is for tests must not be in users' binaries", fix: "move it to a _test.go file or to the …test suite",
	},
	{
		packages: []string{"functions/*", "pkg/..."}, except: []string{"pkg/sim/...", "pkg/**test"}, banned: []string{"pkg/sim/...", "pkg/store/memory"},
		why: "the virtual world and its store are for tests and the bench", fix: "depend on the port, and let the test hand in the world",
	},
	{
		packages: []string{"functions/*", "pkg/..."}, except: []string{"pkg/local/..."}, banned: []string{"text/template", "html/template", "net/rpc"},
		why: "they make the linker keep every method: a Lambda grows by a quarter", fix: "pkg/template renders; fmt and strings.Builder do the rest",
	},
	{
		packages: []string{"..."}, banned: []string{"math/rand"},
		why: "math/rand/v2 has replaced it", fix: "take a *rand.Rand of math/rand/v2, seeded by the caller",
	},
}

// reaches is what a binary may not link, however indirectly.
var reaches = []struct {
	mains, except []string
	banned        []string
	why           string
}{
	{[]string{"functions/*"}, nil, []string{"database/sql", "modernc.org/...", "testing", "net/rpc", "pkg/local/...", "pkg/sim/...", "pkg/store/memory", "pkg/**test"}, "a Lambda links neither SQLite nor what is for tests"},
	{[]string{"functions/ingest", "functions/schedule"}, nil, []string{"pkg/provider/senders", "pkg/provider/recipe", "github.com/expr-lang/...", "github.com/aws/aws-sdk-go-v2/service/sesv2", "net/smtp", "text/template", "html/template"}, "they record and enqueue; only deliver speaks to providers, so their start stays short"},
	{[]string{"functions/alarm"}, nil, []string{"pkg/store/*", "pkg/queue/*", "github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/service/sqs", "pkg/delivery", "pkg/intake", "pkg/wire/..."}, "it tells of alarms when the table or the queues are what is broken"},
	{[]string{"functions/deliver"}, nil, []string{"github.com/nyaruka/phonenumbers"}, "numbers were parsed at intake; the tables cost 6 to 8 ms of every cold start"},
	{[]string{"cmd/..."}, nil, []string{"testing", "pkg/**test"}, "a test's flags and code in a user's command"},
}

// calls is what may not be used, by files that are not tests, in pkg and functions. names: "*" is all of
// the package but those in but.
var calls = []struct {
	path     string
	names    []string
	but      []string
	why, fix string
	allow    map[string]string // pattern → why there
}{
	{
		path: "time", names: []string{"Now", "Since", "Until"},
		why: "a clock that is read cannot be tested", fix: "take now as an argument, or Backend's clock",
		allow: map[string]string{
			"pkg/onaws":       "gives Backend its clock",
			"pkg/onaws/robot": "gives the robot its clock: it has no Backend",
			"pkg/local":       "gives Backend its clock",
			"pkg/**test":      "suites run in real time",
			"pkg/onlambda":    "an event's deadline is in real time",
		},
	},
	{
		path: "time", names: []string{"Sleep"},
		why: "a sleep cannot be interrupted, and a test cannot wait for it", fix: "select on a timer and ctx.Done()",
	},
	{
		path: "math/rand/v2", names: []string{"*"}, but: []string{"New", "Rand", "Source", "PCG", "NewPCG", "ChaCha8", "NewChaCha8", "Zipf", "NewZipf"},
		why: "global randomness cannot be repeated", fix: "take a *rand.Rand, or Backend's Chance",
		allow: map[string]string{
			"pkg/onaws": "gives Backend its chance",
			"pkg/local": "gives Backend its chance",
		},
	},
	{
		path: "os", names: []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
		why: "configuration that hides in the environment cannot be seen in a signature", fix: "read it in main or pkg/onaws and hand it in",
		allow: map[string]string{
			"functions/*":  "main is where configuration enters",
			"pkg/onaws":    "reads the function's environment, once, into a struct",
			"pkg/onlambda": "reads what the Lambda runtime says of itself",
		},
	},
	{
		path: "context", names: []string{"Background", "TODO"},
		why: "work without the caller's context outlives its deadline", fix: "take ctx as the first argument; context.WithoutCancel keeps its values",
		allow: map[string]string{
			"functions/*":      "main is where the context begins",
			"pkg/onaws":        "a cold start has no caller",
			"pkg/onlambda":     "the runtime's loop has no caller",
			"pkg/local/...":    "its loops live as long as the process",
			"pkg/queue/memory": "its workers live until Close, not until a caller goes",
			"pkg/timer/memory": "its loop lives until Close",
			"pkg/store/sqlite": "one commit serves many callers: none of them may cancel it for the others",
			"pkg/sim/...":      "the world has no caller",
			"pkg/**test":       "suites start the work",
		},
	},
}

// mutable is package-level state that is allowed: "folder.name" → why.
var mutable = map[string]string{}

// Sizes, in lines. What is longer has two ideas in it.
const (
	maxFile     = 400
	maxFunction = 70
	maxMain     = 40 // of functions/*/main.go
)

// vagueNames say nothing of what is inside.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "base", "shared", "lib"}
