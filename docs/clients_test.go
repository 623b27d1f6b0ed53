package docs_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/local"
)

// What runs a block of each language; FILE is the block.
var runners = map[string]struct{ name, command string }{
	"sh": {"send.sh", "sh FILE"}, "go": {"main.go", "go run FILE"}, "python": {"send.py", "python3 FILE"}, "js": {"send.mjs", "node FILE"}, "java": {"Send.java", "java FILE"},
}

// vector is the published one, and what calls a verifier with it: once as it is, once with a longer body, once
// too late, once with a time that is none.
const (
	vector   = `"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="`
	timeless = `"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "soon", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="`
	said     = "true false false false"
)

var asked = map[string]string{
	"python": `
for body, now in ((b'{"test": 2432232314}', 1614265330), (b'{"test": 2432232314} ', 1614265330), (b'{"test": 2432232314}', 1614265631)):
    print(str(verify(` + vector + `, body, now)).lower(), end=" ")
print(str(verify(` + timeless + `, b'{"test": 2432232314}', 1614265330)).lower())
`,
	"js": `
for (const [body, now] of [['{"test": 2432232314}', 1614265330], ['{"test": 2432232314} ', 1614265330], ['{"test": 2432232314}', 1614265631]])
  console.log(verify(` + vector + `, Buffer.from(body), now));
console.log(verify(` + timeless + `, Buffer.from('{"test": 2432232314}'), 1614265330));
`,
	"java": `
class Main {
    public static void main(String[] args) throws Exception {
        String body = "{\"test\": 2432232314}";
        System.out.println(Webhook.verify(` + vector + `, body.getBytes(), 1614265330L));
        System.out.println(Webhook.verify(` + vector + `, (body + " ").getBytes(), 1614265330L));
        System.out.println(Webhook.verify(` + vector + `, body.getBytes(), 1614265631L));
        System.out.println(Webhook.verify(` + timeless + `, body.getBytes(), 1614265330L));
    }
}
`,
}

// TestClients runs every block of clients.md. A language that this machine lacks is named.
func TestClients(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("clients.md")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	l, err := local.Start(ctx, local.Options{Addr: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	blocks := regexp.MustCompile("(?s)```([a-z]+)( verify)?\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 8 {
		t.Fatalf("%d blocks", len(blocks))
	}
	t.Run("blocks", func(t *testing.T) {
		for _, b := range blocks {
			language, verify, text := b[1], b[2] != "", b[3]
			t.Run(language+b[2], func(t *testing.T) {
				t.Parallel()
				r := runners[language]
				if verify {
					text += asked[language]
				}
				if language == "java" && verify { // the first class of a file is started
					text = strings.Replace(text, "class Webhook {", "class Main0 { public static void main(String[] a) throws Exception { Main.main(a); } }\n\nclass Webhook {", 1)
				}
				out := run(t, l, r.name, r.command, text)
				switch id := regexp.MustCompile(`msg_[0-9a-z]{51}`).FindString(out); {
				case verify && strings.Join(strings.Fields(out), " ") != said:
					t.Errorf("it said %q, want %q", out, said)
				case !verify && id == "":
					t.Errorf("nothing was sent: %s", out)
				}
			})
		}
	})
}

// run runs a block as a program, in the environment that the page names.
func run(t *testing.T, l *local.Local, name, command, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	argv := strings.Fields(strings.ReplaceAll(command, "FILE", file))
	if _, err := exec.LookPath(argv[0]); err != nil {
		emulators.Skip(t, argv[0], "this block of clients.md was not run")
	}
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "NOTIFY_URL="+l.URL, "NOTIFY_KEY="+string(l.Key))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
