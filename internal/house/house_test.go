package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pexko/pexko"

// imports is the table of packages: the key may import, of this module, the values and the leaves below.
// It is the order of the stages; an arrow that points back up is a design change and belongs here with its reason.
var imports = map[string][]string{
	"project":      {},
	"wheel":        {},
	"lock":         {"wheel"},
	"bytecode":     {},
	"base":         {"wheel", "bytecode"},
	"pex":          {"wheel", "lock"},
	"warm":         {"wheel", "bytecode", "base", "pex"},
	"layering":     {},
	"image":        {"wheel", "base", "layering"},
	"registry":     {},
	"":             {"project", "wheel", "lock", "bytecode", "base", "pex", "warm", "layering", "image", "registry"},
	"internal/ui":  {""},
	"internal/cli": {"", "project", "registry", "base", "internal/ui"},
	"cmd/pexko":    {"internal/cli"},
}

// leaves may be imported by every stage; they import other leaves alone.
var leaves = []string{"internal/archive", "internal/cas", "internal/pep", "internal/tree"}

// modules names who may import a library that would otherwise spread.
var modules = map[string][]string{
	"github.com/google/go-containerregistry/pkg/v1/remote": {"registry"},
	"github.com/google/go-containerregistry/pkg/authn":     {"registry"},
	"github.com/spf13/cobra":                               {"internal/cli"},
	"github.com/lmittmann/tint":                            {"internal/ui"},
	"golang.org/x/term":                                    {"internal/cli", "internal/ui"},
	"os/exec":                                              {"pex", "bytecode", "registry"}, // registry: podman load, docker load
}

// only says which calls belong to the command line: a stage gets these things from its caller.
var only = map[string]string{
	"os.Exit": "internal/cli", "os.Getenv": "internal/cli", "os.LookupEnv": "internal/cli", "os.Environ": "internal/cli",
	"os.Chdir": "", "os.Stdout": "internal/cli", "os.Stderr": "internal/cli", "os.Stdin": "internal/cli",
	"fmt.Print": "", "fmt.Println": "", "fmt.Printf": "", "time.Now": "internal/cli internal/ui",
	"log.Print": "", "log.Printf": "", "log.Println": "", "log.Fatal": "",
}

const (
	longestFunction = 100
	longestFile     = 400
)

type source struct {
	dir  string // relative to the module root, "" for the root package
	name string
	set  *token.FileSet
	file *ast.File
	size int
}

func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" || rel == "examples" || rel == "hack"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		if dir == "." {
			dir = ""
		}
		all = append(all, source{dir, filepath.ToSlash(rel), set, file, strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stage is the entry of the table that a directory belongs to: base/debian belongs to base.
func stage(dir string) string {
	for d := dir; d != "." && d != ""; d = filepath.ToSlash(filepath.Dir(d)) {
		if _, ok := imports[d]; ok || slices.Contains(leaves, d) {
			return d
		}
	}
	return dir
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, s := range sources(t) {
		from := stage(s.dir)
		if from == "internal/testenv" || from == "internal/house" {
			continue // tests' own
		}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if who, ok := modules[path]; ok && !slices.Contains(who, from) {
				t.Errorf("%s imports %s, which is for %v alone", s.name, path, who)
			}
			to, inside := strings.CutPrefix(path, module)
			to = stage(strings.TrimPrefix(to, "/"))
			if inside && to != from && !slices.Contains(leaves, to) && !slices.Contains(imports[from], to) {
				t.Errorf("%s: %q may not import %q", s.name, from, to)
			}
		}
	}
}

func TestOnlyTheCommandLineTouchesTheProcess(t *testing.T) {
	for _, s := range sources(t) {
		if s.dir == "internal/testenv" || s.dir == "cmd/pexko" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Obj != nil {
				return true
			}
			who, listed := only[pkg.Name+"."+sel.Sel.Name]
			if listed && !slices.Contains(strings.Fields(who), s.dir) {
				t.Errorf("%s: %s.%s is not for package %q", s.set.Position(n.Pos()), pkg.Name, sel.Sel.Name, s.dir)
			}
			return true
		})
	}
}

func TestFunctionsAndFilesStayShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.size > longestFile {
			t.Errorf("%s has %d lines, more than %d", s.name, s.size, longestFile)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if lines > longestFunction {
				t.Errorf("%s: %s has %d lines, more than %d", s.set.Position(f.Pos()), f.Name.Name, lines, longestFunction)
			}
		}
	}
}

func TestExportsAndPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	all := sources(t)
	for _, s := range all {
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
	}
	for _, s := range all {
		if !documented[s.dir] {
			t.Errorf("package %q has no package comment", s.dir)
			documented[s.dir] = true
		}
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.set.Position(d.Pos()), name)
			}
		}
	}
}

// undocumented names the exports of a declaration that no comment explains. A group's comment serves its members.
func undocumented(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Name.Name != "Unwrap" && d.Doc == nil && (d.Recv == nil || exportedReceiver(d)) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if spec.Names[0].IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}
