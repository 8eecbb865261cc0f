package base

import (
	"archive/zip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/internal/binary"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
)

// pexSources is a directory from which the pinned pex can be imported.
func pexSources(t testing.TB) string {
	t.Helper()
	wheels, err := filepath.Glob(filepath.Join(testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"pex==2.105.2"}}), "pex-*.whl"))
	if err != nil || len(wheels) != 1 {
		t.Fatal(wheels, err)
	}
	r, err := zip.OpenReader(wheels[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := t.TempDir()
	if err := os.CopyFS(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inspected is what `pex3 interpreter inspect --markers --tags` prints, as far as it is to be derived.
type inspected struct {
	Markers map[string]string `json:"marker_environment"`
	Tags    []string          `json:"compatible_tags"`
}

var pexInspect = []string{"-m", "pex.cli", "interpreter", "inspect", "--markers", "--tags"}

// identify is what pexInspect prints, by the two functions of pex that it comes from: far less of pex is imported.
const identify = `
import json
from pex.pep_508 import MarkerEnvironment
from pex.third_party.packaging import tags
print(json.dumps({
    "marker_environment": MarkerEnvironment.default().as_dict(), "compatible_tags": [str(t) for t in tags.sys_tags()],
}))
`

func parseInspected(t testing.TB, text []byte) inspected {
	t.Helper()
	var i inspected
	if err := json.Unmarshal(text, &i); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if i.Markers["platform_release"] == "" || i.Markers["platform_version"] == "" || len(i.Tags) < 100 {
		t.Fatalf("pex printed no markers and tags: %s", text)
	}
	delete(i.Markers, "platform_release")
	delete(i.Markers, "platform_version")
	return i
}

func derived(t testing.TB, target Target) inspected {
	t.Helper()
	b, err := target.CompletePlatform()
	if err != nil {
		t.Fatal(err)
	}
	var i inspected
	if err := json.Unmarshal(b, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

// What inspection derives equals what the base's own interpreter says in a container.
func TestTargetsEqualWhatPexSaysInTheBase(t *testing.T) {
	pex := pexSources(t)
	store := newStore(t)
	kept := t.TempDir() // what pex unpacks and Python compiles on amd64 serves arm64 too, which is slow under qemu
	for _, c := range []struct {
		base     string
		platform v1.Platform
	}{{"bookworm", amd64}, {"trixie", amd64}, {"local", amd64}, {"bookworm", arm64}, {"trixie", arm64}} {
		t.Run(c.base+"/"+c.platform.Architecture, func(t *testing.T) {
			if c.platform.Architecture == "arm64" {
				testenv.NeedArm64(t)
			}
			v := testbedVariant(t, c.base, c.platform, store)
			compileInto(t, v, filepath.Join(kept, c.base))
			podman := testenv.Podman(t)
			r := podman.Run(testenv.Container{
				Image:      podman.Pull("oci:"+testenv.Base(t, c.base)+":1", c.platform.String()),
				Entrypoint: append([]string{"python3"}, pexInspect...),
				Env:        []string{"PYTHONPATH=/pex-sources", "PEX_ROOT=/kept/pex", "PYTHONPYCACHEPREFIX=/kept/" + c.base},
				Volumes:    []string{pex + ":/pex-sources:ro", kept + ":/kept"},
			})
			if r.Code != 0 {
				t.Fatalf("pex in the base: exit code %d: %s", r.Code, r.Stderr)
			}
			if diff := cmp.Diff(parseInspected(t, []byte(r.Stdout)), derived(t, v.Target)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// compileInto compiles what the base has no bytecode for, by the chain that a build uses, to where
// PYTHONPYCACHEPREFIX looks. Under qemu, Python would take two minutes for it.
func compileInto(t *testing.T, v *Variant, dir string) {
	t.Helper()
	i, err := v.base.InterpreterFor(t.Context(), v, nil)
	if err != nil {
		t.Fatal(err)
	}
	missing, err := v.StdlibSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sources := make([]bytecode.Source, len(missing))
	for n, m := range missing {
		sources[n] = bytecode.Source{Path: "/" + m.Path, Mode: bytecode.Unchecked, Size: m.Size, Open: m.Open}
	}
	compiled, err := bytecode.New(i, bytecode.Options{Store: v.base.options.Store}).Compile(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range compiled {
		name := filepath.Join(dir, strings.TrimSuffix(missing[n].Path, ".py")+"."+v.Python.CacheTag+".pyc")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		pyc, err := tree.Entry{Path: name, Kind: tree.File, Size: c.Size, Open: c.Open}.Read(1 << 24)
		if err != nil {
			t.Fatalf("%s: %s %v", missing[n].Path, c.Skipped, err)
		}
		if err := os.WriteFile(name, pyc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The same for the Pythons of this machine, each put into an image with the files that inspection reads.
func TestTargetsEqualWhatPexSaysOnThisMachine(t *testing.T) {
	pex := pexSources(t)
	for _, minor := range []string{"3.8", "3.9", "3.10", "3.11", "3.12", "3.13"} {
		t.Run(minor, func(t *testing.T) {
			python := testenv.Python(t, minor)
			cmd := exec.CommandContext(t.Context(), python, "-c", identify)
			cmd.Env = []string{"PYTHONPATH=" + pex}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			image, env := machineImage(t, python)
			v, err := inspectImage(t, newImage(t, hostPlatform(), env, image.tar(t)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parseInspected(t, out), derived(t, v.Target)); diff != "" {
				t.Error(diff)
			}
			if want := ask(t, python, "import sys; print(sys.base_prefix, sys.implementation.cache_tag)"); v.Python.Prefix+" "+v.Python.CacheTag != want {
				t.Errorf("prefix and cache tag %s %s, want %s", v.Python.Prefix, v.Python.CacheTag, want)
			}
		})
	}
}

func ask(t testing.TB, python, code string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, "-c", code).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// machineImage holds a Python of this machine: executable, libraries, and of the standard library the landmark.
func machineImage(t testing.TB, python string) (files, []string) {
	t.Helper()
	real, err := filepath.EvalSymlinks(python)
	if err != nil {
		t.Fatal(err)
	}
	image := files{}
	add := func(name string) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		image[strings.TrimPrefix(name, "/")] = string(b)
	}
	add(real)
	add(ask(t, real, "import os; print(os.__file__)"))
	maps := ask(t, real, "print(open('/proc/self/maps').read())")
	for line := range strings.Lines(maps) {
		fields := strings.Fields(line)
		if len(fields) < 6 || !strings.Contains(filepath.Base(fields[5]), ".so") {
			continue
		}
		if name := fields[5]; image[strings.TrimPrefix(name, "/")] == "" {
			add(name)
			if soname, _, ok := strings.Cut(name, ".so."); ok {
				image[strings.TrimPrefix(soname, "/")+".so"] = "->" + name
			}
		}
	}
	loader := filepath.Join("/", loaderOf(t, real))
	target, err := filepath.EvalSymlinks(loader)
	if err != nil {
		t.Fatal(err)
	}
	if target != loader {
		add(target)
		image[strings.TrimPrefix(loader, "/")] = "->" + target
	}
	return image, []string{"PATH=" + filepath.Dir(real)}
}

func loaderOf(t testing.TB, name string) string {
	t.Helper()
	e, err := binary.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return e.Interp
}
