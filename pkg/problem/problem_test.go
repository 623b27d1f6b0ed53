package problem_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/problem"
)

var update = flag.Bool("update", false, "write docs/errors.md")

// constants reads the constants of type Code out of the source.
func constants(t *testing.T) (codes []problem.Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "Code" {
			return true
		}
		for _, e := range v.Values {
			s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, problem.Code(s))
		}
		return true
	})
	return codes
}

func TestEveryCodeIsInTheTableOnce(t *testing.T) {
	t.Parallel()
	want := constants(t)
	var got []problem.Code
	for _, k := range problem.Kinds() {
		got = append(got, k.Code)
	}
	if len(want) < 30 {
		t.Fatalf("only %d constants were found in the source", len(want))
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-constants +table\n%s", d)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	titles := map[string]problem.Code{}
	for _, k := range problem.Kinds() {
		sentence := func(s string) bool {
			return s == strings.TrimSpace(s) && strings.HasSuffix(s, ".") && s[:1] == strings.ToUpper(s[:1])
		}
		switch {
		case !form.MatchString(string(k.Code)):
			t.Errorf("%q is not of the form of a code", k.Code)
		case !sentence(k.Title) || !sentence(k.Fix):
			t.Errorf("%s: title and fix are sentences: %q %q", k.Code, k.Title, k.Fix)
		case titles[k.Title] != "":
			t.Errorf("%s has the title of %s", k.Code, titles[k.Title])
		case k.Status < 400 || k.Status > 599 || http.StatusText(k.Status) == "":
			t.Errorf("%s: status %d", k.Code, k.Status)
		}
		titles[k.Title] = k.Code
	}
	for code, want := range map[problem.Code]int{problem.Unauthorized: 401, problem.NotFound: 404, problem.KeyReused: 422, problem.RateLimited: 429, problem.DailyLimit: 429,
		problem.ChannelOff: 422, problem.Unavailable: 503, problem.Internal: 500} {
		if got := problem.New(code, "").Status(); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
	kinds := problem.Kinds()
	kinds[0].Code = "changed"
	if problem.Kinds()[0].Code == "changed" {
		t.Error("a caller can change the table")
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	e := problem.New(problem.NotFound, "there is no message %q", "x").Because(io.EOF).After(1500 * time.Millisecond)
	if e.Code != problem.NotFound || e.Status() != 404 || e.Detail != `there is no message "x"` || e.RetryAfter != 1500*time.Millisecond || !errors.Is(e, io.EOF) ||
		e.Error() != `not_found: there is no message "x": EOF` {
		t.Errorf("%v", e)
	}
	e = problem.New("no_such_code", "the number is %d", 42)
	if e.Code != problem.Internal || e.Status() != 500 || strings.Contains(e.Detail, "42") || e.Detail == "" || !strings.Contains(e.Error(), `"no_such_code": the number is 42`) {
		t.Errorf("unlisted: %v", e)
	}
	for _, e := range []*problem.Error{{}, {Code: "no_such_code"}} {
		if e.Status() != 500 || e.Title() == "" { // net/http panics at a status of 0
			t.Errorf("literal: %d %q", e.Status(), e.Title())
		}
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	one := problem.At("/to/0", problem.BadAddress, "to is not a phone number: %s", "+86…")
	e := problem.Invalid(one)
	if e.Code != problem.InvalidRequest || e.Detail != one.Detail || !strings.Contains(e.Error(), "[/to/0 bad_address]") {
		t.Errorf("%v", e)
	}
	if e = problem.Invalid(one, problem.At("/vars/x", problem.MissingVariable, "add x")); len(e.Fields) != 2 || !strings.HasPrefix(e.Detail, "2 fields") {
		t.Errorf("%v", e)
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	p := problem.New(problem.Conflict, "version 3 is kept")
	if got := problem.From(fmt.Errorf("save: %w", p)); got != p {
		t.Errorf("a wrapped problem became %v", got)
	}
	if got := problem.From(errors.Join(io.EOF, p)); got != p {
		t.Errorf("a joined problem became %v", got)
	}
	cause := fmt.Errorf("dial db.internal with s3cret: %w", io.ErrUnexpectedEOF)
	got := problem.From(cause)
	if got.Code != problem.Internal || !errors.Is(got, io.ErrUnexpectedEOF) || strings.Contains(got.Detail+got.Title(), "s3cret") || !strings.Contains(got.Error(), "s3cret") {
		t.Errorf("%v", got)
	}
}

const page = "../../docs/errors.md"

// The page of the errors is made of the table: go test ./pkg/problem -update.
func TestPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Errors

<!-- Made of pkg/problem/table.go by: go test ./pkg/problem -update -->

An error is answered as ` + "`application/problem+json`" + ` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Act on ` + "`code`" + `,
never on a text: codes are stable, texts are not. ` + "`detail`" + ` says what is wrong with this request and how to mend it,
` + "`errors`" + ` lists each faulty field with a code of its own, and ` + "`request_id`" + ` finds the request in our logs.

| status | code | meaning |
|---|---|---|
`)
	for _, k := range problem.Kinds() {
		fmt.Fprintf(&b, "| %d | [%s](#%s) | %s |\n", k.Status, k.Code, k.Code, k.Title)
	}
	for _, k := range problem.Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n**%d %s.** %s\n\n%s\n", k.Code, k.Status, http.StatusText(k.Status), k.Title, k.Fix)
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(have)); d != "" {
		t.Errorf("docs/errors.md is not what the table makes; run go test ./pkg/problem -update\n%s", d)
	}
}
