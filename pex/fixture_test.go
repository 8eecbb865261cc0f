package pex

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/wheel"
)

// store is one that lives as long as the testbed, so that pex and pip are fetched once, not once a test. They are
// in it when it is returned: a test's own index need not have them.
func store(t *testing.T) *cas.Store {
	t.Helper()
	dir := os.Getenv("PEXKO_TESTBED")
	if dir == "" {
		dir = t.TempDir()
	}
	s := openStore(t, filepath.Join(dir, "pex"))
	if err := warm(t, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// scratch is a directory of this run, for what several tests share.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pex-test-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// hostPython is testenv.Python, which asks interpreters, for many tests.
func hostPython(t *testing.T, version string) string {
	t.Helper()
	hosts.Lock()
	defer hosts.Unlock()
	if hosts.paths == nil {
		hosts.paths = map[string]string{}
	}
	if hosts.paths[version] == "" {
		hosts.paths[version] = testenv.Python(t, version)
	}
	return hosts.paths[version]
}

var hosts struct {
	sync.Mutex
	paths map[string]string
}

var warming struct {
	sync.Mutex
	done bool
}

func warm(t *testing.T, s *cas.Store) error {
	warming.Lock()
	defer warming.Unlock()
	if warming.done {
		return nil
	}
	tool, err := Provide(t.Context(), Options{Store: s, Env: os.Environ(), Python: hostPython(t, "3.11")})
	if err != nil {
		return err
	}
	p, err := tool.Python(t.Context())
	if err != nil {
		return err
	}
	_, err = tool.home(t.Context(), p)
	warming.done = err == nil && os.Getenv("PEXKO_TESTBED") != ""
	return err
}

// seeded is a new store that has the pinned files, and no PEX_ROOT yet.
func seeded(t *testing.T) *cas.Store {
	t.Helper()
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home, err := tool.home(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, t.TempDir())
	_, err = s.Dir(t.Context(), "pex", toolKey(), func(dir string) error {
		return os.CopyFS(dir, os.DirFS(home))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openStore(t *testing.T, dir string) *cas.Store {
	t.Helper()
	s, err := cas.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// provide makes a tool over the shared store and a host Python 3.11, with what change says. Its lines and
// warnings are the test's log.
func provide(t *testing.T, change func(*Options)) *Tool {
	t.Helper()
	o := Options{
		Store: store(t), Env: os.Environ(), TargetMinor: "3.11",
		Warn: func(text string) { t.Log("warning:", text) }, Line: func(text string) { t.Log(text) },
	}
	if change != nil {
		change(&o)
	}
	if o.Python == "" {
		o.Python = hostPython(t, "3.11")
	}
	tool, err := Provide(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// from makes pip look at the index alone, or at a directory of files, with any further settings.
func from(index string, settings ...string) func(*Options) {
	return func(o *Options) {
		env := environment(o.Env).without("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")
		if strings.HasPrefix(index, "http") {
			env = env.with("PIP_INDEX_URL=" + index)
		} else {
			env = env.with("PIP_NO_INDEX=1", "PIP_FIND_LINKS="+index)
		}
		o.Env = env.with(settings...)
	}
}

// linux is the target of Debian 12's glibc: the tags in the order in which packaging and pip list them there.
func linux(version, machine string) Target {
	var x, y, z int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &x, &y, &z); err != nil {
		panic(err)
	}
	var platforms, tags []string
	lowest := map[string]int{"x86_64": 5, "aarch64": 17}[machine]
	for n := 36; n >= lowest; n-- {
		platforms = append(platforms, fmt.Sprintf("manylinux_2_%d_%s", n, machine))
		if old := map[int]string{17: "2014", 12: "2010", 5: "1"}[n]; old != "" {
			platforms = append(platforms, "manylinux"+old+"_"+machine)
		}
	}
	platforms = append(platforms, "linux_"+machine)
	add := func(prefix string) {
		for _, p := range platforms {
			tags = append(tags, prefix+"-"+p)
		}
	}
	cp := fmt.Sprintf("cp3%d", y)
	add(cp + "-" + cp)
	add(cp + "-abi3")
	add(cp + "-none")
	for k := y - 1; k >= 2; k-- {
		add(fmt.Sprintf("cp3%d-abi3", k))
	}
	pythons := []string{fmt.Sprintf("py3%d", y), "py3"}
	for k := y - 1; k >= 0; k-- {
		pythons = append(pythons, fmt.Sprintf("py3%d", k))
	}
	for _, py := range pythons {
		add(py + "-none")
	}
	tags = append(tags, cp+"-none-any")
	for _, py := range pythons {
		tags = append(tags, py+"-none-any")
	}
	text, err := json.Marshal(map[string]any{
		"marker_environment": map[string]string{
			"implementation_name": "cpython", "implementation_version": version, "os_name": "posix",
			"platform_machine": machine, "platform_python_implementation": "CPython", "platform_system": "Linux",
			"python_full_version": version, "python_version": minor(version), "sys_platform": "linux",
		},
		"compatible_tags": tags,
	})
	if err != nil {
		panic(err)
	}
	arch := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[machine]
	return Target{Key: version + "-" + machine, Platform: "linux/" + arch, Python: version, CompletePlatform: text}
}

// distribution describes a small wheel.
type distribution struct {
	name, version string
	tag           string // "py3-none-any" unless given
	requires      []string
	python        string            // Requires-Python
	files         map[string]string // beside a module of the distribution's name
	entryPoints   string
}

// write makes the wheel in dir and returns its path.
func (d distribution) write(t *testing.T, dir string) string {
	t.Helper()
	tag := d.tag
	if tag == "" {
		tag = "py3-none-any"
	}
	module := strings.ReplaceAll(d.name, "-", "_")
	info := module + "-" + d.version + ".dist-info"
	files := map[string]string{
		module + ".py":     fmt.Sprintf("version = %q\n", d.version),
		info + "/WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: " + tag + "\n",
		info + "/METADATA": fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", d.name, d.version),
	}
	for _, r := range d.requires {
		files[info+"/METADATA"] += "Requires-Dist: " + r + "\n"
	}
	if d.python != "" {
		files[info+"/METADATA"] += "Requires-Python: " + d.python + "\n"
	}
	if d.entryPoints != "" {
		files[info+"/entry_points.txt"] = d.entryPoints
	}
	maps.Copy(files, d.files)
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s.whl", module, d.version, tag))
	writeZip(t, path, files, info)
	return path
}

// writeZip writes the files and their RECORD.
func writeZip(t *testing.T, path string, files map[string]string, info string) {
	t.Helper()
	var record strings.Builder
	var text bytes.Buffer
	archive := zip.NewWriter(&text)
	add := func(name, content string) {
		w, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[name]))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[name]))
		add(name, files[name])
	}
	fmt.Fprintf(&record, "%s/RECORD,,\n", info)
	add(info+"/RECORD", record.String())
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *wheel.Wheel {
	t.Helper()
	w, err := wheel.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// writeAll makes wheels and opens them.
func writeAll(t *testing.T, all ...distribution) []*wheel.Wheel {
	t.Helper()
	dir := t.TempDir()
	var wheels []*wheel.Wheel
	for _, d := range all {
		wheels = append(wheels, open(t, d.write(t, dir)))
	}
	return wheels
}

func digest(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func writeText(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func fileNames(wheels []*wheel.Wheel) []string {
	var names []string
	for _, w := range wheels {
		names = append(names, w.Name.File)
	}
	return names
}
