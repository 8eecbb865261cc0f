package rootfs

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/internal/tree"
)

// testLayer is a tar in memory that counts how often it is opened.
type testLayer struct {
	v1.Layer
	tar   []byte
	opens atomic.Int32
}

func (l *testLayer) Uncompressed() (io.ReadCloser, error) {
	l.opens.Add(1)
	return io.NopCloser(bytes.NewReader(l.tar)), nil
}

func (l *testLayer) diffID() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(l.tar))}
}

// header reads "path" as a file that holds its own path, "path/" as a directory, "path -> target" as a
// symbolic and "path = target" as a hard link, "path !" as a device. " 1777 5:7" at the end is mode and owner.
func header(t *testing.T, spec string) (tar.Header, string) {
	t.Helper()
	h := tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Format: tar.FormatPAX, ModTime: time.Unix(1000, 5e8)}
	fields := strings.Fields(spec)
	h.Name = fields[0]
	content := h.Name
	rest := fields[1:]
	if strings.HasSuffix(h.Name, "/") {
		h.Typeflag, h.Mode, content = tar.TypeDir, 0o755, ""
	}
	if len(rest) > 0 {
		switch rest[0] {
		case "->":
			h.Typeflag, h.Linkname, content, rest = tar.TypeSymlink, rest[1], "", rest[2:]
		case "=":
			h.Typeflag, h.Linkname, content, rest = tar.TypeLink, rest[1], "", rest[2:]
		case "!":
			h.Typeflag, content, rest = tar.TypeChar, "", rest[1:]
		}
	}
	if len(rest) == 2 {
		if _, err := fmt.Sscanf(rest[0], "%o", &h.Mode); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(rest[1], "%d:%d", &h.Uid, &h.Gid); err != nil {
			t.Fatal(err)
		}
	}
	h.Size = int64(len(content))
	return h, content
}

func newLayer(t *testing.T, specs ...string) *testLayer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, spec := range specs {
		h, content := header(t, spec)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &testLayer{tar: b.Bytes()}
}

// memory is a Cache.
type memory struct {
	sync.Mutex
	records map[string][]byte
}

func (m *memory) Get(space, key string) ([]byte, bool, error) {
	m.Lock()
	defer m.Unlock()
	b, ok := m.records[space+key]
	return b, ok, nil
}

func (m *memory) Put(space, key string, data []byte) error {
	m.Lock()
	defer m.Unlock()
	if m.records == nil {
		m.records = map[string][]byte{}
	}
	m.records[space+key] = data
	return nil
}

func newFS(layers ...*testLayer) (*FS, error) {
	return cachedFS(&memory{}, layers...)
}

func cachedFS(cache Cache, layers ...*testLayer) (*FS, error) {
	var ls []v1.Layer
	var ids []v1.Hash
	for _, l := range layers {
		ls, ids = append(ls, l), append(ids, l.diffID())
	}
	return New(context.Background(), ls, ids, cache)
}

func mustFS(t *testing.T, layers ...[]string) *FS {
	t.Helper()
	var ls []*testLayer
	for _, specs := range layers {
		ls = append(ls, newLayer(t, specs...))
	}
	f, err := newFS(ls...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// listing shows all of a tree: "path/" for directories, "path -> link", "path" or "path=content" where
// the content is not the path.
func listing(t *testing.T, f *FS) []string {
	t.Helper()
	var all []string
	err := f.Walk("", func(n Node) error {
		switch n.Kind {
		case tree.Dir:
			all = append(all, n.Path+"/")
		case tree.Symlink:
			all = append(all, n.Path+" -> "+n.Link)
		case tree.File:
			b, err := n.Read(1 << 10)
			if err != nil {
				return err
			}
			if string(b) != n.Path {
				n.Path += "=" + string(b)
			}
			all = append(all, n.Path)
		default:
			all = append(all, n.Path+" !")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
