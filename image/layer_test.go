package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/tree"
)

func store(t testing.TB) *cas.Store {
	t.Helper()
	s, err := cas.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, s *cas.Store, tr tree.Tree, o LayerOptions) *Layer {
	t.Helper()
	l, err := WriteLayer(t.Context(), s, tr, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// noise is content that compresses about as code does, the same in every run.
func noise(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	words := []string{"import ", "self", "\n    ", "return ", "def ", "numpy", "(", ")", "=", "None", "\x00\x01\xff"}
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[r.IntN(len(words))])
		if r.IntN(4) == 0 {
			fmt.Fprint(&b, r.IntN(100_000))
		}
	}
	return []byte(b.String()[:size])
}

// fixed is a tree with everything that a header can need, in no order.
func fixed() tree.Tree {
	long := strings.Repeat("a-long-directory-name/", 12) + "module.py"
	owned := tree.NewDir("home/nonroot")
	owned.Mode, owned.UID = 0o775, 65532
	return tree.Tree{
		tree.NewFile("pex/venv/lib/python3.11/site-packages/numpy.py", 0o644, noise(1, 3<<20)),
		tree.NewFile("pex/venv/bin/tool", 0o755, noise(2, 100)),
		tree.NewLink("pex/venv/bin/python", "/usr/bin/python3.11"),
		tree.NewFile("app/empty", 0o644, nil),
		tree.NewFile("app/"+long, 0o644, noise(3, 700<<10)),
		tree.NewFile("app/größe-数.py", 0o600, noise(4, 1000)),
		tree.NewLink("app/long-link", "/"+long),
		tree.NewDir("app"),
		owned,
	}
}

// What these digests are, users have in their registries: a change re-pushes every layer of everybody. Change
// Codec with them, and say so in CHANGELOG.md.
func TestGoldenLayers(t *testing.T) {
	for _, c := range []struct {
		compression    Compression
		digest, diffID string
		size           int64
	}{
		{Gzip, "sha256:631bd49b133dfe42ced08aaa30b51fee26bc0502de88488fd9224c855837557c", "sha256:58cdcfc16b90f478685eb3c5906024707a3234e2371e0d1f5d1810bf83230543", 1287594},
		{Zstd, "sha256:af0fcac257e3dea6f3429dbc336431bd5c75bdabb322fc1221afff9af9202f6e", "sha256:58cdcfc16b90f478685eb3c5906024707a3234e2371e0d1f5d1810bf83230543", 1298689},
	} {
		check := func(circumstance string) {
			l := write(t, store(t), fixed(), LayerOptions{Compression: c.compression})
			digest, _ := l.Digest()
			diffID, _ := l.DiffID()
			size, _ := l.Size()
			if digest.String() != c.digest || diffID.String() != c.diffID || size != c.size {
				t.Errorf("%s, %s:\n{%q, %q, %d}, was\n{%q, %q, %d}", c.compression, circumstance, digest, diffID, size, c.digest, c.diffID, c.size)
			}
		}
		check("as it is")
		for _, n := range []int{1, 2} {
			was := runtime.GOMAXPROCS(n)
			check(fmt.Sprintf("GOMAXPROCS=%d", n))
			runtime.GOMAXPROCS(was)
		}
		mask := syscall.Umask(0o077)
		check("umask 077")
		syscall.Umask(mask)
		local := time.Local
		time.Local = time.FixedZone("somewhere", 5*3600+1800)
		check("another time zone")
		time.Local = local
	}
}

// The compressors' version is a part of the codec's name.
func TestCodecNamesTheCompressorsVersion(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "github.com/klauspost/compress" {
			if want := "klauspost-compress-" + strings.TrimPrefix(f[1], "v"); !strings.Contains(Codec, want) {
				t.Errorf("Codec %q, go.mod has %s: set it, and look at the golden digests", Codec, f[1])
			}
			return
		}
	}
	t.Error("go.mod does not name github.com/klauspost/compress")
}

// headers returns a line per entry of the layer.
func headers(t *testing.T, l *Layer) []string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lines []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(Epoch) || h.Uname != "" || h.Gname != "" || h.Format&(tar.FormatUSTAR|tar.FormatPAX) == 0 {
			t.Errorf("%s: time %v, owner %q:%q, format %v", h.Name, h.ModTime, h.Uname, h.Gname, h.Format)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%c %04o %d:%d %s %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name, h.Linkname)))
	}
}

func TestEntriesAreSortedParentsFirst(t *testing.T) {
	dir := tree.NewDir("z/b")
	dir.Mode, dir.GID = 0o700, 5
	l := write(t, store(t), tree.Tree{
		tree.NewFile("z-y", 0o640, []byte("x")),
		tree.NewFile("z/b/c/d", 0o755, nil),
		tree.NewLink("z/a", "b"),
		dir,
	}, LayerOptions{Parent: func(p string) tree.Entry {
		e := tree.NewDir(p)
		e.Mode, e.UID = 0o777|fs.ModeSticky, 7
		return e
	}})
	want := []string{"5 1777 7:0 z/", "2 0777 0:0 z/a b", "5 0700 0:5 z/b/", "5 1777 7:0 z/b/c/", "0 0755 0:0 z/b/c/d", "0 0640 0:0 z-y"}
	if diff := cmp.Diff(want, headers(t, l)); diff != "" {
		t.Error(diff)
	}
}

func TestAWhiteoutIsNoFile(t *testing.T) {
	s := store(t)
	for _, name := range []string{".wh.x", "app/.wh.settings.py", "app/.wh..wh..opq", "app/.wh.dir/x.py"} {
		_, err := WriteLayer(t.Context(), s, tree.Tree{tree.NewFile(name, 0o644, nil)}, LayerOptions{})
		if err == nil || !strings.HasPrefix(name, strings.Split(err.Error(), ":")[0]) || !strings.Contains(err.Error(), "rename it or exclude it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(t, s, tree.Tree{tree.NewFile("app/x.wh.py", 0o644, nil), tree.NewFile("app/.white", 0o644, nil)}, LayerOptions{})
}

func TestPAXOnlyWhereNamesNeedIt(t *testing.T) {
	for name, want := range map[string]bool{"app/short.py": false, "app/größe": true, strings.Repeat("d/", 60) + strings.Repeat("n", 101): true} {
		l := write(t, store(t), tree.Tree{tree.NewFile(name, 0o644, nil)}, LayerOptions{})
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(raw), " path="); got != want {
			t.Errorf("%s: PAX records: %v", name, got)
		}
	}
}

func TestLayerKeepsItsWord(t *testing.T) {
	for _, c := range []Compression{Gzip, Zstd} {
		l := write(t, store(t), fixed(), LayerOptions{Compression: c, CreatedBy: "pexko: x", Annotations: map[string]string{"k": "v"}})
		if c == Gzip { // ggcr's validate reads gzip alone
			if err := validate.Layer(l); err != nil {
				t.Error(err)
			}
		}
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := v1.SHA256(r)
		if want, _ := l.DiffID(); err != nil || got != want {
			t.Errorf("%s: uncompressed %v, %v; want %v", c, got, err, want)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		d, _ := l.Descriptor()
		if want := map[Compression]types.MediaType{Gzip: types.OCILayer, Zstd: types.OCILayerZStd}[c]; d.MediaType != want || d.Annotations["k"] != "v" {
			t.Errorf("descriptor %v", d)
		}
	}
}

func TestADamagedBlobIsNoticedAndRemoved(t *testing.T) {
	s := store(t)
	l := write(t, s, fixed(), LayerOptions{})
	file := s.BlobPath(l.record.Digest)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 0xff
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err == nil || !strings.Contains(err.Error(), "was damaged") {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("the damaged blob is still there")
	}
}

func TestBadTrees(t *testing.T) {
	failing := errors.New("disk on fire")
	opener := func(content string, err error) tree.Opener {
		return func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(content), iotestErr{err})), nil
		}
	}
	for name, c := range map[string]struct {
		tree tree.Tree
		o    LayerOptions
		want string
	}{
		"twice":            {tree: tree.Tree{tree.NewDir("a"), tree.NewDir("a")}, want: "a: twice"},
		"below a link":     {tree: tree.Tree{tree.NewLink("a", "b"), tree.NewDir("a/b")}, want: "a/b: a is not a directory"},
		"grew":             {tree: tree.Tree{{Path: "a", Kind: tree.File, Size: 2, Open: opener("abc", io.EOF)}}, want: "a: it has not the 2 bytes"},
		"shrank":           {tree: tree.Tree{{Path: "a", Kind: tree.File, Size: 4, Open: opener("abc", io.EOF)}}, want: "a: it has not the 4 bytes"},
		"unreadable":       {tree: tree.Tree{{Path: "a", Kind: tree.File, Size: 4, Open: opener("abc", failing)}}, want: "a: disk on fire"},
		"cannot be opened": {tree: tree.Tree{{Path: "a", Kind: tree.File, Size: 4, Open: tree.Path("/nonexistent/a")}}, want: "/nonexistent/a"},
		"the base's link": {tree: tree.Tree{tree.NewFile("lib/a", 0o644, nil)}, want: "lib: the base has something there", o: LayerOptions{
			Parent: func(p string) tree.Entry { return tree.NewLink(p, "usr/lib") },
		}},
		"unknown compression": {o: LayerOptions{Compression: "lzma"}, want: `"lzma": want gzip or zstd`},
	} {
		s := store(t)
		_, err := WriteLayer(t.Context(), s, c.tree, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
		blobs, _ := os.ReadDir(s.Root() + "/blobs/sha256")
		if len(blobs) != 0 {
			t.Errorf("%s: left %v", name, blobs)
		}
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

func TestCancelLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := store(t)
	endless := tree.Entry{Path: "a", Kind: tree.File, Size: 1 << 40, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(readerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })), nil
	}}
	if _, err := WriteLayer(ctx, s, tree.Tree{endless}, LayerOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, dir := range []string{"/blobs/sha256", "/tmp"} {
		entries, _ := os.ReadDir(s.Root() + dir)
		for _, e := range entries {
			if sub, _ := os.ReadDir(s.Root() + dir + "/" + e.Name()); len(sub) > 0 {
				t.Errorf("left %s: %v", e.Name(), sub)
			}
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAKnownKeyOpensNothing(t *testing.T) {
	s, opened := store(t), 0
	tr := tree.Tree{{Path: "a", Kind: tree.File, Size: 1, Open: func() (io.ReadCloser, error) {
		opened++
		return tree.Bytes([]byte("x"))()
	}}}
	first := write(t, s, tr, LayerOptions{Key: "k"})
	for _, c := range []struct {
		o    LayerOptions
		want int
	}{{LayerOptions{Key: "k"}, 1}, {LayerOptions{Key: "k", Compression: Zstd}, 2}, {LayerOptions{Key: "l"}, 3}, {LayerOptions{}, 4}} {
		l := write(t, s, tr, c.o)
		if opened != c.want {
			t.Errorf("%+v: opened %d times, want %d", c.o, opened, c.want)
		}
		if a, b := l.record.DiffID, first.record.DiffID; a != b {
			t.Errorf("%+v: diffID %s, want %s", c.o, a, b)
		}
	}
	if err := os.Truncate(s.BlobPath(first.record.Digest), 1); err != nil {
		t.Fatal(err)
	}
	if write(t, s, tr, LayerOptions{Key: "k"}); opened != 5 {
		t.Error("a layer whose blob is damaged was taken as known")
	}
}

// A layer of any size takes the same memory: what 32 MB allocate more than 4 MB is next to nothing.
func TestMemoryIsFlat(t *testing.T) {
	block := noise(9, 1<<20)
	allocated := func(c Compression, blocks int) uint64 {
		big := tree.Entry{Path: "a", Kind: tree.File, Size: int64(blocks) << 20, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(readerFunc(func(p []byte) (int, error) { return copy(p, block), nil }), int64(blocks)<<20)), nil
		}}
		s := store(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		write(t, s, tree.Tree{big}, LayerOptions{Compression: c})
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, c := range []Compression{Gzip, Zstd} {
		small, large := allocated(c, 4), allocated(c, 32)
		if large > small+2<<20 {
			t.Errorf("%s: 4 MB allocate %d bytes, 32 MB %d", c, small, large)
		}
	}
}
