package notify_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/opennotify/notify"

// finding is one broken rule.
type finding struct {
	where          token.Position
	what, why, fix string
}

func (f finding) String() string {
	return fmt.Sprintf("%s: %s\n\twhy: %s\n\tfix: %s", f.where, f.what, f.why, f.fix)
}

// descriptor is the file that makes a folder a provider.
const descriptor = "provider.yaml"

// readTree reads the .go files of our module, and sees which folders are providers.
func readTree(root fs.FS) (map[string][]byte, error) {
	sources := map[string][]byte{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // an editor's temporary file
			return nil
		}
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name == "." {
				return nil
			}
			_, err := fs.Stat(root, path.Join(name, "go.mod"))
			skip := err == nil || base[0] == '.' || base[0] == '_' ||
				slices.Contains([]string{"testdata", "node_modules", "bin", "dist", "data"}, base)
			if skip {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) == ".go" || base == descriptor {
			sources[name], err = fs.ReadFile(root, name)
		}
		return err
	})
	return sources, err
}

// folder is one package's files that are not tests.
type folder struct {
	path  string
	files []*ast.File
	info  *types.Info
	pkg   *types.Package
}

// check is every rule over a tree of sources, in the order of the places.
func check(t *testing.T, sources map[string][]byte) []finding {
	t.Helper()
	fset := token.NewFileSet()
	folders, providers := map[string]*folder{}, map[string]bool{}
	var findings []finding
	for name, text := range sources {
		if path.Base(name) == descriptor {
			providers[path.Dir(name)] = true
			continue
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		dir := path.Dir(name)
		if folders[dir] == nil {
			folders[dir] = &folder{path: dir}
		}
		folders[dir].files = append(folders[dir].files, file)
		if !ast.IsGenerated(file) {
			findings = append(findings, checkSizes(fset, name, text, file)...)
		}
	}
	for _, f := range folders {
		f.resolve(fset)
		findings = append(findings, checkFolder(f)...)
		for _, file := range f.files {
			findings = append(findings, checkImports(fset, f.path, file, providers)...)
		}
		findings = append(findings, checkCalls(fset, f)...)
		findings = append(findings, checkState(fset, f)...)
	}
	slices.SortFunc(findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.where.Filename, b.where.Filename), cmp.Compare(a.where.Line, b.where.Line), cmp.Compare(a.what, b.what))
	})
	// One import may break two rules; one reason is enough to begin with.
	findings = slices.CompactFunc(findings, func(a, b finding) bool { return a.where == b.where && a.what == b.what })
	return findings
}

// resolve finds what each identifier means, as far as that can be known without the imports.
func (f *folder) resolve(fset *token.FileSet) {
	f.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: emptyImporter{}, Error: func(error) {}}
	f.pkg, _ = config.Check(f.path, fset, f.files, f.info)
}

// emptyImporter gives packages with nothing in them: their names are enough here.
type emptyImporter struct{}

var majorVersion = regexp.MustCompile(`^v\d+$`)

func (emptyImporter) Import(p string) (*types.Package, error) {
	name := path.Base(p)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(p))
	}
	pkg := types.NewPackage(p, name)
	pkg.MarkComplete()
	return pkg, nil
}

// at is a place without its column: that would only be in the way.
func at(fset *token.FileSet, pos token.Pos) token.Position {
	p := fset.Position(pos)
	return token.Position{Filename: p.Filename, Line: p.Line}
}

// whole is a place that is a whole file or folder.
func whole(name string) token.Position { return token.Position{Filename: name} }

func checkSizes(fset *token.FileSet, name string, text []byte, file *ast.File) (findings []finding) {
	limit, why := maxFile, "a file holds one idea"
	if ok, _ := path.Match("functions/*/main.go", name); ok {
		limit, why = maxMain, "a main says what its function is made of, and nothing else"
	}
	if lines := bytes.Count(text, []byte("\n")); lines > limit {
		findings = append(findings, finding{whole(name), fmt.Sprintf("%d lines, at most %d", lines, limit), why, "split it by idea, or move code into a package"})
	}
	for _, decl := range file.Decls {
		fn, isFunc := decl.(*ast.FuncDecl)
		if !isFunc {
			continue
		}
		if lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1; lines > maxFunction {
			findings = append(findings, finding{at(fset, fn.Pos()), fmt.Sprintf("func %s has %d lines, at most %d", fn.Name.Name, lines, maxFunction), "a function does one thing", "split it"})
		}
		if fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, finding{at(fset, fn.Pos()), "func init", "importing a package must do nothing", "make it a function that somebody calls, or the value of a variable"})
		}
	}
	return findings
}

// checkFolder: every package has a place in the layers, a telling name and a sentence.
func checkFolder(f *folder) (findings []finding) {
	if slices.Contains(vagueNames, path.Base(f.path)) {
		findings = append(findings, finding{whole(f.path), "a vague name", "a package is one noun that says what is inside", "name it after its idea, or move the code to where it is used"})
	}
	if !slices.ContainsFunc(f.files, func(file *ast.File) bool { return file.Doc != nil }) {
		findings = append(findings, finding{whole(f.path), "no package comment", "a reader asks first what a package is for", "write doc.go"})
	}
	if layerOf(f.path) < 0 && f.path != "." {
		findings = append(findings, finding{whole(f.path), "has no layer", "the architecture is who may import whom", "add it to a row of layers in rules_test.go"})
	}
	return findings
}

func checkImports(fset *token.FileSet, from string, file *ast.File, providers map[string]bool) (findings []finding) {
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		to := strings.TrimPrefix(imported, module+"/")
		add := func(why, fix string) {
			findings = append(findings, finding{at(fset, spec.Pos()), from + " imports " + to, why, fix})
		}
		for _, r := range imports {
			if matchAny(r.packages, from) && !matchAny(r.except, from) && banned(r.banned, imported, providers) {
				add(r.why, r.fix)
			}
		}
		if to == imported {
			continue
		}
		mine, theirs := layerOf(from), layerOf(to)
		switch {
		case mine < 0 || theirs < 0: // told by checkFolder
		case theirs > mine:
			add(fmt.Sprintf("layer %d must not know layer %d", mine, theirs), "declare the small interface you need, and let pkg/wire hand it in")
		case theirs == mine && layers[layerRow(from)].alone && !strings.HasPrefix(to, from+"/"):
			add(layers[layerRow(from)].why, "meet through a record, a queue or an interface; pkg/wire joins them")
		}
	}
	return findings
}

// devInbox is a provider that is more: its Inbox is what local and tests show.
const devInbox = "pkg/provider/devinbox"

// banned tells whether an import is one of the patterns, or of the words ours, third-party and provider.
func banned(patterns []string, imported string, providers map[string]bool) bool {
	to, ours := strings.CutPrefix(imported, module+"/")
	for _, p := range patterns {
		switch {
		case p == "ours":
			if ours {
				return true
			}
		case p == "third-party":
			if first, _, _ := strings.Cut(imported, "/"); !ours && strings.Contains(first, ".") {
				return true
			}
		case p == "provider":
			if providers[to] && to != devInbox {
				return true
			}
		case match(p, to):
			return true
		}
	}
	return false
}

func checkCalls(fset *token.FileSet, f *folder) (findings []finding) {
	if !matchAny([]string{"pkg/...", "functions/*"}, f.path) {
		return nil
	}
	for _, file := range f.files {
		ast.Inspect(file, func(n ast.Node) bool {
			sel, isSel := n.(*ast.SelectorExpr)
			if !isSel {
				return true
			}
			x, isIdent := sel.X.(*ast.Ident)
			if !isIdent {
				return true
			}
			pkg, isPkg := f.info.Uses[x].(*types.PkgName)
			if !isPkg {
				return true
			}
			for _, r := range calls {
				hit := slices.Contains(r.names, sel.Sel.Name) || r.names[0] == "*" && !slices.Contains(r.but, sel.Sel.Name)
				allowed := false
				for where := range r.allow {
					allowed = allowed || match(where, f.path)
				}
				if pkg.Imported().Path() == r.path && hit && !allowed {
					findings = append(findings, finding{at(fset, sel.Pos()), "uses " + r.path + "." + sel.Sel.Name, r.why, r.fix})
				}
			}
			return true
		})
	}
	return findings
}

// checkState finds package-level variables that functions change, or whose types exist to be changed.
func checkState(fset *token.FileSet, f *folder) (findings []finding) {
	if !matchAny([]string{"pkg/...", "functions/*", "cmd/..."}, f.path) {
		return nil
	}
	global := func(id *ast.Ident) bool {
		v, isVar := f.info.Uses[id].(*types.Var)
		return isVar && f.pkg != nil && v.Parent() == f.pkg.Scope()
	}
	add := func(pos token.Pos, name, what string) {
		if mutable[f.path+"."+name] == "" {
			findings = append(findings, finding{at(fset, pos), "package-level " + name + what, "two tests, or two tenants, share what is global", "put it in the struct that New returns"})
		}
	}
	changed := func(e ast.Expr) {
		if id := root(e); id != nil && global(id) {
			add(e.Pos(), id.Name, " is changed by a function")
		}
	}
	for _, file := range f.files {
		for _, decl := range file.Decls {
			gen, isGen := decl.(*ast.GenDecl)
			if !isGen || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				v := spec.(*ast.ValueSpec)
				if v.Names[0].Name != "_" && f.holdsSync(v) {
					add(v.Pos(), v.Names[0].Name, " is made to be changed")
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						changed(e)
					}
				}
			case *ast.IncDecStmt:
				changed(n.X)
			case *ast.CallExpr:
				if id, isIdent := n.Fun.(*ast.Ident); isIdent && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear"}, id.Name) {
					changed(n.Args[0])
				}
			}
			return true
		})
	}
	return findings
}

// root is the variable that an assignment to e changes: t in t.a[i].b.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// holdsSync: the declared type, or that of a literal, is of sync or sync/atomic, or a channel.
func (f *folder) holdsSync(v *ast.ValueSpec) bool {
	found := false
	look := func(e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.FuncType:
				return false
			case *ast.CallExpr: // new(sync.Map) holds it; what another call returns cannot be seen
				fn, isIdent := n.Fun.(*ast.Ident)
				return isIdent && (fn.Name == "new" || fn.Name == "make")
			case *ast.ChanType:
				found = true
			case *ast.SelectorExpr:
				if x, isIdent := n.X.(*ast.Ident); isIdent {
					pkg, isPkg := f.info.Uses[x].(*types.PkgName)
					found = found || isPkg && strings.HasPrefix(pkg.Imported().Path()+"/", "sync/")
				}
			}
			return true
		})
	}
	if v.Type != nil {
		look(v.Type)
	}
	for _, e := range v.Values {
		look(e)
	}
	return found
}

func layerRow(p string) int {
	for i, r := range layers {
		if matchAny(r.packages, p) {
			return i
		}
	}
	return -1
}

func layerOf(p string) int {
	if i := layerRow(p); i >= 0 {
		return layers[i].layer
	}
	return -1
}

func matchAny(ps []string, p string) bool {
	return slices.ContainsFunc(ps, func(pattern string) bool { return match(pattern, p) })
}

// match: see the head of rules_test.go.
func match(pattern, p string) bool {
	if pattern == "..." {
		return true
	}
	if pattern == "pkg/**test" {
		return strings.HasPrefix(p, "pkg/") && strings.HasSuffix(p, "test")
	}
	if dir, all := strings.CutSuffix(pattern, "/..."); all {
		return p == dir || strings.HasPrefix(p, dir+"/")
	}
	ok, _ := path.Match(pattern, p)
	return ok
}

// existingMains are the folders of functions and cmd that have Go files.
func existingMains(t *testing.T) (mains []string) {
	t.Helper()
	for _, glob := range []string{"functions/*/*.go", "cmd/*/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			mains = append(mains, path.Dir(filepath.ToSlash(f)))
		}
	}
	return slices.Compact(mains)
}

// listDeps is the import graph below a main, with the tags that `make build` uses for a Lambda.
func listDeps(t *testing.T, main string) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Imports", "-tags", "lambda.norpc", "./"+main)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	deps := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return deps
		} else if err != nil {
			t.Fatal(err)
		}
		deps[p.ImportPath] = p.Imports
	}
}

// checkReaches tells what a main links and may not, and through whom.
func checkReaches(main string, deps map[string][]string) (findings []finding) {
	// The way to each package, found breadth first: the shortest.
	way := map[string]string{}
	start := module + "/" + main
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, to := range deps[queue[0]] {
			if _, seen := way[to]; !seen && to != start {
				way[to] = queue[0]
				queue = append(queue, to)
			}
		}
	}
	for _, r := range reaches {
		if !matchAny(r.mains, main) || matchAny(r.except, main) {
			continue
		}
		for to := range deps {
			if !banned(r.banned, to, nil) {
				continue
			}
			what := "links " + strings.TrimPrefix(to, module+"/")
			var by []string
			for p := way[to]; p != "" && p != start; p = way[p] {
				by = append(by, strings.TrimPrefix(p, module+"/"))
			}
			if slices.Reverse(by); len(by) > 0 {
				what += " by " + strings.Join(by, " → ")
			}
			findings = append(findings, finding{whole(main), what, r.why, "break the way: let the package in the middle take an interface"})
		}
	}
	slices.SortFunc(findings, func(a, b finding) int { return strings.Compare(a.what, b.what) })
	return findings
}
