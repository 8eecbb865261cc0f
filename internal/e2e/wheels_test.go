package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
)

// handmade is a wheel: the names of its files, .dist-info aside, and their content.
type handmade struct {
	name  string // "pexko_e2e_circle"
	tag   string
	files map[string]string
}

func (w handmade) file() string { return w.name + "-1.0-" + w.tag + ".whl" }

// write makes the wheel, as bytes that depend on nothing else.
func (w handmade) write(t *testing.T, dir string) {
	t.Helper()
	info := w.name + "-1.0.dist-info/"
	files := maps.Clone(w.files)
	files[info+"METADATA"] = fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n", w.name)
	files[info+"WHEEL"] = fmt.Sprintf("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: %t\nTag: %s\n", strings.HasSuffix(w.tag, "any"), w.tag)
	var record strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[name]))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[name]))
	}
	files[info+"RECORD"] = record.String() + info + "RECORD,,\n"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		check(t, err)
		_, err = entry.Write([]byte(files[name]))
		check(t, err)
	}
	check(t, z.Close())
	check(t, os.WriteFile(filepath.Join(dir, w.file()), b.Bytes(), 0o644))
}

// pinned writes a lock of the wheels in dir: a requirements file with hashes.
func pinned(t *testing.T, dir string) string {
	t.Helper()
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	check(t, err)
	var lock strings.Builder
	for _, file := range wheels {
		content, err := os.ReadFile(file)
		check(t, err)
		parts := strings.Split(filepath.Base(file), "-")
		fmt.Fprintf(&lock, "%s==%s --hash=sha256:%x\n", parts[0], parts[1], sha256.Sum256(content))
	}
	return lock.String()
}

// platlib is for wheels with compiled libraries.
const platlib = "py3-none-linux_x86_64"

// library compiles C source into a shared library, with libraries that it needs and where it looks for them.
func library(t *testing.T, name, source, runpath string, needs ...string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"source.c": source})
	out := filepath.Join(dir, name)
	args := []string{"-shared", "-fPIC", "-nostdlib", "-Wl,-soname," + name, "-Wl,--enable-new-dtags", "-o", out, filepath.Join(dir, "source.c")}
	if runpath != "" {
		args = append(args, "-Wl,-rpath,"+runpath)
	}
	if log, err := exec.CommandContext(t.Context(), "gcc", append(args, needs...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, log)
	}
	return out
}

// linked are wheels whose libraries find each other beside them in site-packages, by the directories of the files: in one
// namespace, as the CUDA wheels have it, and in packages of their own.
func linked(t *testing.T) []handmade {
	t.Helper()
	other := library(t, "libother.so", "int other(void) { return 42; }", "")
	first := library(t, "libfirst.so", "int other(void); int first(void) { return other() + 1; }", "$ORIGIN/../../other/lib", other)
	lone := library(t, "liblone.so", "int other(void); int lone(void) { return other() + 2; }", "$ORIGIN/../../e2e_other/lib", other)
	text := func(file string) string {
		content, err := os.ReadFile(file)
		check(t, err)
		return string(content)
	}
	return []handmade{
		{"pexko_e2e_cuda_other", platlib, map[string]string{"e2e_cuda/other/__init__.py": "", "e2e_cuda/other/lib/libother.so": text(other)}},
		{"pexko_e2e_cuda_first", platlib, map[string]string{"e2e_cuda/first/__init__.py": "", "e2e_cuda/first/lib/libfirst.so": text(first), "e2e_cuda/first/data.txt": ""}},
		{"pexko_e2e_other", platlib, map[string]string{"e2e_other/__init__.py": "", "e2e_other/lib/libother.so": text(other)}},
		{"pexko_e2e_lone", platlib, map[string]string{"e2e_lone/__init__.py": "", "e2e_lone/lib/liblone.so": text(lone)}},
	}
}

// shared are wheels that share directories: a namespace package, data below the prefix, a directory of plugins.
var shared = []handmade{
	{"pexko_e2e_circle", "py3-none-any", map[string]string{
		"e2e_shapes/circle.py": "def area():\n    raise ValueError('round')  # in a wheel\n",
		"pexko_e2e_circle-1.0.data/data/share/e2e-shapes/circle.txt": "circle",
		"pexko_e2e_circle-1.0.data/data/etc/e2e.d/circle.conf":       "1",
		"pexko_e2e_circle-1.0.data/scripts/circle-tool":              "#!python\nimport sys\nprint('circle tool', sys.prefix)\n",
		"pexko_e2e_circle-1.0.dist-info/entry_points.txt":            "[e2e.shapes]\ncircle = e2e_shapes.circle:area\n",
	}},
	{"pexko_e2e_square", "py3-none-any", map[string]string{
		"e2e_shapes/square.py": "sides = 4\n",
		"pexko_e2e_square-1.0.data/data/share/e2e-shapes/square.txt": "square",
		"pexko_e2e_square-1.0.data/data/etc/e2e.d/square.conf":       "2",
		"pexko_e2e_square-1.0.dist-info/entry_points.txt":            "[e2e.shapes]\nsquare = e2e_shapes.square:sides\n",
	}},
	{"pexko_e2e_pth", "py3-none-any", map[string]string{
		"e2e.pth":         "import e2e_marker; e2e_marker.mark()\ne2e_extra\n",
		"e2e_marker.py":   "import sys\ndef mark(): sys.e2e_marked = True\n",
		"e2e_extra/hi.py": "hello = 'from a directory that a .pth names'\n",
	}},
}

// wheelhouse holds the hand-made wheels and setuptools, whose .pth replaces distutils.
func wheelhouse(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	real := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"setuptools==80.9.0"}})
	check(t, os.CopyFS(dir, os.DirFS(real)))
	for _, w := range append(linked(t), shared...) {
		w.write(t, dir)
	}
	return dir
}

// wheelsProgram prints what the wheels are to each other in one venv.
const wheelsProgram = `import ctypes, importlib.metadata as m, json, sys, traceback
from pathlib import Path

def load(package, name):
    return getattr(ctypes.CDLL(str(Path(__import__(package, fromlist=["_"]).__file__).parent / f"lib/lib{name}.so")), name)()

def lines():
    try:
        import e2e_shapes.circle
        e2e_shapes.circle.area()
    except ValueError:
        return [line for line in traceback.format_exc().splitlines() if "^^" not in line][-3:]

def main():
    import distutils, e2e_shapes, e2e_shapes.square, hi
    prefix = Path(sys.prefix)
    json.dump({
        "first": load("e2e_cuda.first", "first"),
        "lone": load("e2e_lone", "lone"),
        "namespace": [p.replace(sys.prefix, "") for p in e2e_shapes.__path__],
        "sides": e2e_shapes.square.sides,
        "share": sorted(p.read_text() for p in (prefix / "share/e2e-shapes").iterdir()),
        "etc": sorted(p.name for p in (prefix / "etc/e2e.d").iterdir()),
        "plugins": sorted(e.name for e in m.entry_points(group="e2e.shapes")),
        "pth": [sys.e2e_marked, hi.hello],
        "distutils": distutils.__name__ + " of " + Path(distutils.__file__).parent.parent.name,
        "traceback": lines(),
    }, sys.stdout)
`

// TestWheelsMeetInOneVenv builds an application of wheels that need each other's files, from an index beside the configured one.
func TestWheelsMeetInOneVenv(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	wheels := wheelhouse(t)
	index := testenv.Index(t, wheels, testenv.IndexOptions{})
	dir := filepath.Join(t.TempDir(), "meeting")
	writeFiles(t, dir, map[string]string{"requirements.txt": pinned(t, wheels), "meeting.py": wheelsProgram})
	image := build(t, order{
		dir: dir, base: "bookworm", platforms: []string{amd64}, flags: []string{"-e", "meeting:main", "--name", "meeting"},
		env: []string{"PIP_EXTRA_INDEX_URL=" + index.URL},
	}).ids[amd64]
	want := map[string]any{
		"first": 43.0, "lone": 44.0, "namespace": []any{"/lib/python3.11/site-packages/e2e_shapes"}, "sides": 4.0,
		"share": []any{"circle", "square"}, "etc": []any{"circle.conf", "square.conf"}, "plugins": []any{"circle", "square"},
		"pth": []any{true, "from a directory that a .pth names"}, "distutils": "distutils of setuptools",
		"traceback": []any{`  File "` + site + `e2e_shapes/circle.py", line 2, in area`, "    raise ValueError('round')  # in a wheel", "ValueError: round"},
	}
	for _, user := range users {
		got := podman.Run(testenv.Container{Image: image, User: user, ReadOnly: true})
		var facts map[string]any
		if err := json.Unmarshal([]byte(got.Stdout), &facts); err != nil {
			t.Fatalf("%+v", got)
		}
		if diff := cmp.Diff(want, facts); diff != "" {
			t.Errorf("%s (-want +got)\n%s", userName(user), diff)
		}
	}
	tool := podman.Run(testenv.Container{Image: image, ReadOnly: true, Entrypoint: []string{"circle-tool"}})
	if tool.Stdout != "circle tool /pex/venv\n" {
		t.Errorf("%+v", tool)
	}
}
