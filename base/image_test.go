package base

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pexko/pexko/base/internal/binary/elftest"
)

// files is a layer: content by path, "->target" for links, executable where it is an ELF file or a script.
type files map[string]string

func (f files) with(more ...files) files {
	all := maps.Clone(f)
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}

func (f files) tar(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		content := f[name]
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1_600_000_000, 0)}
		if strings.HasPrefix(content, "\x7fELF") || strings.HasPrefix(content, "#!") {
			h.Mode = 0o755
		}
		if target, ok := strings.CutPrefix(content, "->"); ok {
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, target, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newImage makes an image of tars, the lowest layer first.
func newImage(t testing.TB, p v1.Platform, env []string, tars ...[]byte) v1.Image {
	t.Helper()
	image := empty.Image
	for _, content := range tars {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
		if err != nil {
			t.Fatal(err)
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			t.Fatal(err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture, config.Variant, config.Config.Env = p.OS, p.Architecture, p.Variant, env
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

// memoryPuller pulls one image or index.
type memoryPuller struct {
	index v1.ImageIndex
	image v1.Image
}

func (p memoryPuller) Pull(context.Context, string) (v1.ImageIndex, v1.Image, error) {
	return p.index, p.image, nil
}

// inspectImage is what a user sees of an image.
func inspectImage(t testing.TB, image v1.Image, o Options) (*Variant, error) {
	t.Helper()
	if o.Store == nil {
		o.Store = newStore(t)
	}
	b, err := Open(t.Context(), "example.com/base:1", memoryPuller{image: image}, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.Variant(t.Context(), b.Platforms()[0])
}

const loader64 = "/lib64/ld-linux-x86-64.so.2"

// program is a Python that needs nothing but libc.
func elfPython(hex uint32, strings ...string) string {
	return string(elftest.File{Interp: loader64, Needed: []string{"libc.so.6"}, PyVersion: hex, Strings: strings}.Bytes())
}

// glibc is what a Debian has of the C library.
func glibc(version string) files {
	return files{
		"usr/lib/x86_64-linux-gnu/libc.so.6": string(elftest.File{Soname: "libc.so.6", Strings: []string{
			"GNU C Library (Debian GLIBC " + version + "-9) stable release version " + version + ".", "glibc " + version, "glibc 2.0 compat",
		}}.Bytes()),
		"usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2": string(elftest.File{Soname: "ld-linux-x86-64.so.2"}.Bytes()),
		"usr/lib64/ld-linux-x86-64.so.2":                "->../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
		"lib":                                           "->usr/lib",
		"lib64":                                         "->usr/lib64",
		"bin":                                           "->usr/bin",
		"etc/ld.so.conf":                                "include /etc/ld.so.conf.d/*.conf\n",
		"etc/ld.so.conf.d/libc.conf":                    "# libc default configuration\n/usr/local/lib\n",
		"etc/os-release":                                "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		"etc/passwd":                                    "root:x:0:0:root:/root:/bin/bash\nbroken\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n",
		"etc/group":                                     "root:x:0:\nstaff:x:50:a,b\n",
		"usr/bin/dash":                                  elfPython(0),
		"usr/bin/sh":                                    "->dash",
	}
}

// pythonAt is a CPython with its library in a prefix, called python3.X and linked as python3.
func pythonAt(prefix, minor, executable string) files {
	return files{
		path.Join(prefix, "bin/python"+minor):                     executable,
		path.Join(prefix, "bin/python3"):                          "->python" + minor,
		path.Join(prefix, "lib/python"+minor, "os.py"):            "",
		path.Join(prefix, "lib/python"+minor, "json/__init__.py"): "",
	}
}

var debian = glibc("2.36").with(pythonAt("usr", "3.11", elfPython(0x030b02f0)))

// muslFiles is an Alpine: the loader is the C library.
var muslFiles = files{
	"lib/ld-musl-x86_64.so.1":   string(elftest.File{Soname: "libc.musl-x86_64.so.1", Strings: []string{"musl libc (x86_64)\nVersion %s\n", "1.2.5", "127.0.0.1"}}.Bytes()),
	"lib/libc.musl-x86_64.so.1": "->ld-musl-x86_64.so.1",
	"usr/local/lib/libpython3.12.so.1.0": string(elftest.File{
		Soname: "libpython3.12.so.1.0", PyVersion: 0x030c07f0, Strings: []string{".cpython-312-x86_64-linux-musl.so"},
	}.Bytes()),
	"usr/local/bin/python3.12": string(elftest.File{
		Interp: "/lib/ld-musl-x86_64.so.1", Needed: []string{"libpython3.12.so.1.0", "libc.musl-x86_64.so.1"},
	}.Bytes()),
	"usr/local/bin/python3":          "->python3.12",
	"usr/local/lib/python3.12/os.py": "",
	"etc/os-release":                 "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME='Alpine Linux v3.20'\n",
}

func arm(hardFloat bool) elftest.File {
	f := elftest.File{Machine: elf.EM_ARM, Class32: true, Flags: 0x05000200}
	if hardFloat {
		f.Flags = 0x05000400
	}
	return f
}
