package base

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
)

func TestAccepts(t *testing.T) {
	head := func(magic uint16, flags, third, fourth uint32) []byte {
		b := binary.LittleEndian.AppendUint16(nil, magic)
		b = append(b, '\r', '\n')
		for _, v := range []uint32{flags, third, fourth} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	source := rootfs.Node{Entry: tree.Entry{Size: 1<<32 + 7}, ModTime: time.Unix(1<<32+5, 0)} // both count modulo 2^32
	for name, c := range map[string]struct {
		head []byte
		want bool
	}{
		"timestamp":         {head(3495, 0, 5, 7), true},
		"other time":        {head(3495, 0, 6, 7), false},
		"other size":        {head(3495, 0, 5, 8), false},
		"other magic":       {head(3494, 0, 5, 7), false},
		"unchecked hash":    {head(3495, 1, 0, 0), true},
		"checked hash":      {head(3495, 3, 0, 0), false},
		"unknown flags":     {head(3495, 4, 5, 7), false},
		"cut":               {head(3495, 0, 5, 7)[:15], false},
		"none":              {nil, false},
		"text after magic":  {append([]byte{0xa7, 0x0d, '\n', '\n'}, head(3495, 0, 5, 7)[4:]...), false},
		"a release we have": {head(magic[11], 0, 5, 7), true},
	} {
		if got := accepts(c.head, 3495, source); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// The magic numbers are those of the Pythons of this machine.
func TestMagic(t *testing.T) {
	for _, minor := range []int{8, 9, 10, 11, 12, 13} {
		python := testenv.Python(t, fmt.Sprintf("3.%d", minor))
		got := ask(t, python, "import importlib.util as u; print(int.from_bytes(u.MAGIC_NUMBER[:2], 'little'))")
		if got != fmt.Sprint(magic[minor]) {
			t.Errorf("3.%d: %s, and the table has %d", minor, got, magic[minor])
		}
	}
}

// change is a layer over bookworm that breaks some of its bytecode, each in another way.
func change(t *testing.T, v *Variant) []byte {
	t.Helper()
	const lib = "usr/lib/python3.11/"
	const cache = lib + "__pycache__/"
	read := func(name string) ([]byte, time.Time) {
		n, ok := v.FS.Lookup(name)
		if !ok {
			t.Fatalf("%s is not in the base", name)
		}
		b, err := n.Read(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		return b, n.ModTime
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	write := func(name string, content []byte, mtime time.Time) {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content)), ModTime: mtime}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	source, mtime := read(lib + "json/decoder.py")
	write(lib+"json/decoder.py", source, mtime.Add(time.Second)) // touched
	source, mtime = read(lib + "abc.py")
	write(lib+"abc.py", append(source, '\n'), mtime) // another size at the same time
	source, mtime = read(lib + "argparse.py")
	write(lib+"argparse.py", source, mtime.Add(500*time.Millisecond).Truncate(time.Second)) // the same
	write(lib+"json/__pycache__/.wh.encoder.cpython-311.pyc", nil, mtime)
	pyc, _ := read(cache + "ast.cpython-311.pyc")
	pyc[0]++
	write(cache+"ast.cpython-311.pyc", pyc, mtime) // of another Python
	pyc, _ = read(cache + "textwrap.cpython-311.pyc")
	pyc[4], pyc[8] = 1, pyc[8]+1
	write(cache+"textwrap.cpython-311.pyc", pyc, mtime) // unchecked, whatever the source
	write(cache+"bisect.cpython-311.pyc", pyc[:12], mtime)
	write(lib+"added.py", []byte("x = 1\n"), mtime)
	write(lib+"test/added.py", []byte("x = 1\n"), mtime) // not looked at
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What inspection calls missing is what Python itself would compile.
func TestStdlibSourcesAreWhatPythonWouldCompile(t *testing.T) {
	store := newStore(t)
	bookworm := testbedVariant(t, "bookworm", hostPlatform(), store)
	content := change(t, bookworm)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(bookworm.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := inspectImage(t, image, Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"changed": {
		"usr/lib/python3.11/abc.py", "usr/lib/python3.11/added.py", "usr/lib/python3.11/ast.py", "usr/lib/python3.11/bisect.py",
		"usr/lib/python3.11/json/decoder.py", "usr/lib/python3.11/json/encoder.py",
	}}
	for name, v := range map[string]*Variant{"bookworm": bookworm, "changed": changed, "trixie": testbedVariant(t, "trixie", hostPlatform(), store)} {
		t.Run(name, func(t *testing.T) {
			sources, err := v.StdlibSources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range sources {
				got = append(got, s.Path)
			}
			said := whatPythonCompiles(t, v)
			if diff := cmp.Diff(said, got); diff != "" {
				t.Error(diff)
			}
			if want, ok := want[name]; ok {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			state := map[string]string{"bookworm": Complete, "changed": Partial, "trixie": None}[name]
			if b := v.StdlibBytecode; b.State != state || b.Sources-b.Compiled != len(got) || b.Sources < 400 {
				t.Errorf("%+v, and %d sources", b, len(got))
			}
		})
	}
}

func whatPythonCompiles(t *testing.T, v *Variant) []string {
	t.Helper()
	all, err := modules(v.FS, v.Python)
	if err != nil {
		t.Fatal(err)
	}
	i, err := v.Interpreter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, _, err := v.extract(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, runtimeRoot) + "/"
	var input strings.Builder
	for _, m := range all {
		input.WriteString(root + m.path + "\n")
	}
	cmd := command(t.Context(), i.Argv, i.Env, "-B", "testdata/compiled.py")
	cmd.Stdin = strings.NewReader(input.String())
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, errors.String())
	}
	var compiled []string
	for line := range strings.Lines(string(out)) {
		compiled = append(compiled, strings.TrimPrefix(strings.TrimSpace(line), root))
	}
	return compiled
}

func command(ctx context.Context, argv, env []string, args ...string) *exec.Cmd {
	argv = slices.Concat(argv, args)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	return cmd
}

func TestStdlibSourcesOpen(t *testing.T) {
	store := newStore(t)
	v := testbedVariant(t, "trixie", arm64, store)
	sources, err := v.StdlibSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr := tree.Tree(sources)
	if err := tr.Validate(); err != nil {
		t.Error(err)
	}
	var paths []string
	for _, s := range sources {
		paths = append(paths, s.Path)
	}
	contents, err := v.FS.ReadFiles(t.Context(), 1<<20, paths...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		b, err := s.Read(1 << 20)
		if err != nil || !bytes.Equal(b, contents[s.Path]) {
			t.Errorf("%s: %v, %d bytes", s.Path, err, len(b))
		}
	}
	if runtime.GOARCH != "arm64" {
		if _, err := v.Interpreter(t.Context()); err == nil || !strings.Contains(err.Error(), "the Python of a linux/arm64 image does not run on this machine") {
			t.Error(err)
		}
	}
}
