package operate_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the answers into testdata")

// canaries are in the secret values and the addresses of the cases: no answer and no log line may have one.
var canaries = []string{"CANARY", "47114711", "canary"}

// TestCases plays testdata/*.txtar: files named "key METHOD path" hold a request's body, each followed by
// one named by the status that holds the answer.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	ok(t, err)
	if len(files) < 7 {
		t.Fatalf("only %v", files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			play(t, file)
		})
	}
}

func play(t *testing.T, file string) {
	b := setup(t)
	want, err := txtar.ParseFile(file)
	ok(t, err)
	got := &txtar.Archive{Comment: want.Comment}
	for _, f := range want.Files {
		parts := strings.Fields(f.Name)
		if len(parts) != 3 {
			continue // an answer
		}
		w := b.do(parts[0], parts[1], parts[2], strings.TrimSpace(string(f.Data)))
		answer := indent(t, w.Body.Bytes())
		for _, c := range canaries {
			if bytes.Contains(answer, []byte(c)) {
				t.Errorf("%s: the answer has %s: %s", f.Name, c, answer)
			}
		}
		got.Files = append(got.Files, f, txtar.File{Name: fmt.Sprint(w.Code), Data: answer})
	}
	for _, c := range canaries {
		if strings.Contains(b.log.String(), c) {
			t.Errorf("the log has %s: %s", c, b.log)
		}
	}
	if strings.Contains(b.log.String(), `"level":"ERROR"`) {
		t.Errorf("an error was logged: %s", b.log)
	}
	if *update {
		ok(t, os.WriteFile(file, txtar.Format(got), 0o644))
		return
	}
	if d := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(got))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// indent makes an answer readable, without what differs from one request to the next.
func indent(t *testing.T, answer []byte) []byte {
	t.Helper()
	if len(answer) == 0 {
		return nil
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	ok(t, d.Decode(&tree))
	m, _ := tree.(map[string]any)
	if _, isText := m["next"].(string); isText { // it has a hash under a key of its own
		m["next"] = "…"
	}
	if path, ok := m["callback_path"].(string); ok {
		m["callback_path"] = path[:strings.LastIndexByte(path, '/')+1] + "…"
	}
	if m["status"] != nil && m["code"] != nil { // a problem
		for _, name := range []string{"request_id", "type", "title", "retry_after"} {
			delete(m, name)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	ok(t, e.Encode(tree))
	return out.Bytes()
}
