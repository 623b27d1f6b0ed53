package notify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said are the packages whose sentences the console shows as they are: what is wrong with a run, a list or a recipe.
var said = []string{"campaign", "job", "redrive", "audience", "intake", "address", "address/phone", "template", "provider/recipe", "provider/catalog"}

// unseen are those that nobody is shown, and those that only stand around another.
var (
	unseen = []string{"its failures as a file", "it fired for the first time", "no token: %s", "application/json; charset=utf-8", "the message does not fit %s", "address: no such kind of address", "%w: %q"}
	around = []string{"channel: %s", "expression: %s", "; did you mean %q?", "polls.%s %s"}
)

// Every sentence of theirs is in the console's dictionary, word for word, and nothing else is.
func TestFaultsAreInChinese(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("web/src/faults.zh.ts")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  ("(?:[^"\\]|\\.)*"): `).FindAllStringSubmatch(string(text), -1) {
		sentence, err := strconv.Unquote(m[1])
		if err != nil {
			t.Fatal(m[1], err)
		}
		known[sentence] = false
	}
	for _, name := range said {
		for _, sentence := range append(sentences(t, "pkg/"+name), around...) {
			if _, ok := known[sentence]; !ok && !slices.Contains(unseen, sentence) {
				t.Errorf("%s says %q, which web/src/faults.zh.ts does not have", name, sentence)
			}
			known[sentence] = true
		}
	}
	for sentence, used := range known {
		if !used {
			t.Errorf("nobody says %q any more", sentence)
		}
	}
}

// sentences finds what a package says to people: what it puts in the fields for that, gives to the functions for that,
// or returns as words.
func sentences(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	var out []string
	add := func(e ast.Expr) {
		if s := sentence(e); strings.Contains(strings.Trim(s, "%s "), " ") && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if _, call := n.(*ast.CallExpr); !call && (strings.Contains(file, "/intake/") || strings.Contains(file, "/template/")) {
				return true
			}
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && slices.Contains([]string{"Failed", "Paused", "Stopped", "Fault", "Reason", "Detail"}, id.Name) {
					add(n.Value)
				}
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "FileError" {
					add(n.Elts[0])
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if s, ok := to.(*ast.SelectorExpr); ok && i < len(n.Rhs) && slices.Contains([]string{"failed", "fault", "Fault", "Late"}, s.Sel.Name) {
						add(n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for _, v := range n.Values {
					add(v)
				}
			case *ast.ReturnStmt:
				for _, v := range n.Results {
					add(v)
				}
			case *ast.CallExpr:
				if speaks(n, file) {
					for _, arg := range n.Args {
						add(arg)
					}
				}
			}
			return true
		})
	}
	return out
}

// speaks tells whether a call's arguments are words for people. Of what the intake finds wrong with a message, that is
// what a whole run fails for.
func speaks(c *ast.CallExpr, file string) bool {
	if name, _ := called(c); strings.Contains(file, "/intake/") {
		if name != "add" {
			return false
		}
		s, ok := append(c.Args, nil, nil)[1].(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"UnknownTenant", "UnknownTemplate", "NotPublished", "ChannelOff", "BadAddress"}, s.Sel.Name)
	}
	if name, of := called(c); strings.Contains(file, "pkg/template/") {
		return of+"."+name == "k.fault" && strings.HasSuffix(file, "/vars.go")
	}
	switch name, of := called(c); of + "." + name {
	case ".fault", "c.fault", ".check", "v.check":
		return true
	case "problem.At":
		return strings.Contains(file, "/audience/")
	case "fmt.Errorf", "errors.New":
		return slices.ContainsFunc([]string{"/expression.go", "/recipe/template.go", "/address.go", "/mail.go", "/phone.go"}, func(end string) bool { return strings.HasSuffix(file, end) })
	}
	return false
}

func called(c *ast.CallExpr) (name, of string) {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name, ""
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return f.Sel.Name, x.Name
		}
		return f.Sel.Name, "?"
	}
	return "", "?"
}

// sentence is what an expression says, with %s for what is known only when it runs; "" for what says nothing.
func sentence(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, _ := strconv.Unquote(e.Value)
			return s
		}
	case *ast.BinaryExpr:
		if x, y := sentence(e.X), sentence(e.Y); x+y != "" {
			return or(x) + or(y)
		}
	case *ast.CallExpr:
		if name, of := called(e); of == "fmt" && name == "Sprintf" {
			return sentence(e.Args[0])
		}
	}
	return ""
}

func or(s string) string {
	if s == "" {
		return "%s"
	}
	return s
}
