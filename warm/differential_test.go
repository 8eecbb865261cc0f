package warm

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// TestVenvEqualsPexsCopies compares what is seen through the venv, links followed, with what pex's own venv
// installer copies from the same PEX: paths, contents, and which files can be executed.
func TestVenvEqualsPexsCopies(t *testing.T) {
	code := tree.Tree{
		tree.NewFile("src/shop/__init__.py", 0o644, []byte("def main(): pass\n")),
		tree.NewFile("src/shop/data/one.txt", 0o644, []byte("1")),
		tree.NewFile("src/tool.py", 0o644, []byte("print('tool')\n")),
		tree.NewFile("src/google/shop.py", 0o644, []byte("\n")),    // in a namespace that wheels share
		tree.NewFile("src/jwt/api_jws.py", 0o644, []byte("\n")),    // in place of a wheel's
		tree.NewFile("src/traitlets/own.py", 0o644, []byte("\n")),  // beside a wheel's
		tree.NewFile("src/templates/a.html", 0o644, []byte("<a>")), // no package
	}
	for _, test := range []struct{ app, base string }{
		{"namespaces", "bookworm"}, {"jupyter", "bookworm"}, {"mixed", "bookworm"}, {"mixed", "trixie"},
	} {
		t.Run(test.app+" on "+test.base, func(t *testing.T) {
			t.Parallel()
			c := newChain(t, test.base, amd64)
			wheels := append(c.wheels(test.app), oddWheels(t)...)
			f, dir := c.pex(pex.AssembleRequest{EntryPoint: "shop:main", Code: below(code, "src")}, wheels)
			root := t.TempDir()
			app := App{Name: "shop", Files: code, ImportRoots: []string{"src"}, Entry: EntryPoint{Module: "shop", Function: "main"}}
			made, err := Make(t.Context(), f, c.variant, app, nil, Options{Root: root, App: filepath.Join(root, "app"), Home: filepath.Join(root, "home")})
			check(t, err)
			check(t, made.all().Validate())
			check(t, made.all().WriteTo("/"))
			theirs := filepath.Join(t.TempDir(), "venv")
			python := testenv.Python(t, minorOf(c.variant.Python.Version))
			cmd := exec.CommandContext(t.Context(), python, dir, "venv", "--scope=all", "--site-packages-copies", "--collisions-ok", "--non-hermetic-scripts", theirs)
			cmd.Env = append(os.Environ(), "PEX_TOOLS=1", "PEX_ROOT="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			compare(t, seenIn(t, made.VenvDir), seenIn(t, theirs), made.VenvDir, theirs)
		})
	}
}

func below(t tree.Tree, dir string) tree.Tree {
	var all tree.Tree
	for _, e := range t {
		if rest, ok := strings.CutPrefix(e.Path, dir+"/"); ok {
			e.Path = rest
			all = append(all, e)
		}
	}
	return all
}

// seenIn are the files of a venv as a process sees them, by path; "\x00x" is appended to what can be executed.
func seenIn(t *testing.T, venv string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := os.ReadDir(filepath.Join(venv, dir))
		check(t, err)
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			info, err := os.Stat(filepath.Join(venv, name))
			switch {
			case errors.Is(err, fs.ErrNotExist): // the interpreter of the base
				target, err := os.Readlink(filepath.Join(venv, name))
				check(t, err)
				files[name] = []byte("link to " + target)
			case err != nil:
				t.Fatal(err)
			case info.IsDir() && name == "lib64":
			case info.IsDir():
				walk(name)
			default:
				files[name] = read(t, filepath.Join(venv, name))
				if info.Mode()&0o111 != 0 {
					files[name] = append(files[name], "\x00x"...)
				}
			}
		}
	}
	walk("")
	return files
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	check(t, err)
	return text
}

// differences are all the ways in which the venv may differ from pex's. What follows the venv's own path (pyvenv.cfg and
// the first lines of scripts) is compared with that path replaced.
var differences = []struct {
	path *regexp.Regexp
	why  string
	// same says whether two versions are the same after all; nil where one venv has no such file.
	same func(ours, theirs []byte) bool
}{
	{regexp.MustCompile(`^bin/[Aa]ctivate`), "python -m venv writes it for shells; a container's PATH is set", nil},
	{regexp.MustCompile(`^\.gitignore$`), "python -m venv writes it from 3.13 on", nil},
	{regexp.MustCompile(`^\.pex-venv-scope$`), "pex's note to itself, for a second run of its venv tool", nil},
	{regexp.MustCompile(`^entry\.py$`), "the image's entry point", nil},
	{regexp.MustCompile(`^bin/python[0-9.]*$`), "the base's interpreter, pex's is this machine's", always},
	{regexp.MustCompile(`^pyvenv\.cfg$`), "names the base's interpreter, and no path of this machine", always},
	{regexp.MustCompile(`^(__main__\.py|pex)$`), "hermetic only if asked for, whatever the default in PEX-INFO", without(`(?m)^ *hermetic_re_exec=.*$`)},
	{regexp.MustCompile(`^pex-repl$`), "the banner has no colours, nor the compiler of the interpreter", without(`(?m)^_(BANNER|PEX_INFO_SUMMARY) = .*$`)},
	{regexp.MustCompile(`\.dist-info/RECORD$`), "hashes are those of the files that are there: of rewritten scripts, and of whoever won a path", samePaths},
	{regexp.MustCompile(`^bin/py-tool$`), "two wheels install that script: the first wins as everywhere; pex writes Python scripts without looking, so the last wins", lastWins},
	{regexp.MustCompile(`^bin/(sh-tool|plain-data)$`), "what a wheel installs as a script can be executed, also where its zip says otherwise", without(`\x00x$`)},
}

func lastWins(ours, theirs []byte) bool {
	return bytes.Contains(ours, []byte("py tool")) && bytes.Contains(theirs, []byte("the other"))
}

func always(_, _ []byte) bool { return true }

func without(pattern string) func(_, _ []byte) bool {
	p := regexp.MustCompile(pattern)
	return func(ours, theirs []byte) bool {
		return bytes.Equal(p.ReplaceAll(ours, nil), p.ReplaceAll(theirs, nil))
	}
}

// samePaths tells whether two RECORDs list the same files in the same order.
func samePaths(ours, theirs []byte) bool {
	a, err := wheel.ParseRecord(ours)
	b, err2 := wheel.ParseRecord(theirs)
	if err != nil || err2 != nil || len(a.Rows) != len(b.Rows) || a.CRLF != b.CRLF {
		return false
	}
	for i := range a.Rows {
		// lib64 is a link to lib in a venv.
		if a.Rows[i].Path != strings.Replace(b.Rows[i].Path, "../../../lib64/", "../../", 1) {
			return false
		}
	}
	return true
}

func compare(t *testing.T, ours, theirs map[string][]byte, venv, their string) {
	t.Helper()
	for name, text := range theirs {
		theirs[name] = bytes.ReplaceAll(text, []byte(their), []byte(venv))
	}
	for name := range theirs {
		if _, ok := ours[name]; !ok && !permitted(name, nil, nil) {
			t.Errorf("only pex has %s", name)
		}
	}
	for name, text := range ours {
		other, ok := theirs[name]
		switch {
		case !ok && !permitted(name, nil, nil):
			t.Errorf("only pexko has %s", name)
		case ok && !bytes.Equal(text, other) && !permitted(name, text, other):
			t.Errorf("%s differs: %s", name, firstDifference(text, other))
		}
		if strings.HasSuffix(name, ".dist-info/RECORD") && strings.Count(name, "/") == 4 {
			checkRecord(t, name, ours)
		}
	}
}

func permitted(name string, ours, theirs []byte) bool {
	for _, d := range differences {
		if d.path.MatchString(name) && (d.same == nil) == (ours == nil) {
			return d.same == nil || d.same(ours, theirs)
		}
	}
	return false
}

// checkRecord checks that a RECORD is true: that each file is there and has the hash and size that it says, if it says one.
func checkRecord(t *testing.T, name string, files map[string][]byte) {
	t.Helper()
	r, err := wheel.ParseRecord(files[name])
	check(t, err)
	for _, row := range r.Rows {
		content, ok := files[path.Join(path.Dir(path.Dir(name)), row.Path)]
		content = bytes.TrimSuffix(content, []byte("\x00x"))
		sum := sha256.Sum256(content)
		switch {
		case strings.HasSuffix(row.Path, "/"):
		case !ok:
			t.Errorf("%s lists %s, which is not there", name, row.Path)
		case row.Hash == "" && row.Path != recordOf(name):
			if !strings.HasPrefix(row.Path, "jwt/") { // the application's, see code
				t.Errorf("%s has no hash of %s", name, row.Path)
			}
		case row.Hash == "":
		case row.Hash != "sha256="+base64.RawURLEncoding.EncodeToString(sum[:]) || strconv.FormatInt(row.Size, 10) != strconv.Itoa(len(content)):
			t.Errorf("%s: wrong hash or size of %s", name, row.Path)
		}
	}
}

func recordOf(record string) string {
	return path.Join(path.Base(path.Dir(record)), path.Base(record))
}

func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %.200q, pex %.200q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, pex %d", len(x), len(y))
}
