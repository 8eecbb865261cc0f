package ignore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAgainstGit asks the real `git check-ignore` about random trees with random .gitignore files, most
// of them in directories of one repository, some in a repository of their own. The alphabet is small, so that patterns and names meet often.
func TestAgainstGit(t *testing.T) {
	together := testTree{files: map[string]string{}}
	for seed := range uint64(20) {
		tr := randomTree(rand.New(rand.NewPCG(seed, 1)))
		for name, text := range tr.files {
			together.files[fmt.Sprintf("tree%d/%s", seed, name)] = text
		}
	}
	compareWithGit(t, together)
	for seed := range uint64(3) {
		compareWithGit(t, randomTree(rand.New(rand.NewPCG(seed, 2))))
	}
}

// Lists as they are written, over trees that they were written for.
func TestRealListsAgainstGit(t *testing.T) {
	text, err := os.ReadFile("testdata/python.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	tr := testTree{files: map[string]string{".gitignore": string(text), "web/.gitignore": "/dist\n!lib/\nnode_modules\n*.log\n!important.log\n"}}
	for _, name := range []string{
		"app/__init__.py", "app/__pycache__/x.cpython-311.pyc", "build/lib/x.py", "app/build/x", "dist/x.whl", "lib/python/x", "web/lib/x.js", "web/dist/a",
		"web/src/dist/b", "web/a.log", "web/important.log", "x.egg-info/PKG-INFO", ".env", "app/.env", ".venv/bin/python", "docs/_build/index.html",
		"docs/a/_build/i", ".coverage", ".coverage.host", "db.sqlite3", "app/local_settings.py", "cover/a", "src/cover/b", "notebooks/.ipynb_checkpoints/n",
	} {
		tr.files[name] = ""
	}
	compareWithGit(t, tr)
}

type testTree struct{ files map[string]string }

func (tr testTree) dirs() map[string]bool {
	dirs := map[string]bool{}
	for name := range tr.files {
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	return dirs
}

func compareWithGit(t *testing.T, tr testTree) {
	root := t.TempDir()
	if out, err := gitCommand(root, "init", "-q", "--template=").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	var all []string
	for name, text := range tr.files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	dirs := tr.dirs()
	for d := range dirs {
		all = append(all, d)
	}
	slices.Sort(all)
	want := gitIgnored(t, root, all)
	for _, name := range all {
		if got := tr.ignored(name, dirs); got != want[name] {
			t.Errorf("%q (dir %v): %v, git says %v\n%s", name, dirs[name], got, want[name], tr.lists(name))
		}
	}
}

func gitCommand(root string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{"-c", "core.excludesFile=", "-c", "core.ignoreCase=false"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	return cmd
}

func gitIgnored(t *testing.T, root string, names []string) map[string]bool {
	cmd := gitCommand(root, "check-ignore", "--no-index", "--stdin", "-z")
	cmd.Stdin = strings.NewReader(strings.Join(names, "\x00") + "\x00")
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("git check-ignore: %v", err)
	}
	ignored := map[string]bool{}
	for name := range bytes.SplitSeq(out, []byte{0}) {
		ignored[string(name)] = true
	}
	return ignored
}

// ignored walks down to name as the walk of a project does.
func (tr testTree) ignored(name string, dirs map[string]bool) bool {
	var stack Stack
	parts := strings.Split(name, "/")
	for i := range parts {
		dir := strings.Join(parts[:i], "/")
		if text, ok := tr.files[path.Join(dir, ".gitignore")]; ok {
			stack = append(stack, ParseGit(dir, []byte(text)))
		}
		at := strings.Join(parts[:i+1], "/")
		if stack.Match(at, dirs[at]) == Out {
			return true
		}
	}
	return false
}

// lists are the .gitignore files on the way to name.
func (tr testTree) lists(name string) string {
	var b strings.Builder
	for list, text := range tr.files {
		if path.Base(list) == ".gitignore" && strings.HasPrefix(name, strings.TrimSuffix(list, ".gitignore")) {
			fmt.Fprintf(&b, "%s: %q\n", list, text)
		}
	}
	return b.String()
}

func randomTree(r *rand.Rand) testTree {
	tr := testTree{files: map[string]string{".gitignore": randomList(r)}}
	for range 40 {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = randomName(r)
		}
		tr.add(strings.Join(parts, "/"), "")
	}
	for d := range tr.dirs() {
		if r.IntN(4) == 0 {
			tr.files[d+"/.gitignore"] = randomList(r)
		}
	}
	return tr
}

// add puts a file into the tree unless a file stands where a directory must.
func (tr testTree) add(name, text string) {
	if tr.dirs()[name] {
		return
	}
	for d := path.Dir(name); d != "."; d = path.Dir(d) {
		if _, file := tr.files[d]; file {
			return
		}
	}
	tr.files[name] = text
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func randomName(r *rand.Rand) string {
	var name string
	for range 1 + r.IntN(3) {
		name += pick(r, "a", "b", "ab", "c", "-", "]", "!", "#", " ", "\\", "[", "é", "Z", "5")
	}
	return name
}

func randomList(r *rand.Rand) string {
	var text string
	for range 1 + r.IntN(6) {
		text += pick(r, "", "", "", "!", "/", "#", " ")
		for range 1 + r.IntN(6) {
			text += pick(r, "a", "b", "ab", "c", "a", "b", "*", "*", "**", "**/", "/", "/", "?", "[ab]", "[!a]", "[^b-c]", "[a-]", "[]a]", "[[:alpha:]]", "[[:digit:]]",
				"[[:x:]]", "[[:", "[", "]", "\\a", "\\", "\\*", "\\ ", " ", "-", "!", "é", "[\\]b]", "[b-\\c]")
		}
		text += pick(r, "\n", "\n", "\n", "/\n", " \n", "\r\n", "\\\n")
	}
	return text
}
