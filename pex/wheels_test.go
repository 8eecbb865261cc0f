package pex

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/lock"
)

// shop is an index with a compiled distribution for two platforms, pure ones, and source distributions that
// are pure, compiled and broken. Its pip finds the build backend there, too.
type shop struct {
	*testenv.IndexServer
	dir string
}

func newShop(t *testing.T, o testenv.IndexOptions) shop {
	t.Helper()
	dir := t.TempDir()
	for _, w := range []testenv.Wheels{
		{Python: "3.13", Platform: "linux/arm64", Requirements: []string{"MarkupSafe==3.0.2"}},
		{Python: "3.13", Requirements: []string{"MarkupSafe==3.0.2", "setuptools==83.0.0"}},
	} {
		from := testenv.Wheelhouse(t, w)
		names, _ := filepath.Glob(filepath.Join(from, "*.whl"))
		for _, name := range names {
			if err := os.Symlink(name, filepath.Join(dir, filepath.Base(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	distribution{name: "jinja", version: "1.0", requires: []string{"markupsafe>=3", "colour; sys_platform == 'win32'"}}.write(t, dir)
	distribution{name: "colour", version: "2.0"}.write(t, dir)
	distribution{name: "newer", version: "1.0", python: ">=3.14"}.write(t, dir)
	sdist(t, dir, "pure-source", "1.0", nil)
	sdist(t, dir, "compiled", "1.0", map[string]string{
		"setup.py": "from setuptools import setup, Extension\nsetup(ext_modules=[Extension('_compiled', ['c.c'])], py_modules=['compiled'])\n",
		"c.c":      "#include <Python.h>\nstatic struct PyModuleDef m={PyModuleDef_HEAD_INIT,\"_compiled\",0,-1,0};\nPyMODINIT_FUNC PyInit__compiled(void){return PyModule_Create(&m);}\n",
	})
	sdist(t, dir, "broken", "1.0", map[string]string{"setup.py": "raise SystemExit('there is no compiler')\n"})
	return shop{testenv.Index(t, dir, o), dir}
}

// sdist writes a source distribution that setuptools builds.
func sdist(t *testing.T, dir, name, version string, files map[string]string) {
	t.Helper()
	module := strings.ReplaceAll(name, "-", "_")
	stem := module + "-" + version
	all := map[string]string{
		"pyproject.toml": fmt.Sprintf("[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = %q\nversion = %q\n[tool.setuptools]\npy-modules = [%q]\n", name, version, module),
		module + ".py":   "x = 1\n",
		"PKG-INFO":       fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version),
	}
	for path, content := range files {
		all[path] = content
	}
	file, err := os.Create(filepath.Join(dir, stem+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	compressed := gzip.NewWriter(file)
	archive := tar.NewWriter(compressed)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		content := all[path]
		if err := archive.WriteHeader(&tar.Header{Name: stem + "/" + path, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), compressed.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

const (
	arm64Wheel = "MarkupSafe-3.0.2-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
	amd64Wheel = "MarkupSafe-3.0.2-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
)

// sum is the digest of a file of the shop, whatever the case of its name.
func (s shop) sum(t *testing.T, file string) string { return digest(t, filepath.Join(s.dir, file)) }

func (s shop) requirement(t *testing.T, name, version string, files ...string) string {
	t.Helper()
	line := name + "==" + version
	for _, file := range files {
		line += " --hash=sha256:" + s.sum(t, file)
	}
	return line + "\n"
}

// pylock is a package of a pylock.toml.
func (s shop) pylock(t *testing.T, name, version, marker string, files ...string) string {
	t.Helper()
	text := fmt.Sprintf("[[packages]]\nname = %q\nversion = %q\n", name, version)
	if marker != "" {
		text += fmt.Sprintf("marker = %q\n", marker)
	}
	var wheels []string
	for _, file := range files {
		entry := fmt.Sprintf("{ name = %q, url = %q, hashes = { sha256 = %q } }", file, s.FileURL(file), s.sum(t, file))
		if strings.HasSuffix(file, ".tar.gz") {
			text += "sdist = " + entry + "\n"
		} else {
			wheels = append(wheels, entry)
		}
	}
	if len(wheels) > 0 {
		text += "wheels = [" + strings.Join(wheels, ", ") + "]\n"
	}
	return text
}

const pylockHead = "lock-version = \"1.0\"\ncreated-by = \"test\"\nextras = [\"tint\"]\n"

// readLock writes and reads a lock that no earlier run of a test has seen: results are recorded by its digest.
func readLock(t *testing.T, name, text string) *lock.Lock {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	l, err := lock.Read(writeText(t, path, fmt.Sprintf("# %s %d\n", path, os.Getpid())+text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// locks are the same choice in the three kinds that are read.
func (s shop) locks(t *testing.T, tool *Tool) map[string]*lock.Lock {
	t.Helper()
	markupsafe := []string{arm64Wheel, amd64Wheel}
	if _, err := os.Stat(filepath.Join(s.dir, arm64Wheel)); err != nil {
		t.Fatal(err)
	}
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := tool.root(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tool.pip(t.Context(), p, root); err != nil {
		t.Fatal(err)
	}
	pexLock := filepath.Join(t.TempDir(), "pex.lock")
	_, err = tool.runPex(t.Context(), p, command{what: "pex3 lock create", argv: tool.pexCommand(p, "pex.cli",
		"lock", "create", "--pip-version="+PipVersion, "--no-pypi", "--index="+s.URL, "--style=universal", "--target-system=linux",
		"--output="+pexLock, "jinja==1.0")}, root)
	if err != nil {
		t.Fatal(err)
	}
	fromPex, err := lock.Read(pexLock)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*lock.Lock{
		"requirements": readLock(t, "requirements.txt", s.requirement(t, "jinja", "1.0", "jinja-1.0-py3-none-any.whl")+
			s.requirement(t, "MarkupSafe", "3.0.2", markupsafe...)),
		"pylock": readLock(t, "pylock.toml", pylockHead+s.pylock(t, "jinja", "1.0", "", "jinja-1.0-py3-none-any.whl")+
			s.pylock(t, "markupsafe", "3.0.2", "", markupsafe...)+
			s.pylock(t, "colour", "2.0", "'tint' in extras", "colour-2.0-py3-none-any.whl")),
		"pex lock": fromPex,
	}
}

// The wheels of a lock are the same for each kind of lock, on a foreign platform, from an index with a
// password; the second time nothing is started and nobody is asked.
func TestWheelsOfALock(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	for name, l := range shop.locks(t, tool) {
		t.Run(name, func(t *testing.T) {
			for machine, file := range map[string]string{"aarch64": arm64Wheel, "x86_64": amd64Wheel} {
				if machine == "x86_64" && name == "pylock" {
					continue // one less is proof enough
				}
				want := []string{"jinja-1.0-py3-none-any.whl", file}
				r := WheelsRequest{Lock: l, Target: linux("3.13.5", machine)}
				wheels, err := tool.Wheels(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, fileNames(wheels)); diff != "" {
					t.Error(diff)
				}
				for _, w := range wheels {
					if w.SHA256 != shop.sum(t, w.Name.File) {
						t.Errorf("%s is another file", w.Path)
					}
				}
				shop.Reset()
				again := provide(t, from(shop.URL))
				cached, err := again.Wheels(t.Context(), r)
				if diff := cmp.Diff(fileNames(wheels), fileNames(cached)); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
				if n, asked := again.Stats().Processes, shop.Requests(); n != 0 || len(asked) != 0 {
					t.Errorf("the second time %d processes were started and %v asked for", n, asked)
				}
			}
		})
	}
}

func TestExtrasOfAPylock(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	l := readLock(t, "pylock.toml", pylockHead+shop.pylock(t, "colour", "2.0", "'tint' in extras", "colour-2.0-py3-none-any.whl")+
		shop.pylock(t, "jinja", "1.0", "", "jinja-1.0-py3-none-any.whl"))
	for extra, want := range map[string][]string{
		"": {"jinja-1.0-py3-none-any.whl"}, "tint": {"colour-2.0-py3-none-any.whl", "jinja-1.0-py3-none-any.whl"},
	} {
		wheels, err := tool.Wheels(t.Context(), WheelsRequest{
			Lock: l, Extras: strings.Fields(extra), Target: linux("3.11.2", "x86_64"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, fileNames(wheels)); diff != "" {
			t.Errorf("extra %q: %s", extra, diff)
		}
	}
}

// Without a lock the index is asked each time, and the user is told.
func TestWheelsWithoutALock(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	var warnings, updates []string
	tool := provide(t, func(o *Options) {
		from(shop.URL)(o)
		o.Warn = func(text string) { warnings = append(warnings, text) }
	})
	r := WheelsRequest{
		Requirements: []string{"jinja"}, Exclude: []string{"colour"}, Constraints: []string{"markupsafe<4"},
		Target: linux("3.13.5", "aarch64"), Update: func(detail string) { updates = append(updates, detail) },
	}
	for range 2 {
		shop.Reset()
		wheels, err := tool.Wheels(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"jinja-1.0-py3-none-any.whl", arm64Wheel}, fileNames(wheels)); diff != "" {
			t.Error(diff)
		}
		if shop.Count("jinja") == 0 {
			t.Error("the index was not asked")
		}
	}
	if len(warnings) != 2 || !strings.Contains(warnings[0], "not reproducible") {
		t.Errorf("warnings: %q", warnings)
	}
	if !slices.Contains(updates, "collecting jinja") {
		t.Errorf("updates: %q", updates)
	}
}

// What only a source distribution offers is built here; the wheel is in normal form, and its build
// requirements are those of the constraints, or are said not to be pinned.
func TestWheelsBuiltFromSource(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	// pex keeps what it has built; of this source there is nothing in the store of an earlier run.
	sdist(t, shop.dir, "pure-source", "1.0", map[string]string{"unique.txt": shop.dir + strconv.Itoa(os.Getpid())})
	l := readLock(t, "requirements.txt", shop.requirement(t, "pure-source", "1.0", "pure_source-1.0.tar.gz"))
	for _, constraints := range [][]string{nil, {"setuptools==83.0.0"}} {
		var warnings []string
		tool := provide(t, func(o *Options) {
			from(shop.URL)(o)
			o.Warn = func(text string) { warnings = append(warnings, text) }
		})
		r := WheelsRequest{Lock: l, Target: linux("3.13.5", "aarch64"), BuildConstraints: constraints}
		for range 2 { // collected, then recorded
			wheels, err := tool.Wheels(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if len(wheels) != 1 {
				t.Errorf("got %v", fileNames(wheels))
			}
			checkNormal(t, wheels[0].Path)
		}
		if (len(warnings) == 2) != (constraints == nil) {
			t.Errorf("with constraints %q there are the warnings %q", constraints, warnings)
		}
	}
	tool := provide(t, from(shop.URL))
	_, err := tool.Wheels(t.Context(), WheelsRequest{
		Requirements: []string{"pure-source"}, Target: linux("3.11.2", "x86_64"), BuildConstraints: []string{"setuptools==1.0"},
	})
	if err == nil || !strings.Contains(err.Error(), "setuptools") {
		t.Errorf("constraints that nothing meets: %v", err)
	}
}

func TestCompiledWheelsForTheTargetsMinorVersion(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	wheels, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"compiled"}, Target: linux("3.11.2", "x86_64")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"compiled-1.0-cp311-cp311-linux_x86_64.whl"}, fileNames(wheels)); diff != "" {
		t.Error(diff)
	}
}

// Each thing that can be missing is said by name, with what there is instead.
func TestMissingWheels(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	arm64, amd64 := linux("3.13.5", "aarch64"), linux("3.11.2", "x86_64")
	for name, c := range map[string]struct {
		r     WheelsRequest
		exist []string
		sdist string
		want  string
	}{
		"on the index": {
			r:     WheelsRequest{Requirements: []string{"jinja==1.0"}, Target: amd64},
			exist: []string{arm64Wheel, amd64Wheel}, want: "markupsafe",
		},
		"in hashed requirements": {
			r: WheelsRequest{
				Lock: readLock(t, "requirements.txt", shop.requirement(t, "markupsafe", "3.0.2", arm64Wheel, amd64Wheel)), Target: amd64,
			},
			exist: []string{arm64Wheel, amd64Wheel}, want: "markupsafe 3.0.2",
		},
		"for that Python": {
			r:     WheelsRequest{Requirements: []string{"newer==1.0"}, Target: arm64},
			exist: []string{"newer-1.0-py3-none-any.whl (for Python >=3.14)"}, want: "newer 1.0",
		},
		"a compiled sdist on a foreign platform": {
			r:     WheelsRequest{Requirements: []string{"compiled==1.0"}, Target: arm64},
			sdist: "compiled-1.0.tar.gz", want: "compiled 1.0",
		},
		"a compiled sdist of a lock": {
			r: WheelsRequest{
				Lock: readLock(t, "pylock.toml", pylockHead+shop.pylock(t, "compiled", "1.0", "", "compiled-1.0.tar.gz")), Target: arm64,
			},
			sdist: "compiled-1.0.tar.gz", want: "compiled 1.0",
		},
		"unknown": {
			r: WheelsRequest{Requirements: []string{"nowhere==1.0"}, Target: arm64}, want: "nowhere 1.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tool.Wheels(t.Context(), c.r)
			var missing *MissingWheelError
			if !errors.As(err, &missing) {
				t.Fatalf("got %v", err)
			}
			slices.Sort(missing.Exist)
			if diff := cmp.Diff(c.exist, missing.Exist); diff != "" || missing.Sdist != c.sdist {
				t.Errorf("sdist %q; wheels: %s", missing.Sdist, diff)
			}
			if text := err.Error(); !strings.Contains(text, c.want) || !strings.Contains(text, c.r.Target.String()) {
				t.Errorf("the error is\n%s", text)
			}
		})
	}
}

func TestALockThatLacksAWheelIsFoundWithoutAProcess(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	l := readLock(t, "pylock.toml", pylockHead+shop.pylock(t, "markupsafe", "3.0.2", "", arm64Wheel))
	_, err := tool.Wheels(t.Context(), WheelsRequest{Lock: l, Target: linux("3.13.5", "x86_64")})
	var missing *lock.MissingWheel
	if !errors.As(err, &missing) || missing.Distribution != "markupsafe" || tool.Stats().Processes != 0 {
		t.Errorf("got %v after %+v", err, tool.Stats())
	}
	if wheels, err := tool.Wheels(t.Context(), WheelsRequest{Lock: l, Target: linux("3.13.5", "x86_64"), Exclude: []string{"MarkupSafe"}}); err != nil || len(wheels) != 0 {
		t.Errorf("excluded, it is still missed: %v, %v", wheels, err)
	}
}

func TestASourceThatDoesNotBuild(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	_, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"broken"}, Target: linux("3.11.2", "x86_64")})
	var failed *SdistError
	if !errors.As(err, &failed) || failed.Distribution != "broken" || !strings.Contains(err.Error(), "there is no compiler") {
		t.Fatalf("got %v", err)
	}
}

// A file that is not the locked one: its name and both digests, for each kind of lock.
func TestWheelsThatAreNotTheLockedOnes(t *testing.T) {
	t.Parallel()
	const file = "tampered-1.0-py3-none-any.whl"
	shop := newShop(t, testenv.IndexOptions{})
	// Of this content there is no copy in any cache of an earlier run.
	distribution{name: "tampered", version: "1.0", files: map[string]string{"x.py": shop.dir + strconv.Itoa(os.Getpid())}}.write(t, shop.dir)
	want := shop.sum(t, file)
	tool := provide(t, from(shop.URL, "PIP_NO_CACHE_DIR=1"))
	locks := map[string]*lock.Lock{
		"requirements": readLock(t, "requirements.txt", shop.requirement(t, "tampered", "1.0", file)),
		"pylock":       readLock(t, "pylock.toml", pylockHead+shop.pylock(t, "tampered", "1.0", "", file)),
	}
	shop.Fail(file, testenv.Fault{Corrupt: true})
	for name, l := range locks {
		t.Run(name, func(t *testing.T) {
			_, err := tool.Wheels(t.Context(), WheelsRequest{Lock: l, Target: linux("3.13.5", "aarch64")})
			var other *HashError
			if !errors.As(err, &other) {
				t.Fatalf("got %v", err)
			}
			if other.File != file || other.Want != want || len(other.Got) != 64 || other.Got == want {
				t.Errorf("%+v", other)
			}
		})
	}
}

// A wheel that was damaged in the store is fetched again.
func TestADamagedStore(t *testing.T) {
	t.Parallel()
	shop := newShop(t, testenv.IndexOptions{})
	tool := provide(t, from(shop.URL))
	r := WheelsRequest{
		Lock: readLock(t, "requirements.txt", shop.requirement(t, "colour", "2.0", "colour-2.0-py3-none-any.whl")), Target: linux("3.13.5", "aarch64"),
	}
	wheels, err := tool.Wheels(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(wheels[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := errors.Join(os.Remove(wheels[0].Path), os.WriteFile(wheels[0].Path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
	again, err := tool.Wheels(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got := digest(t, again[0].Path); got != shop.sum(t, "colour-2.0-py3-none-any.whl") {
		t.Errorf("the damaged wheel was used: %s", got)
	}
}
