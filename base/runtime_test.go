package base

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/base/internal/binary/elftest"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
)

const useMuch = `
import json, ssl, hashlib, sqlite3, ctypes, lzma, bz2, zlib, uuid, decimal, sys, encodings.idna, multiprocessing
assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
with open("/proc/self/maps") as f:
    files = {line.split(maxsplit=5)[5].strip() for line in f if line.count("/")}
print(json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "path": sys.path, "prefix": sys.prefix, "files": sorted(files)}))
`

// The extracted interpreter runs here, and nothing of it comes from this machine.
func TestInterpreterRuns(t *testing.T) {
	store := newStore(t)
	for _, base := range []string{"bookworm", "trixie", "local"} {
		t.Run(base, func(t *testing.T) {
			v := testbedVariant(t, base, hostPlatform(), store)
			i, err := v.Interpreter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cmd := command(t.Context(), i.Argv, i.Env, "-c", useMuch)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var said struct {
				Version, Prefix string
				Path, Files     []string
			}
			if err := json.Unmarshal(out, &said); err != nil {
				t.Fatal(err)
			}
			if said.Version != v.Python.Version || i.Version != v.Python.Version {
				t.Errorf("it says that it is %s, and was thought to be %s", said.Version, v.Python.Version)
			}
			for _, file := range slices.Concat(said.Files, said.Path, []string{said.Prefix}) {
				if file != "" && !strings.HasPrefix(file, store.Root()) {
					t.Errorf("it uses %s of this machine", file)
				}
			}
			compiles(t, i, store)
		})
	}
}

// compiles says whether package bytecode can work with the interpreter.
func compiles(t *testing.T, i bytecode.Interpreter, store *cas.Store) {
	t.Helper()
	results, err := bytecode.New(i, bytecode.Options{Jobs: 1, Store: store}).Compile(t.Context(), []bytecode.Source{
		{Path: "/app/a.py", Mode: bytecode.Unchecked, Size: 6, Open: tree.Bytes([]byte("x = 1\n"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Skipped != "" || results[0].Size < 16 {
		t.Errorf("%+v", results)
	}
}

// A base that the store knows is not read again.
func TestSecondTimeOpensNoLayer(t *testing.T) {
	store := newStore(t)
	for _, c := range []struct {
		what    string
		inspect int32 // opens for inspection
		extract int32 // opens for the interpreter
	}{{"first", 2, 1}, {"second", 0, 0}} {
		p := &layoutPuller{}
		b, err := Open(t.Context(), testenv.Base(t, "trixie"), p, Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		v, err := b.Variant(t.Context(), hostPlatform())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.Variant(t.Context(), hostPlatform()); again != v || err != nil {
			t.Error("the variant was inspected twice")
		}
		if got := p.opens.Swap(0); got != c.inspect {
			t.Errorf("%s inspection: layers were opened %d times, want %d", c.what, got, c.inspect)
		}
		if _, err := v.Interpreter(t.Context()); err != nil {
			t.Fatal(err)
		}
		sources, err := v.StdlibSources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sources[0].Read(1 << 20); err != nil {
			t.Error(err)
		}
		if got := p.opens.Load(); got != c.extract {
			t.Errorf("%s interpreter: layers were opened %d times, want %d", c.what, got, c.extract)
		}
	}
}

// Several callers may want the same variant at once; one inspects.
func TestVariantConcurrently(t *testing.T) {
	b, err := Open(t.Context(), "example.com/base:1", memoryPuller{image: newImage(t, amd64, nil, debian.tar(t))}, Options{Store: newStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	variants := make([]*Variant, 8)
	for i := range variants {
		g.Go(func() (err error) {
			if variants[i], err = b.Variant(t.Context(), amd64); err != nil {
				return err
			}
			_, _, err = variants[i].extract(t.Context())
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(slices.Compact(variants)) != 1 {
		t.Error("the variant was inspected more than once")
	}
}

func TestInterpreterForForeignArchitecture(t *testing.T) {
	foreign := arm64
	if hostPlatform().Equals(arm64) {
		foreign = amd64
	}
	b, err := Open(t.Context(), testenv.Base(t, "trixie"), &layoutPuller{}, Options{Store: newStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.Variant(t.Context(), foreign)
	if err != nil {
		t.Fatal(err)
	}
	i, err := b.InterpreterFor(t.Context(), v, nil)
	if err != nil || i.Version != v.Python.Version || filepath.Base(i.Argv[len(i.Argv)-1]) != "python3.13" {
		t.Errorf("%+v, %v", i, err)
	}
}

// Another release compiles other bytecode, so the base's own image for this machine is no help.
func TestInterpreterForAnotherRelease(t *testing.T) {
	platform := hostPlatform()
	image := newImage(t, platform, nil, debian.tar(t))
	b, err := Open(t.Context(), "example.com/base:1", memoryPuller{image: image}, Options{Store: newStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	foreign := &Variant{Platform: v1.Platform{OS: "linux", Architecture: "s390x"}, Python: Python{Version: "3.12.97"}}
	_, err = b.InterpreterFor(t.Context(), foreign, nil)
	var none *bytecode.NoInterpreterError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "3.12.97") {
		t.Error(err)
	}
}

// A loader is told directories in a list with colons.
func TestInterpreterInACacheWithAColon(t *testing.T) {
	store, err := cas.Open(filepath.Join(t.TempDir(), "a:b"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	v, err := inspectImage(t, newImage(t, hostPlatform(), nil, debian.tar(t)), Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Interpreter(t.Context()); err == nil || !strings.Contains(err.Error(), "choose another with --cache-dir") {
		t.Error(err)
	}
}

// What the program needs must be there, what an extension module needs may be missing.
func TestInterpreterWithoutALibrary(t *testing.T) {
	module := string(elftest.File{Needed: []string{"libtk.so", "libm.so.6"}}.Bytes())
	image := debian.with(files{
		"usr/lib/python3.11/lib-dynload/_tkinter.so": module, "usr/lib/python3.11/lib-dynload/text.so": "INPUT(-lx)\n",
		"usr/lib/x86_64-linux-gnu/libm.so.6": "->libm-2.36.so", "usr/lib/x86_64-linux-gnu/libm-2.36.so": string(elftest.File{RPath: "/opt/lib"}.Bytes()),
		"usr/lib/python3.11/sitecustomize.py": "->/etc/sitecustomize.py", "etc/sitecustomize.py": "pass\n",
	})
	v, err := inspectImage(t, newImage(t, amd64, nil, image.tar(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, x, err := v.extract(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := extracted{
		Program: "usr/bin/python3.11", Loader: "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
		Libraries: []string{"usr/lib/x86_64-linux-gnu"}, Rigid: []string{"usr/lib/x86_64-linux-gnu/libm.so.6"},
	}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"usr/lib/x86_64-linux-gnu/libm.so.6", "usr/lib/python3.11/sitecustomize.py", "usr/lib/python3.11/json/__init__.py"} {
		if info, err := os.Stat(filepath.Join(dir, runtimeRoot, name)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := image.with(files{"usr/bin/python3.11": string(elftest.File{Interp: loader64, Needed: []string{"libc.so.6", "libgone.so"}, PyVersion: 0x030b02f0}.Bytes())})
	v, err = inspectImage(t, newImage(t, amd64, nil, bad.tar(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.extract(t.Context()); err == nil || !strings.Contains(err.Error(), "/usr/bin/python3.11 needs libgone.so, which is not in the image") {
		t.Error(err)
	}
}

func TestDamagedLayerLeavesNothing(t *testing.T) {
	store := newStore(t)
	image := newImage(t, hostPlatform(), nil, debian.tar(t))
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.RootFS.DiffIDs[0].Hex = strings.Repeat("0", 64)
	for range 2 {
		_, err = inspectImage(t, wrongConfig{image, config}, Options{Store: store})
		if err == nil || !strings.Contains(err.Error(), "damaged or was tampered with") {
			t.Error(err)
		}
	}
}

type wrongConfig struct {
	v1.Image
	config *v1.ConfigFile
}

func (w wrongConfig) ConfigFile() (*v1.ConfigFile, error) { return w.config, nil }

// failingImage cannot be read past the headers.
type failingImage struct{ v1.Image }

func (f failingImage) Layers() ([]v1.Layer, error) {
	layers, err := f.Image.Layers()
	for i := range layers {
		layers[i] = &failingLayer{Layer: layers[i]}
	}
	return layers, err
}

type failingLayer struct {
	v1.Layer
	opens int
}

func (l *failingLayer) Uncompressed() (io.ReadCloser, error) {
	if l.opens++; l.opens > 1 {
		return nil, fmt.Errorf("connection reset")
	}
	return l.Layer.Uncompressed()
}

// A layer that cannot be read is an error of its own, not a Python that cannot be used.
func TestUnreadableLayer(t *testing.T) {
	_, err := inspectImage(t, failingImage{newImage(t, amd64, nil, debian.tar(t))}, Options{})
	var no *PythonError
	if err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), "connection reset") || !strings.Contains(err.Error(), "layer sha256:") {
		t.Error(err)
	}
}
