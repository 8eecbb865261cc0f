package project

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/tree"
)

// wantFiles compares the files of a project with a list of paths, one a line.
func wantFiles(t *testing.T, p *Project, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Fields(want), paths(p)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreWhatTheRulesLeave(t *testing.T) {
	for _, c := range []struct{ name, archive, want string }{
		{"nothing of tools", `
-- pyproject.toml --
-- main.py --
-- __pycache__/main.cpython-311.pyc --
-- app/old.pyc --
-- app/data.json --
-- .git/config --
-- sub/.git --
gitdir: ../.git/modules/sub
-- sub/x.py --
-- .hg/store --
-- .pytest_cache/x --
-- .mypy_cache/x --
-- .ruff_cache/x --
-- .tox/x --
-- .nox/x --
-- .hypothesis/x --
-- htmlcov/index.html --
-- .coverage --
-- .coverage.host.1 --
-- app.egg-info/PKG-INFO --
-- node_modules/x/index.js --
-- .idea/x --
-- .vscode/x --
-- .DS_Store --
-- .uv-cache/x --
-- .github/workflows/ci.yml --
-- .gitignore --
-- app.pex --
-- data/x.pex --
`, "app/data.json data/x.pex main.py pyproject.toml sub/x.py"},
		{"environments by their files, not their names", `
-- pyproject.toml --
-- anything/pyvenv.cfg --
-- anything/lib/x.py --
-- conda/conda-meta/history --
-- conda/lib/x.py --
-- venv/settings.py --
-- env/settings.py --
-- .venv/x.py --
`, "env/settings.py pyproject.toml venv/settings.py"},
		{"results of builds beside a pyproject only", `
-- pyproject.toml --
-- build/lib/x.py --
-- dist/x.whl --
-- web/build/x.js --
-- web/dist/x.js --
-- lib/setup.py --
-- lib/build/x --
-- lib/dist/__init__.py --
`, "lib/dist/__init__.py lib/setup.py pyproject.toml web/build/x.js web/dist/x.js"},
		{"caches and layouts by their files", `
-- pyproject.toml --
-- c/CACHEDIR.TAG --
Signature: 8a477f597d28d172789f06886806bc55
# and more
-- c/x --
-- d/CACHEDIR.TAG --
something else
-- out/oci-layout --
-- out/index.json --
`, "d/CACHEDIR.TAG pyproject.toml"},
		{"gitignore, nested", `
-- pyproject.toml --
-- .gitignore --
*.sqlite3
/media/
!keep.sqlite3
generated/
-- a.sqlite3 --
-- keep.sqlite3 --
-- media/x --
-- app/media/x --
-- app/.gitignore --
!a.sqlite3
*.txt
-- app/a.sqlite3 --
-- app/b.txt --
-- generated/keep.sqlite3 --
`, "app/a.sqlite3 app/media/x keep.sqlite3 pyproject.toml"},
		{"dockerignore, with exceptions in directories that are out", `
-- pyproject.toml --
-- .dockerignore --
*
!app
!pyproject.toml
app/*.md
!docs/api.md
-- main.py --
-- app/x.py --
-- app/x.md --
-- app/sub/x.md --
-- docs/api.md --
-- docs/other.md --
`, "app/sub/x.md app/x.py docs/api.md pyproject.toml"},
		{"include brings back, exclude wins", `
-- pyproject.toml --
[tool.pexko]
include = ["static/dist", "*.keep", ".env.prod", "/node_modules/*/x.js", "deploy/"]
exclude = ["*.map", "/tests/"]
-- .gitignore --
dist/
logs/
*.map
-- static/dist/app.js --
-- static/dist/app.js.map --
-- static/dist/__pycache__/x.pyc --
-- logs/a.log --
-- logs/deep/a.keep --
-- .env.prod --
-- node_modules/a/x.js --
-- node_modules/a/y.js --
-- tests/x.py --
-- sub/tests/x.py --
-- .venv/pyvenv.cfg --
-- .venv/a.keep --
-- deploy/.env --
-- deploy/run.sh --
`, ".env.prod deploy/run.sh logs/deep/a.keep node_modules/a/x.js pyproject.toml static/dist/app.js sub/tests/x.py"},
		{"secrets", `
-- pyproject.toml --
-- .env --
-- conf/.env.local --
-- .env.example --
-- .envrc --
-- .netrc --
-- environment.py --
`, ".env.example environment.py pyproject.toml"},
		{"files, beside the rest", `
-- pyproject.toml --
[tool.pexko]
exclude = ["*.bak"]
[tool.pexko.files]
"web/dist" = "static"
"conf/prod.toml" = "conf.toml"
".env.public" = ".env"
"docs" = "."
-- .gitignore --
web/
-- web/dist/app.js --
-- web/dist/app.bak --
-- web/dist/__pycache__/x.pyc --
-- web/dist/.gitignore --
-- web/dist/.env --
-- conf/prod.toml --
prod
-- conf.toml --
dev
-- .env.public --
-- docs/a.md --
`, ".env a.md conf/prod.toml conf.toml docs/a.md pyproject.toml static/app.js"},
		{"built as a package: only what is named", `
-- pyproject.toml --
[build-system]
requires = ["hatchling"]
[tool.pexko.files]
"alembic.ini" = "alembic.ini"
"migrations" = "migrations"
-- app/__init__.py --
-- alembic.ini --
-- migrations/1.py --
-- migrations/__pycache__/1.pyc --
`, "alembic.ini migrations/1.py"},
		{"built as a package: everything", `
-- pyproject.toml --
[build-system]
requires = ["hatchling"]
[tool.pexko]
files = {"." = "."}
exclude = ["/app/"]
-- app/__init__.py --
-- dist/app.whl --
-- .gitignore --
generated
-- generated --
`, "generated pyproject.toml"},
	} {
		t.Run(c.name, func(t *testing.T) { wantFiles(t, load(t, c.archive), c.want) })
	}
}

func TestOrderAndModes(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n-- a-c --\n-- a/b --\n-- a.d --\n-- z/run --\n")
	for name, mode := range map[string]os.FileMode{"a-c": 0o600, "a/b": 0o666, "a.d": 0o654, "z/run": 0o700} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.Files {
		got = append(got, e.Path+" "+e.Mode.String())
	}
	want := []string{"a/b -rw-r--r--", "a-c -rw-r--r--", "a.d -rw-r--r--", "pyproject.toml -rw-r--r--", "z/run -rwxr-xr-x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A file is read from where it lay when the project was loaded, also when the process is elsewhere by then.
func TestFilesOpenFromAnywhere(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n[tool.pexko.files]\n\"a\" = \"b/c\"\n-- a --\nhello\n")
	t.Chdir(dir)
	p, err := Load(".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("/")
	for _, e := range p.Files {
		if e.Path != "b/c" {
			continue
		}
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if string(text) != "hello\n" || err != nil || r.Close() != nil {
			t.Errorf("%q, %v", text, err)
		}
		return
	}
	t.Error("b/c is not there")
}

func TestNamedFilesOverrule(t *testing.T) {
	p := load(t, "-- pyproject.toml --\n[tool.pexko.files]\n'prod.toml' = 'conf.toml'\n-- prod.toml --\nprod\n-- conf.toml --\ndev\n")
	for _, e := range p.Files {
		if text, err := e.Read(100); e.Path == "conf.toml" && (string(text) != "prod\n" || err != nil) {
			t.Errorf("%q, %v", text, err)
		}
	}
}

func TestSecretsAreReported(t *testing.T) {
	p := load(t, "-- pyproject.toml --\n-- .env --\n-- a/.env.x --\n-- .gitignore --\n.envrc\n-- .envrc --\n")
	if len(p.Notes) != 1 || !strings.HasPrefix(p.Notes[0], ".env, a/.env.x may hold secrets and is left out") {
		t.Errorf("%q", p.Notes)
	}
}

func TestListsOfTheRepositoryAbove(t *testing.T) {
	top := layOut(t, `
-- .git/config --
-- .gitignore --
*.db
/services/api/local/
other/
-- services/.gitignore --
*.tmp
-- services/api/pyproject.toml --
-- services/api/a.db --
-- services/api/a.tmp --
-- services/api/local/x --
-- services/api/src/local/x --
-- services/.pyc --
-- other/pyproject.toml --
-- other/a.db --
`)
	p, err := Load(filepath.Join(top, "services/api"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, p, "pyproject.toml src/local/x")
	// A project that the repository ignores has only its own lists.
	if p, err = Load(filepath.Join(top, "other"), Options{}); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, p, "a.db pyproject.toml")
}

func TestOutputsAreNoFiles(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n-- out.tar --\n-- img/blobs/x --\n-- cache/x --\n-- app.tar --\n-- refs.txt --\n")
	if err := os.Symlink("out.tar", filepath.Join(dir, "..", "link")); err != nil {
		t.Fatal(err)
	}
	p, err := Load(dir, Options{
		Flags:   Flags{OCILayout: filepath.Join(dir, "img"), Tarball: filepath.Join(dir, "../app/out.tar"), CacheDir: filepath.Join(dir, "cache"), OCIArchive: filepath.Join(dir, "none.tar")},
		Outputs: []string{filepath.Join(dir, "refs.txt")},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, p, "app.tar pyproject.toml")
}

func link(t *testing.T, dir, name, target string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestLinksStayLinks(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n-- a/x --\n")
	link(t, dir, "b/to-file", "../a/x")
	link(t, dir, "to-dir", "a")
	link(t, dir, "through", "to-dir/../a/x")
	link(t, dir, "nowhere", "made/later")
	p, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range p.Files {
		if e.Kind == tree.Symlink {
			got[e.Path] = e.Link
		}
	}
	want := map[string]string{"b/to-file": "../a/x", "to-dir": "a", "through": "to-dir/../a/x", "nowhere": "made/later"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLinksThatLeaveAreRefused(t *testing.T) {
	for target, want := range map[string]string{
		"/etc/passwd":      "sub/bad: links to the absolute path /etc/passwd",
		"../../../x":       "sub/bad: links to ../../../x, which is not inside the project",
		"../out/x":         "sub/bad: links to ../out/x, which is not inside the project",
		"../../app/a":      "sub/bad: links to ../../app/a, which is not inside the project",
		"bad":              "sub/bad: links to bad, which is not inside the project",
		"../../sibling/no": "sub/bad: links to ../../sibling/no, which is not inside the project",
	} {
		dir := layOut(t, "-- pyproject.toml --\n-- a --\n")
		link(t, dir, "out", "..")
		link(t, dir, "sub/bad", target)
		// "out" itself is an error too; leave it out so that the other one is seen.
		put(t, dir, ".gitignore", "out\n")
		_, err := Load(dir, Options{})
		var file *FileError
		if !errors.As(err, &file) || !strings.HasPrefix(err.Error(), want) || file.Hint() == "" {
			t.Errorf("%s: %v", target, err)
		}
		put(t, dir, ".gitignore", "out\nbad\n")
		if _, err := Load(dir, Options{}); err != nil {
			t.Errorf("left out, and yet: %v", err)
		}
		put(t, dir, "pyproject.toml", "[build-system]\nrequires = []\n")
		put(t, dir, ".gitignore", "")
		if _, err := Load(dir, Options{}); err != nil {
			t.Errorf("the backend packs the files, and yet: %v", err)
		}
	}
}

func TestSpecialFilesAreRefused(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir, Options{})
	if err == nil || err.Error() != "pipe: an image cannot hold a named pipe" {
		t.Errorf("got %v", err)
	}
	put(t, dir, ".gitignore", "pipe\n")
	t.Chdir(dir) // a socket's path is short
	l, err := net.Listen("unix", "s.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err = Load(dir, Options{}); err == nil || err.Error() != "s.sock: an image cannot hold a socket" {
		t.Errorf("got %v", err)
	}
}

func TestNamesThatAreNotUTF8AreRefused(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n")
	put(t, dir, "caf\xe9", "")
	_, err := Load(dir, Options{})
	if want := `"caf\xe9": its name is not UTF-8`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestProjectThatIsAnEnvironment(t *testing.T) {
	err := loadError(t, "-- pyproject.toml --\n-- pyvenv.cfg --\n", Options{})
	if !strings.Contains(err.Error(), "is itself a virtual environment") {
		t.Error(err)
	}
}

func TestWrongFiles(t *testing.T) {
	for _, c := range []struct{ archive, want string }{
		{"[tool.pexko.files]\n'nope' = 'x'\n", "pyproject.toml:2:10: tool.pexko.files.nope: nope: no such file or directory in the project"},
		{"[tool.pexko.files]\n'.git/config' = 'x'\n-- .git/config --\n", ".git/config: is never put into an image"},
		{"[tool.pexko.files]\n'a' = 'b/c'\n-- a --\n-- b --\n", "b/c: b is a file in the image"},
		{"[tool.pexko]\nroots = ['lib']\n", "pyproject.toml:2:10: tool.pexko.roots[0]: lib: no such directory"},
		{"[build-system]\nrequires = []\n[tool.pexko]\nroots = ['.']\n", "tool.pexko.roots[0]: has no effect"},
		{"-- .dockerignore --\nok\n[x\n", `.dockerignore: line 2: pattern "[x"`},
	} {
		if err := loadError(t, "-- pyproject.toml --\n"+c.archive, Options{}); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestHugeIgnoreListIsRefused(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n-- .gitignore --\n")
	if err := os.Truncate(filepath.Join(dir, ".gitignore"), maxIgnoreFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, Options{}); err == nil || !strings.Contains(err.Error(), ".gitignore: more than") {
		t.Errorf("got %v", err)
	}
}

func TestLinksInNamedDirectories(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n[tool.pexko.files]\n'web/dist' = 'static'\n-- web/dist/a --\n-- web/b --\n-- .gitignore --\nweb\n")
	link(t, dir, "web/dist/sub/good", "../a")
	p, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, p, "pyproject.toml static/a static/sub/good")
	link(t, dir, "web/dist/bad", "../b")
	if _, err = Load(dir, Options{}); err == nil || err.Error() != "web/dist/bad: links to ../b, which does not come along to static" {
		t.Errorf("got %v", err)
	}
}

// TestFilesOfAGitCheckout compares with git: in a clean checkout the project's files are the tracked ones, less
// those of ownRules and secretRules.
func TestFilesOfAGitCheckout(t *testing.T) {
	dir := layOut(t, `
-- pyproject.toml --
-- .gitignore --
*.log
!important.log
/tmp/*
!/tmp/keep/
-- app/__init__.py --
-- app/x.log --
-- app/important.log --
-- tmp/a --
-- tmp/keep/b --
-- deep/er/.gitignore --
*
!.gitignore
!*.txt
-- deep/er/x --
-- deep/er/y.txt --
`)
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return string(out)
	}
	git("init", "-q")
	git("add", ".")
	var want []string
	for name := range strings.Lines(git("ls-files")) {
		if name = strings.TrimSpace(name); filepath.Base(name) != ".gitignore" {
			want = append(want, name)
		}
	}
	p, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, paths(p)); diff != "" {
		t.Error(diff)
	}
}
