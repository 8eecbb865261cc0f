package lock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/wheel"
)

// oracle runs testdata/oracle.py with the real tools.
type oracle struct {
	python, path string
	root         string // PEX_ROOT, kept in the testbed: pex makes itself a pip in it, which takes a minute
}

func newOracle(t *testing.T) oracle {
	t.Helper()
	dir := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"packaging==26.3", "pex==2.105.2", "pip==26.2.1"}})
	kept := filepath.Join(dir, "../../lock-oracle")
	o := oracle{python: testenv.Python(t, "3.11"), root: filepath.Join(kept, "pex-root")}
	unpacked := filepath.Join(kept, "pex-2.105.2")
	path := []string{unpacked}
	for _, name := range []string{"pex", "packaging", "pip"} {
		found, err := filepath.Glob(filepath.Join(dir, name+"-*.whl"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		if name == "pex" {
			o.unpack(t, found[0], unpacked)
			continue
		}
		path = append(path, found[0])
	}
	o.path = strings.Join(path, string(os.PathListSeparator))
	return o
}

// unpack extracts a wheel to dir, once for all tests.
func (o oracle) unpack(t *testing.T, wheel, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); err == nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "unpack-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	o.run(t, "-m", "zipfile", "-e", wheel, temp)
	if err := os.Rename(temp, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
}

func (o oracle) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), o.python, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "PYTHONPATH="+o.path), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (o oracle) ask(t *testing.T, into any, args ...string) {
	t.Helper()
	if err := json.Unmarshal(o.run(t, append([]string{"testdata/oracle.py"}, args...)...), into); err != nil {
		t.Fatal(err)
	}
}

// answer is a tool's choice for one platform.
type answer struct {
	Pins  [][]string
	Error string
}

// platforms are the targets that all tools are asked about.
func platforms() []string {
	return []string{"linux-x86_64-glibc2.36-cp311", "linux-aarch64-glibc2.36-cp311", "linux-x86_64-glibc2.41-cp313", "linux-aarch64-glibc2.41-cp313", "linux-x86_64-glibc2.17-cp312"}
}

func pythons() map[string]string {
	return map[string]string{"cp311": "3.11.2", "cp312": "3.12.10", "cp313": "3.13.5"}
}

// platformFiles writes a complete platform for each target.
func platformFiles(t *testing.T) []string {
	dir := t.TempDir()
	var paths []string
	for _, key := range platforms() {
		env, tags := linux(t, key, pythons())
		var texts []string
		for _, tag := range tags.Tags() {
			texts = append(texts, tag.String())
		}
		content, err := json.Marshal(map[string]any{"marker_environment": env, "compatible_tags": texts})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, key+".json")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// compare asks a tool and Select about locks, by name, on all platforms.
func (o oracle) compare(t *testing.T, tool string, locks map[string]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(locks))
	args := []string{tool}
	for _, name := range names {
		args = append(args, locks[name])
	}
	var answers [][]answer
	o.ask(t, &answers, append(append(args, "--"), platformFiles(t)...)...)
	for i, name := range names {
		t.Run(tool+"/"+name, func(t *testing.T) { compareLock(t, locks[name], tool, answers[i]) })
	}
}

func compareLock(t *testing.T, path, tool string, answers []answer) {
	l, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range platforms() {
		env, tags := linux(t, key, pythons())
		pins, err := l.Select(env, tags, nil, nil)
		if want := answers[i]; want.Error != "" || err != nil {
			if (want.Error != "") != (err != nil) {
				t.Errorf("%s: %v; %s says %q", key, err, tool, want.Error)
			}
			continue
		}
		var got [][]string
		for _, p := range pins {
			got = append(got, []string{p.Name, p.Version, l.file(p)})
		}
		slices.SortFunc(got, slices.Compare)
		if diff := cmp.Diff(answers[i].Pins, got); diff != "" {
			t.Errorf("%s (-%s +ours):\n%s", key, tool, diff)
		}
	}
}

// file is the name of the file that a pin stands for, "" if it is none.
func (l *Lock) file(p Pin) string {
	switch p.From {
	case FromWheel:
		return p.Wheel.Name
	case FromSdist:
		for _, q := range l.Packages {
			if q.Name == p.Name && q.Version == p.Version {
				return q.Sdist.Name
			}
		}
	}
	return ""
}

func TestSelectAsPexAndPackaging(t *testing.T) {
	o := newOracle(t)
	locks := map[string]string{"pex_web": unpack(t, "pex_web", "lock.json"), "pex_sci": unpack(t, "pex_sci", "lock.json")}
	for name, content := range oddLocks() {
		locks[name] = filepath.Join(write(t, map[string]string{"lock.json": content}), "lock.json")
	}
	o.compare(t, "pex", locks)
	locks = map[string]string{"mcp_sdk": unpack(t, "pylock_mcp_sdk", "pylock.toml"), "open_instruct": unpack(t, "pylock_open_instruct", "pylock.toml")}
	o.compare(t, "pylock", locks)
	for _, path := range locks {
		withURLNames(t, path)
	}
	o.compare(t, "packaging", locks)
}

func unpack(t *testing.T, dir, name string) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, gunzip(t, filepath.Join("testdata/locks", dir, name+".gz")), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// withURLNames drops the key name of files, which packaging prefers to the URL's and pex, as we, does not.
func withURLNames(t *testing.T, path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if i := strings.Index(line, "{ name = "); i >= 0 && strings.Contains(line, ", url = ") {
			line = line[:i] + "{ url" + line[strings.Index(line, ", url = ")+5:]
		}
		lines = append(lines, line)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// locked is one locked requirement of a hand-made pex lock.
func locked(name, version, requiresPython string, dists []string, files ...string) string {
	var artifacts []string
	for _, file := range files {
		artifacts = append(artifacts, fmt.Sprintf(`{"algorithm": "sha256", "hash": %q, "url": %q}`, hashA[7:], "https://files.example/"+file))
	}
	python, _ := json.Marshal(requiresPython)
	if requiresPython == "" {
		python = []byte("null")
	}
	requires, _ := json.Marshal(append([]string{}, dists...))
	return fmt.Sprintf(`{"project_name": %q, "version": %q, "requires_python": %s, "requires_dists": %s, "artifacts": [%s]}`, name, version, python, requires, strings.Join(artifacts, ", "))
}

// resolve is one locked resolve.
func resolve(marker string, requirements ...string) string {
	m, _ := json.Marshal(marker)
	if marker == "" {
		m = []byte("null")
	}
	return fmt.Sprintf(`{"platform_tag": null, "marker": %s, "locked_requirements": [%s]}`, m, strings.Join(requirements, ", "))
}

// pexLockOf is a universal lock; more are further keys.
func pexLockOf(roots []string, more string, resolves ...string) string {
	requirements, _ := json.Marshal(roots)
	return fmt.Sprintf(`{"pex_version": "2.105.2", "style": "universal", "requires_python": [], "target_systems": [], "pip_version": "26.2.1", "resolver_version": "pip-2020-resolver",
 "requirements": %s, "constraints": [], "allow_prereleases": false, "allow_wheels": true, "only_wheels": [], "allow_builds": true, "only_builds": [], "prefer_older_binary": false,
 "use_pep517": null, "build_isolation": true, "transitive": true, %s "locked_resolves": [%s], "path_mappings": {}}`, requirements, more, strings.Join(resolves, ", "))
}

// oddLocks are pex locks of what the two real ones do not hold.
func oddLocks() map[string]string {
	any := func(name, version string, dists ...string) string {
		return locked(name, version, "", dists, name+"-"+version+"-py3-none-any.whl")
	}
	return map[string]string{
		"extras":                 pexLockOf([]string{"a[x]"}, "", resolve("", any("a", "1", "b; extra == 'x'", "c; extra == 'y'", "d[z]"), any("b", "1"), any("c", "1"), any("d", "1", "e; extra == 'z'", "f; extra == 'x'"), any("e", "1"), any("f", "1"))),
		"extras that come later": pexLockOf([]string{"a", "b"}, "", resolve("", any("a", "1", "d"), any("b", "1", "d[x]"), any("d", "1", "e; extra == 'x'"), any("e", "1"))),
		"markers":                pexLockOf([]string{"a", "b; python_version >= '3.12'"}, "", resolve("", any("a", "1", "c; python_full_version < '3.11.3'", "d; platform_machine == 'aarch64'"), any("b", "1"), any("c", "1"), any("d", "1"))),
		"cycle":                  pexLockOf([]string{"a"}, "", resolve("", any("a", "1", "b"), any("b", "1", "a"))),
		"requires_python":        pexLockOf([]string{"a"}, "", resolve("", locked("a", "1", "<3.13", nil, "a-1-py3-none-any.whl"))),
		"a version too low":      pexLockOf([]string{"a", "b>=2"}, "", resolve("", any("a", "1"), any("b", "1"))),
		"not in the lock":        pexLockOf([]string{"a"}, "", resolve("", any("a", "1", "gone; platform_machine == 'aarch64'"))),
		"sdist alone":            pexLockOf([]string{"a"}, "", resolve("", locked("a", "1", "", nil, "a-1.tar.gz"))),
		"wheel or sdist":         pexLockOf([]string{"a"}, "", resolve("", locked("a", "1", "", nil, "a-1.tar.gz", "a-1-cp311-cp311-manylinux2014_x86_64.whl", "a-1-cp313-abi3-manylinux_2_17_aarch64.whl"))),
		"no wheel":               pexLockOf([]string{"a"}, "", resolve("", locked("a", "1", "", nil, "a-1-cp311-cp311-manylinux2014_x86_64.whl", "a-1-cp313-cp313-win_amd64.whl"))),
		"excluded":               pexLockOf([]string{"a"}, `"excluded": ["B"],`, resolve("", any("a", "1", "b", "c"), any("b", "1", "d"), any("c", "1"), any("d", "1"))),
		"overridden":             pexLockOf([]string{"a"}, `"overridden": ["b=c", "d==2; python_version < '3.13'"],`, resolve("", any("a", "1", "b", "d==1"), any("b", "1"), any("c", "1"), any("d", "2"))),
		"split":                  pexLockOf([]string{"a"}, "", resolve("platform_machine == 'x86_64'", any("a", "1")), resolve("platform_machine != 'x86_64'", any("a", "2"))),
		"by platform": pexLockOf([]string{"a", "b"}, "", resolve("", any("a", "1"), locked("b", "1", "", nil, "b-1-cp311-cp311-manylinux2014_x86_64.whl")), resolve("", any("a", "1"), locked("b", "1", "", nil, "b-1-cp311-cp311-manylinux2014_aarch64.whl")),
			resolve("", any("a", "1"), locked("b", "1", "", nil, "b-1-cp312-cp312-manylinux_2_5_x86_64.manylinux1_x86_64.whl"))),
		"the most specific": pexLockOf([]string{"a"}, "", resolve("", locked("a", "1", "", nil, "a-1-cp311-cp311-manylinux2014_x86_64.whl")), resolve("", locked("a", "1", "", nil, "a-1-py2.py3-none-any.whl")), resolve("", any("a", "1"))),
		"tie":               pexLockOf([]string{"a", "b"}, "", resolve("", locked("a", "1", "", nil, "a-1-py2.py3-none-any.whl", "a-1-py3-none-any.whl"), locked("b", "1", "", nil, "b-1-1-py3-none-any.whl", "b-1-py3-none-any.whl"))),
		"not transitive":    strings.Replace(pexLockOf([]string{"a"}, "", resolve("", any("a", "1", "b"))), `"transitive": true`, `"transitive": false`, 1),
		"arbitrary version": pexLockOf([]string{"a===1.0"}, "", resolve("", any("a", "1.0"))),
	}
}

// TestRealPexLock lets pex make a lock of each style, and compares the choice from it.
func TestRealPexLock(t *testing.T) {
	o := newOracle(t)
	for _, style := range []string{"universal", "strict"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "pex.lock")
			args := []string{"-m", "pex.cli", "lock", "create", "--style", style, "--pip-version", "26.2.1", "--no-allow-pip-version-fallback", "--pex-root", o.root, "-o", path}
			if style == "universal" {
				args = append(args, "--target-system", "linux", "--interpreter-constraint", "CPython>=3.11,<3.14")
			}
			o.run(t, append(args, "PyYAML==6.0.1", "importlib-metadata==8.5.0; python_version < '3.12'")...)
			l, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if l.Kind != PexLock || !l.Hashed || !slices.Contains(l.Wheels("pyyaml"), "PyYAML-6.0.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl") {
				t.Errorf("%s, hashed %v, %v", l.Kind, l.Hashed, l.Wheels("pyyaml"))
			}
			o.compare(t, "pex", map[string]string{style: path})
		})
	}
}

// pipLine is one requirement as pip reads it.
type pipLine struct {
	Name, Specifier, Marker, Link, Line string
	Editable, Constraint                bool
	Hashes                              []string
}

// TestRequirementsAsPip compares what pip reads from files of all that its grammar knows.
func TestRequirementsAsPip(t *testing.T) {
	o := newOracle(t)
	var paths []string
	for _, name := range []string{"requirements.txt", "hashed.txt"} {
		path, err := filepath.Abs(filepath.Join("testdata/pip", name))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	var answers [][]pipLine
	o.ask(t, &answers, append([]string{"pip"}, paths...)...)
	for i, path := range paths {
		l, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		r := l.selector.(*requirements)
		got := append(pipLines(r.packages, false), pipLines(r.constraints, true)...)
		want := answers[i]
		for j := range want {
			want[j].Name = wheel.Normalize(want[j].Name)
			set, err := pep.ParseSpecifiers(want[j].Specifier)
			if err != nil {
				t.Fatal(err)
			}
			want[j].Specifier = "" // ranges are left to pip
			if version, ok := set.Pin(); ok && want[j].Link == "" {
				want[j].Specifier = "==" + version
			}
		}
		byLine := func(a, b pipLine) int { return strings.Compare(a.Line, b.Line) }
		slices.SortStableFunc(want, byLine)
		slices.SortStableFunc(got, byLine)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-pip +ours):\n%s", path, diff)
		}
	}
}

func pipLines(packages []Package, constraint bool) []pipLine {
	var lines []pipLine
	for _, p := range packages {
		line := pipLine{Name: p.Name, Marker: p.Marker, Line: filepath.Base(p.Line), Constraint: constraint, Hashes: append([]string{}, p.Hashes...)}
		for _, f := range p.files() {
			line.Link = f.Name
		}
		switch {
		case p.Source != nil:
			line.Editable = p.Source.Editable
			line.Link = map[From]string{FromVCS: "vcs", FromDirectory: "dir", FromArchive: line.Link}[p.Source.From]
		case p.Version != "" && len(p.Wheels) == 0:
			line.Specifier = "==" + p.Version
		}
		lines = append(lines, line)
	}
	return lines
}
