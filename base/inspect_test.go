package base

import (
	"debug/elf"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/internal/binary/elftest"
)

const usualPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func TestPython(t *testing.T) {
	libpython := func(minor string, hex uint32, literals ...string) string {
		return string(elftest.File{Soname: "libpython" + minor + ".so.1.0", PyVersion: hex, Strings: literals}.Bytes())
	}
	linked := func(minor, runPath string) string {
		return string(elftest.File{Interp: loader64, RunPath: runPath, Needed: []string{"libpython" + minor + ".so.1.0", "libc.so.6"}}.Bytes())
	}
	for name, c := range map[string]struct {
		files  files
		env    []string
		python string // Options.Python
		want   Python
		others []string
	}{
		"Debian": {
			files: debian,
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3.11", Invoked: "/usr/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib/python3.11",
				CacheTag: "cpython-311", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
		"two, and the hint fits": {
			files: debian.with(pythonAt("usr/local", "3.12", elfPython(0x030c01f0))),
			env:   []string{usualPath, "PYTHON_VERSION=3.12.1"},
			want: Python{
				Version: "3.12.1", Path: "/usr/local/bin/python3.12", Invoked: "/usr/local/bin/python3", Prefix: "/usr/local", Stdlib: "/usr/local/lib/python3.12",
				CacheTag: "cpython-312", How: "first python3 on the image's PATH; version from Py_Version, as PYTHON_VERSION says",
			},
			others: []string{"/usr/bin/python3.11"},
		},
		"chosen by path, and the hint does not fit": {
			files:  debian.with(pythonAt("usr/local", "3.12", elfPython(0x030c01f0))),
			env:    []string{usualPath, "PYTHON_VERSION=3.12.1"},
			python: "/bin/python3",
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3.11", Invoked: "/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib/python3.11",
				CacheTag: "cpython-311", How: "asked for as /bin/python3; version from Py_Version, though PYTHON_VERSION says 3.12.1",
			},
			others: []string{"/usr/local/bin/python3.12"},
		},
		"chosen by name": {
			files:  debian.with(pythonAt("usr/local", "3.12", elfPython(0x030c01f0))),
			env:    []string{usualPath},
			python: "python3.11",
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3.11", Invoked: "/usr/bin/python3.11", Prefix: "/usr", Stdlib: "/usr/lib/python3.11",
				CacheTag: "cpython-311", How: "asked for as python3.11; version from Py_Version",
			},
			others: []string{"/usr/local/bin/python3.12"},
		},
		"uv's layout, on PATH": {
			files: glibc("2.28").with(pythonAt("opt/python/cpython-3.13.5-linux-x86_64-gnu", "3.13", elfPython(0x030d05f0))),
			env:   []string{"PATH=/opt/python/cpython-3.13.5-linux-x86_64-gnu/bin:/usr/bin"},
			want: Python{
				Version: "3.13.5", Path: "/opt/python/cpython-3.13.5-linux-x86_64-gnu/bin/python3.13", Invoked: "/opt/python/cpython-3.13.5-linux-x86_64-gnu/bin/python3",
				Prefix: "/opt/python/cpython-3.13.5-linux-x86_64-gnu", Stdlib: "/opt/python/cpython-3.13.5-linux-x86_64-gnu/lib/python3.13",
				CacheTag: "cpython-313", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
		"uv's virtual environment of links": {
			files: glibc("2.28").with(pythonAt("root/.local/share/uv/python/cpython-3.13", "3.13", elfPython(0x030d05f0)), files{
				"app/.venv/bin/python":  "->/root/.local/share/uv/python/cpython-3.13/bin/python3.13",
				"app/.venv/bin/python3": "->python",
				"app/.venv/pyvenv.cfg":  "home = /root/.local/share/uv/python/cpython-3.13/bin\n",
			}),
			env: []string{"PATH=/app/.venv/bin:/usr/bin"},
			want: Python{
				Version: "3.13.5", Path: "/root/.local/share/uv/python/cpython-3.13/bin/python3.13", Invoked: "/root/.local/share/uv/python/cpython-3.13/bin/python3.13",
				Prefix: "/root/.local/share/uv/python/cpython-3.13", Stdlib: "/root/.local/share/uv/python/cpython-3.13/lib/python3.13",
				CacheTag: "cpython-313", How: "first python3 on the image's PATH, through the virtual environment /app/.venv; version from Py_Version",
			},
		},
		"a virtual environment of copies": {
			files: debian.with(files{
				"opt/venv/bin/python3": elfPython(0x030b02f0),
				"opt/venv/pyvenv.cfg":  "include-system-site-packages = false\nhome = /usr/bin\nversion = 3.11.2\n",
			}),
			env: []string{"PATH=/opt/venv/bin:/usr/bin"},
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3.11", Invoked: "/usr/bin/python3.11", Prefix: "/usr", Stdlib: "/usr/lib/python3.11",
				CacheTag: "cpython-311", How: "first python3 on the image's PATH, through the virtual environment /opt/venv; version from Py_Version",
			},
		},
		"only python3.X": {
			files: glibc("2.41").with(files{
				"usr/bin/python3.12": elfPython(0x030c00f0), "usr/lib/python3.12/os.py": "",
				"usr/bin/python3.9": elfPython(0, "3.9.2"), "usr/lib/python3.9/os.py": "",
			}),
			want: Python{
				Version: "3.12.0", Path: "/usr/bin/python3.12", Invoked: "/usr/bin/python3.12", Prefix: "/usr", Stdlib: "/usr/lib/python3.12",
				CacheTag: "cpython-312", How: "first python3.12 on the image's PATH; version from Py_Version",
			},
			others: []string{"/usr/bin/python3.9"},
		},
		"only python, and a Python 2 before it": {
			files: glibc("2.31").with(files{
				"usr/local/bin/python": "->python2.7", "usr/local/bin/python2.7": elfPython(0, "2.7.18"),
				"usr/bin/python": elfPython(0, "3.8.10"), "usr/lib/python3.8/os.py": "",
			}),
			want: Python{
				Version: "3.8.10", Path: "/usr/bin/python", Invoked: "/usr/bin/python", Prefix: "/usr", Stdlib: "/usr/lib/python3.8",
				CacheTag: "cpython-38", How: "python on the image's PATH; version from PY_VERSION in the executable",
			},
		},
		"the version in libpython, found by RUNPATH": {
			files: glibc("2.31").with(files{
				"opt/py/bin/python3":                     linked("3.10", "$ORIGIN/../lib"),
				"opt/py/lib/libpython3.10.so.1.0":        libpython("3.10", 0, "/opt/src/Python-3.10.13"),
				"opt/py/lib/python3.10/os.py":            "",
				"usr/local/lib/libpython3.10.so.1.0":     libpython("3.10", 0, "3.10.1"),
				"opt/py/lib/python3.10/lib-dynload/x.so": "",
			}),
			env: []string{"PATH=/opt/py/bin"},
			want: Python{
				Version: "3.10.13", Path: "/opt/py/bin/python3", Invoked: "/opt/py/bin/python3", Prefix: "/opt/py", Stdlib: "/opt/py/lib/python3.10",
				CacheTag: "cpython-310", How: "first python3 on the image's PATH; version from PY_VERSION in the executable",
			},
		},
		"libpython found by ld.so.conf, in lib64": {
			files: glibc("2.34").with(files{
				"usr/bin/python3.9":                 linked("3.9", ""),
				"usr/bin/python3":                   "->python3.9",
				"usr/lib64/libpython3.9.so.1.0":     libpython("3.9", 0, "3.9.18"),
				"usr/lib64/python3.9/os.py":         "",
				"usr/lib/python3.9/site-packages/x": "",
			}),
			want: Python{
				Version: "3.9.18", Path: "/usr/bin/python3.9", Invoked: "/usr/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib64/python3.9",
				CacheTag: "cpython-39", How: "first python3 on the image's PATH; version from PY_VERSION in the executable",
			},
		},
		"other versions among the strings": {
			files: glibc("2.31").with(pythonAt("usr", "3.8", elfPython(0, "3.2.0", "OpenSSL 3.0.11", "SQLite 3.45.1", "/src/Python-3.8.10", "13.8.2", "3.8.18"))),
			want: Python{
				Version: "3.8.18", Path: "/usr/bin/python3.8", Invoked: "/usr/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib/python3.8",
				CacheTag: "cpython-38", How: "first python3 on the image's PATH; version from PY_VERSION in the executable",
			},
		},
		"patchlevel.h decides": {
			files: glibc("2.31").with(pythonAt("usr", "3.8", elfPython(0, "3.8.10", "3.8.18")), files{
				"usr/include/python3.8/patchlevel.h": "/* x */\n#define PY_VERSION      	\"3.8.10\"\n",
			}),
			want: Python{
				Version: "3.8.10", Path: "/usr/bin/python3.8", Invoked: "/usr/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib/python3.8",
				CacheTag: "cpython-38", How: "first python3 on the image's PATH; version from patchlevel.h",
			},
		},
		"release candidate, built from a checkout": {
			files: glibc("2.41").with(pythonAt("usr/local", "3.14", elfPython(0x030e00c1, "3.14.0rc1+", ".cpython-314-x86_64-linux-gnu.so"))),
			want: Python{
				Version: "3.14.0rc1", Local: true, Path: "/usr/local/bin/python3.14", Invoked: "/usr/local/bin/python3", Prefix: "/usr/local", Stdlib: "/usr/local/lib/python3.14",
				CacheTag: "cpython-314", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
		"two libraries beside it": {
			files: glibc("2.36").with(pythonAt("usr/local", "3.13", elfPython(0x030d01f0)), files{"usr/local/lib/python3.12/os.py": ""}),
			want: Python{
				Version: "3.13.1", Path: "/usr/local/bin/python3.13", Invoked: "/usr/local/bin/python3", Prefix: "/usr/local", Stdlib: "/usr/local/lib/python3.13",
				CacheTag: "cpython-313", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
		"PYTHONHOME": {
			files: glibc("2.36").with(files{
				"usr/bin/python3": elfPython(0x030b02f0), "opt/home/lib/python3.11/os.py": "",
			}),
			env: []string{"PYTHONHOME=/opt/home"},
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3", Invoked: "/usr/bin/python3", Prefix: "/opt/home", Stdlib: "/opt/home/lib/python3.11",
				CacheTag: "cpython-311", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
		"one that cannot be used elsewhere": {
			files: debian.with(files{"opt/pypy/bin/python3": elfPython(0)}),
			want: Python{
				Version: "3.11.2", Path: "/usr/bin/python3.11", Invoked: "/usr/bin/python3", Prefix: "/usr", Stdlib: "/usr/lib/python3.11",
				CacheTag: "cpython-311", How: "first python3 on the image's PATH; version from Py_Version",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Implementation = "cpython"
			v, err := inspectImage(t, newImage(t, amd64, c.env, c.files.tar(t)), Options{Python: c.python})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, v.Python); diff != "" {
				t.Error(diff)
			}
			var others []string
			for _, o := range v.Others {
				others = append(others, o.Path)
			}
			if diff := cmp.Diff(c.others, others); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoUsablePython(t *testing.T) {
	for name, c := range map[string]struct {
		files  files
		env    []string
		python string
		want   []string // in the error
		hint   string   // in its hint
	}{
		"none": {
			files: glibc("2.36"),
			want:  []string{"example.com/base:1 (linux/amd64): no Python on its PATH; PATH is /usr/local/sbin:/usr/local/bin"},
			hint:  "choose a base with CPython 3.8 to 3.14",
		},
		"not on PATH": {
			files: debian, env: []string{"PATH=/opt/bin"},
			want: []string{"no Python on its PATH; PATH is /opt/bin", "/usr/bin/python3.11: Python 3.11.2"},
			hint: "--python /usr/bin/python3.11",
		},
		"too old": {
			files: glibc("2.28").with(pythonAt("usr", "3.7", elfPython(0, "3.7.3"))),
			want:  []string{"/usr/bin/python3 (first python3 on the image's PATH) cannot be used: Python 3.7.3, and pexko supports 3.8 to 3.14"},
		},
		"too new": {
			files: glibc("2.41").with(pythonAt("usr", "3.15", elfPython(0x030f00a1))),
			want:  []string{"Python 3.15.0a1, and pexko supports"},
		},
		"PyPy first, CPython after it": {
			files: debian.with(files{
				"opt/pypy/bin/pypy3.10": elfPython(0), "opt/pypy/bin/python3": "->pypy3.10",
			}),
			env:  []string{"PATH=/opt/pypy/bin:/usr/bin"},
			want: []string{"/opt/pypy/bin/python3 (first python3 on the image's PATH) cannot be used: pypy3.10, and pexko supports CPython alone", "/usr/bin/python3.11: Python 3.11.2"},
			hint: "--python /usr/bin/python3.11",
		},
		"PyPy by its library": {
			files: debian.with(files{"usr/local/bin/python3": string(elftest.File{Interp: loader64, Needed: []string{"libpypy3.10-c.so"}}.Bytes())}),
			want:  []string{"PyPy, and pexko supports CPython alone"},
		},
		"free-threaded by its library": {
			files: glibc("2.41").with(files{
				"usr/local/bin/python3.13t": elfPython(0x030d00f0), "usr/local/bin/python3": "->python3.13t", "usr/local/lib/python3.13t/os.py": "",
			}),
			want: []string{"Python 3.13.0, free-threaded, which pexko does not support"},
		},
		"free-threaded by its strings": {
			files: glibc("2.41").with(pythonAt("usr/local", "3.14", elfPython(0x030e00f0, ".cpython-314t-x86_64-linux-gnu.so"))),
			want:  []string{"Python 3.14.0, free-threaded"},
		},
		"debug build": {
			files: glibc("2.41").with(pythonAt("usr/local", "3.12", elfPython(0x030c00f0, ".cpython-312d-x86_64-linux-gnu.so"))),
			want:  []string{"Python 3.12.0, a debug build"},
		},
		"script": {
			files: debian.with(files{"root/.pyenv/shims/python3": "#!/usr/bin/env bash\n"}), env: []string{"PATH=/root/.pyenv/shims:/usr/bin"},
			want: []string{"/root/.pyenv/shims/python3 (first python3 on the image's PATH) cannot be used", "a script or the like, and inspection runs nothing"},
			hint: "--python /usr/bin/python3.11",
		},
		"other architecture": {
			files: debian.with(files{"usr/local/bin/python3": string(elftest.File{Machine: elf.EM_AARCH64, Interp: "/lib/ld-linux-aarch64.so.1"}.Bytes())}),
			want:  []string{"made for EM_AARCH64, not for x86_64"},
		},
		"static": {
			files: glibc("2.36").with(pythonAt("usr", "3.11", string(elftest.File{Static: true, PyVersion: 0x030b02f0}.Bytes()))),
			want:  []string{"statically linked"},
		},
		"damaged": {
			files: glibc("2.36").with(pythonAt("usr", "3.11", elfPython(0x030b02f0)[:300])),
			want:  []string{"damaged ELF file"},
		},
		"no standard library": {
			files: glibc("2.36").with(files{"usr/bin/python3": elfPython(0x030b02f0)}),
			want:  []string{"no standard library (lib/python3.X/os.py) beside it"},
		},
		"standard library of another release": {
			files: glibc("2.36").with(pythonAt("usr", "3.10", elfPython(0x030b02f0))),
			want:  []string{"it is Python 3.11.2, but the standard library beside it is that of 3.10"},
		},
		"no version": {
			files: glibc("2.36").with(pythonAt("usr", "3.10", elfPython(0, "2.7.18"))),
			want:  []string{"no version of Python 3.10 is in the executable"},
		},
		"several versions": {
			files: glibc("2.36").with(pythonAt("usr", "3.10", elfPython(0, "3.10.1", "3.10.2"))), env: []string{"PYTHON_VERSION=3.10.2"},
			want: []string{"its version may be any of 3.10.1, 3.10.2"},
		},
		"libpython missing": {
			files: glibc("2.36").with(pythonAt("usr", "3.10", string(elftest.File{Interp: loader64, Needed: []string{"libpython3.10.so.1.0"}}.Bytes()))),
			want:  []string{"it needs libpython3.10.so.1.0, which is not in the image"},
		},
		"virtual environment without its base": {
			files: glibc("2.36").with(files{"opt/venv/bin/python3": elfPython(0), "opt/venv/pyvenv.cfg": "home = /usr/bin\n"}), env: []string{"PATH=/opt/venv/bin"},
			want: []string{"of the virtual environment /opt/venv, whose base Python is not in the image"},
		},
		"asked for and not there": {
			files: debian, python: "/opt/python3",
			want: []string{"no executable /opt/python3 in it", "/usr/bin/python3: is there"},
		},
		"asked for and not usable": {
			files: debian.with(files{"opt/python3": elfPython(0)}), python: "/opt/python3",
			want: []string{"/opt/python3 (asked for as /opt/python3) cannot be used: no version of Python 3.11 is in the executable", "/usr/bin/python3.11: Python 3.11.2"},
			hint: "--python /usr/bin/python3.11",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inspectImage(t, newImage(t, amd64, c.env, c.files.tar(t)), Options{Python: c.python})
			var no *PythonError
			if !errors.As(err, &no) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q\nlacks %q", err, want)
				}
			}
			if !strings.Contains(no.Hint(), c.hint) {
				t.Errorf("hint %q lacks %q", no.Hint(), c.hint)
			}
		})
	}
}

func TestBrokenLibc(t *testing.T) {
	for name, c := range map[string]struct {
		files files
		want  string
	}{
		"no libc":         {debian.with(files{"usr/lib/x86_64-linux-gnu/libc.so.6": "->nowhere"}), "needs libc.so.6, which is in none of /usr/local/lib:/lib/x86_64-linux-gnu"},
		"no loader":       {debian.with(files{"usr/lib64/ld-linux-x86-64.so.2": "->nowhere"}), "the loader of /usr/bin/python3.11, /lib64/ld-linux-x86-64.so.2, is not in the image"},
		"no version":      {debian.with(files{"usr/lib/x86_64-linux-gnu/libc.so.6": "\x7fELF glibc two\x00"}), "0 different strings in it look like the version of glibc"},
		"two versions":    {debian.with(files{"usr/lib/x86_64-linux-gnu/libc.so.6": "glibc 2.36\x00glibc 2.37\x00"}), "2 different strings"},
		"musl, no number": {muslFiles.with(files{"lib/ld-musl-x86_64.so.1": "\x7fELFmusl\x00"}), "0 different strings in it look like the version of musl"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inspectImage(t, newImage(t, amd64, nil, c.files.tar(t)), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "example.com/base:1 (linux/amd64): ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestMusl(t *testing.T) {
	v, err := inspectImage(t, newImage(t, amd64, nil, muslFiles.tar(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Libc{Musl, "1.2.5", "/lib/ld-musl-x86_64.so.1"}); v.Libc != want || v.Python.Version != "3.12.7" {
		t.Errorf("%+v, Python %s", v.Libc, v.Python.Version)
	}
	if got := v.Target.Tags[2].String(); got != "cp312-cp312-musllinux_1_0_x86_64" {
		t.Error(got)
	}
	if v.System.OS != (OS{"alpine", "3.20.3", "Alpine Linux v3.20"}) || v.System.Shell {
		t.Errorf("%+v", v.System)
	}
}

func TestARM(t *testing.T) {
	soft, hard := arm(false), arm(true)
	soft.Interp, soft.Needed, soft.PyVersion = "/lib/ld-linux.so.3", []string{"libc.so.6"}, 0x030b02f0
	hard.Interp, hard.Needed, hard.PyVersion = "/lib/ld-linux-armhf.so.3", []string{"libc.so.6"}, 0x030b02f0
	system := files{"lib/ld-linux.so.3": "\x7fELF", "lib/ld-linux-armhf.so.3": "\x7fELF", "lib/libc.so.6": "glibc 2.36\x00"}
	v7 := v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	v, err := inspectImage(t, newImage(t, v1.Platform{OS: "linux", Architecture: "arm"}, nil, system.with(pythonAt("usr", "3.11", string(hard.Bytes()))).tar(t)), Options{})
	if err != nil || !v.Platform.Equals(v7) || v.Target.Tags[0].String() != "cp311-cp311-manylinux_2_36_armv7l" {
		t.Errorf("%v: %+v", err, v)
	}
	_, err = inspectImage(t, newImage(t, v7, nil, system.with(pythonAt("usr", "3.11", string(soft.Bytes()))).tar(t)), Options{})
	if err == nil || !strings.Contains(err.Error(), "soft") {
		t.Error(err)
	}
}

func TestSystem(t *testing.T) {
	v, err := inspectImage(t, newImage(t, amd64, nil, debian.tar(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := System{
		OS:     OS{"debian", "12", "Debian GNU/Linux 12 (bookworm)"},
		Users:  []User{{"root", 0, 0, "/root", "/bin/bash"}, {"nonroot", 65532, 65532, "/home/nonroot", "/sbin/nologin"}},
		Groups: []Group{{"root", 0}, {"staff", 50}},
		Shell:  true,
	}
	if diff := cmp.Diff(want, v.System); diff != "" {
		t.Error(diff)
	}
	if u, ok := v.System.User(65532); !ok || u.Name != "nonroot" {
		t.Errorf("%+v, %v", u, ok)
	}
}
