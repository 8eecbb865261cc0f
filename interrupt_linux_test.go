package pexko_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pexko/pexko/internal/testenv"
)

// moment is a point of a build at which it is interrupted.
type moment struct {
	name   string
	flags  []string
	dir    string         // the project, if it is not the usual one
	signal syscall.Signal // SIGINT if 0
	// arm prepares the moment, and calls reach when the build is there; look is asked again and again whether it is.
	arm  func(reach func())
	look func(b *running) bool
}

// TestInterrupt ends a build at many moments: it says so by its exit code, leaves every destination as it was, no
// process and no temporary file; and the next build, which goes on to a later moment with the same cache, works.
func TestInterrupt(t *testing.T) {
	check(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) // who loses its parent becomes a child of this process
	s := newScene(t)
	for _, m := range s.moments() {
		if !t.Run(m.name, func(t *testing.T) { s.interrupt(t, m) }) {
			return // later moments go on from this one
		}
	}
	out := filepath.Join(s.out, "out.tar")
	if got := s.run(s.app, "--oci-archive="+out, "--push="+s.repository).must(t); !strings.Contains(got, "@sha256:") {
		t.Errorf("%q", got)
	}
}

// scene is what all moments share.
type scene struct {
	registry, index *proxy
	indexURL        string
	repository      string
	app, own        string // projects
	cache, out      string
	home, python    string
	halt            string // while this file is there, python does not make a PEX
}

func newScene(t *testing.T) *scene {
	t.Helper()
	dir := t.TempDir()
	s := &scene{
		app: filepath.Join(dir, "app"), own: filepath.Join(dir, "own"), cache: filepath.Join(dir, "cache"), out: filepath.Join(dir, "out"),
		home: filepath.Join(dir, "home"), halt: filepath.Join(dir, "halt"),
	}
	for _, d := range []string{s.out, s.home} {
		check(t, os.Mkdir(d, 0o755))
	}
	wheels := t.TempDir()
	shelf, err := testenv.WriteWheel(wheels, "shelf-1.0-py3-none-any.whl", map[string]string{"shelf.py": ""})
	check(t, err)
	copyTo(t, wheels, tools(t)...)
	index, err := url.Parse(testenv.Index(t, wheels, testenv.IndexOptions{}).URL)
	check(t, err)
	s.index = newProxy(t, index.Host)
	s.indexURL = "http://" + s.index.host + index.Path
	s.writeApp(t, shelf)
	s.writeOwn(t)
	s.writePython(t, filepath.Join(dir, "python3.11"))
	registry := os.Getenv("PEXKO_TESTBED_REGISTRY")
	s.registry = newProxy(t, registry)
	s.repository = strings.Replace(testenv.Registry(t), registry, s.registry.host, 1) + "/noise"
	return s
}

// writeApp makes a project that takes its time: a module that is long to compile, and a file that does not get smaller
// by compression, so that layers, archives and uploads are big.
func (s *scene) writeApp(t *testing.T, wheel string) {
	t.Helper()
	writeProject(t, s.app, map[string]string{
		"pyproject.toml": "[project]\nname = \"noise\"\nversion = \"1\"\n", "main.py": "import shelf\n",
		"requirements.txt": hashed(t, []string{"shelf==1.0"}, []string{wheel}),
		"slow.py":          strings.Repeat("x = [1, 2, 3]\n", 400_000),
	})
	noise := make([]byte, 200<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // always the same, or every run would leave another blob in the registry
	check(t, os.WriteFile(filepath.Join(s.app, "noise.bin"), noise, 0o644))
}

// writeOwn makes a project whose backend starts a process of its own and does not come back.
func (s *scene) writeOwn(t *testing.T) {
	t.Helper()
	writeProject(t, s.own, map[string]string{
		"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n" +
			"[project]\nname = \"own\"\nversion = \"1\"\n[project.scripts]\nown = \"own:main\"\n",
		"own.py": "",
		"backend.py": "import subprocess, time\n\ndef build_wheel(directory, settings=None, metadata=None):\n" +
			"    subprocess.Popen([\"sleep\", \"600\"])\n" +
			fmt.Sprintf("    open(%q, \"w\").close()\n", s.halt+".backend") + "    time.sleep(600)\n",
	})
}

// writePython makes a host Python that, while the file halt is there, starts a process in the background before it makes
// a PEX, and then waits.
func (s *scene) writePython(t *testing.T, name string) {
	t.Helper()
	s.python = name
	script := `#!/bin/sh
case "$*" in
*--pre-resolved-dists*)
  if [ -e '` + s.halt + `' ]; then
    sleep 600 &
    touch '` + s.halt + `.reached'
    sleep 600
  fi ;;
esac
exec '` + testenv.Python(t, "3.11") + `' "$@"
`
	check(t, os.WriteFile(name, []byte(script), 0o755))
}

func (s *scene) run(dir string, flags ...string) run {
	return run{
		args:  append([]string{dir, "--base=" + s.registry.host + "/base/bookworm:1", "--host-python=" + s.python}, flags...),
		env:   []string{"HOME=" + s.home, "PIP_INDEX_URL=" + s.indexURL},
		cache: s.cache, dir: s.home,
	}
}

// moments are in the order of a build, so that each goes beyond where the one before it was interrupted.
func (s *scene) moments() []moment {
	archive := []string{"--oci-archive=" + filepath.Join(s.out, "out.tar")}
	push := []string{"--push=" + s.repository}
	return []moment{
		{name: "access", flags: push, arm: s.at(s.registry, http.MethodPost, "/noise/blobs/uploads/")},
		{name: "base", flags: archive, arm: s.at(s.registry, http.MethodGet, "/base/bookworm/blobs/")},
		{name: "fetching pex", flags: archive, arm: s.at(s.index, http.MethodGet, "/files/pex-")},
		{name: "project", flags: archive, dir: s.own, look: func(*running) bool { return exists(s.halt + ".backend") }},
		{name: "wheels", flags: archive, arm: s.at(s.index, http.MethodGet, "/files/shelf-")},
		{
			name: "pex", flags: archive, arm: func(func()) { _ = os.WriteFile(s.halt, nil, 0o644) },
			look: func(*running) bool { return exists(s.halt+".reached") && os.Remove(s.halt) == nil },
		},
		{name: "bytecode", flags: archive, look: func(b *running) bool { return b.runs("import MAGIC_NUMBER") }},
		{name: "layers", flags: archive, look: s.packing},
		{name: "layers, by SIGTERM", flags: archive, look: s.packing, signal: syscall.SIGTERM},
		{name: "archive", flags: archive, look: func(*running) bool { return anyFile(s.out, ".out.tar.") }},
		{
			name: "layout", flags: []string{"--oci-layout=" + filepath.Join(s.out, "layout")},
			look: func(*running) bool { return anyFile(filepath.Join(s.out, "layout", "blobs", "sha256"), "") },
		},
		{name: "tarball over another", flags: []string{"--tarball=" + s.before()}, look: func(*running) bool { return anyFile(s.out, ".before.tar.") }},
		{name: "load", flags: []string{"--load"}, look: func(b *running) bool { return b.runs("sleep\x00600") }},
		{name: "push", flags: push, arm: s.at(s.registry, http.MethodPatch, "/noise/blobs/uploads/")},
	}
}

// at holds the requests of a kind.
func (s *scene) at(p *proxy, method, path string) func(func()) {
	return func(reach func()) { p.shut(method, path, reach) }
}

// packing tells that a layer is being written.
func (s *scene) packing(b *running) bool {
	files, _ := filepath.Glob(filepath.Join(s.cache, "tmp", "work-*", "file-*")) // the only error is a bad pattern
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.Size() > 4<<20 && b.said("warm ") {
			return true
		}
	}
	return false
}

// before is a file that was there.
func (s *scene) before() string {
	name := filepath.Join(s.out, "before.tar")
	_ = os.WriteFile(name, []byte("as it was\n"), 0o644)
	return name
}

// interrupt builds up to a moment and ends it there.
func (s *scene) interrupt(t *testing.T, m moment) {
	dir := m.dir
	if dir == "" {
		dir = s.app
	}
	before := snapshot(t, s.out)
	defer s.registry.open()
	defer s.index.open()
	r := s.run(dir, m.flags...)
	r.env = append(r.env, "PEXKO_ENGINE="+s.engine(t))
	b := start(t, r)
	b.await(m.arm, m.look)
	signal := m.signal
	if signal == 0 {
		signal = syscall.SIGINT
	}
	below := b.descendants()
	check(t, b.cmd.Process.Signal(signal))
	code := b.wait()
	t.Logf("%d processes below it; it said:\n%s", len(below), b.log())
	if code != 130 || b.stdout.String() != "" || !b.said("error: interrupted; nothing half-written was left") {
		t.Errorf("exit code %d, standard output %q", code, b.stdout.String())
	}
	if after := snapshot(t, s.out); after != before {
		t.Errorf("the destinations were\n%s\nand are\n%s", before, after)
	}
	if left, _ := filepath.Glob(filepath.Join(s.cache, "tmp", "*")); len(left) > 0 {
		t.Errorf("left in the cache: %v", left)
	}
	b.checkNoneLeft()
}

// engine is a container engine that takes its time.
func (s *scene) engine(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "engine-that-waits")
	check(t, os.WriteFile(name, []byte("#!/bin/sh\nhead -c 1000000 >/dev/null\nexec sleep 600\n"), 0o755))
	return name
}
