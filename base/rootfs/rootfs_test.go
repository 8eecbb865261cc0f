package rootfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/internal/tree"
)

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct {
		layers [][]string
		want   []string
	}{
		"one": {
			[][]string{{"./", "./etc/", "./etc/passwd", "./dev/null !", "./bin -> usr/bin"}},
			[]string{"bin -> usr/bin", "dev/", "dev/null !", "etc/", "etc/passwd=./etc/passwd"},
		},
		"whiteout": {
			[][]string{{"a/x", "a/y"}, {"a/.wh.x"}},
			[]string{"a/", "a/y"},
		},
		"whiteout of a directory": {
			[][]string{{"a/b/c", "a/d"}, {"a/.wh.b"}},
			[]string{"a/", "a/d"},
		},
		"whiteout before what the layer brings": {
			[][]string{{"a/old"}, {".wh.a", "a/", "a/new"}},
			[]string{"a/", "a/new"},
		},
		"whiteout after what the layer brings": {
			[][]string{{"a/old"}, {"a/", "a/new", ".wh.a"}},
			[]string{"a/", "a/new"},
		},
		"whiteout of what is not there": {
			[][]string{{"a"}, {".wh.b", "c/.wh.d"}},
			[]string{"a"},
		},
		"opaque": {
			[][]string{{"a/old", "a/b/old"}, {"a/b/new", "a/.wh..wh..opq"}},
			[]string{"a/", "a/b/", "a/b/new"},
		},
		"opaque keeps the layers above": {
			[][]string{{"a/1"}, {"a/.wh..wh..opq", "a/2"}, {"a/3"}},
			[]string{"a/", "a/2", "a/3"},
		},
		"aufs": {
			[][]string{{".wh..wh.plnk/", ".wh..wh.aufs", "a"}},
			[]string{"a"},
		},
		"file over directory": {
			[][]string{{"a/b"}, {"a"}},
			[]string{"a"},
		},
		"directory over file": {
			[][]string{{"a"}, {"a/b"}},
			[]string{"a/", "a/b"},
		},
		"through a link of the same layer": {
			[][]string{{"usr/lib/", "lib -> usr/lib", "lib/x"}},
			[]string{"lib -> usr/lib", "usr/", "usr/lib/", "usr/lib/x=lib/x"},
		},
		"through an absolute link that climbs": {
			[][]string{{"l -> /../../etc", "l/x"}},
			[]string{"etc/", "etc/x=l/x", "l -> /../../etc"},
		},
		"through a link of a layer below": {
			[][]string{{"usr/lib/y", "lib -> usr/lib"}, {"lib/x"}},
			[]string{"lib/", "lib/x", "usr/", "usr/lib/", "usr/lib/y"},
		},
		"hard links": {
			[][]string{{"a/1", "b/2 = a/1", "c = b/2"}, {"a/1 -> x"}},
			[]string{"a/", "a/1 -> x", "b/", "b/2=a/1", "c=a/1"},
		},
		"hard link to a layer below": {
			[][]string{{"a"}, {"b = a", ".wh.a"}},
			[]string{"b=a"},
		},
		"hard link to the earlier of two": {
			[][]string{{"a", "b = a", "a -> b"}},
			[]string{"a -> b", "b=a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, listing(t, mustFS(t, c.layers...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDirectoriesKeepModeAndOwner(t *testing.T) {
	f := mustFS(t,
		[]string{"tmp/ 1777 0:0", "usr/local/lib/ 2775 0:50", "home/x/ 700 7:8"},
		[]string{"usr/local/lib/python3.12/x", "home/x/ 750 9:8"})
	type facts struct {
		Mode     fs.FileMode
		UID, GID int
		Implied  bool
	}
	got := map[string]facts{}
	for _, p := range []string{"", "tmp", "usr", "usr/local/lib", "home/x"} {
		n, ok := f.Lookup(p)
		if !ok {
			t.Fatalf("%s is not there", p)
		}
		got[p] = facts{n.Mode | n.Special, n.UID, n.GID, n.Implied}
	}
	want := map[string]facts{
		"":              {0o755, 0, 0, true},
		"tmp":           {0o777 | fs.ModeSticky, 0, 0, false},
		"usr":           {0o755, 0, 0, true},
		"usr/local/lib": {0o775 | fs.ModeSetgid, 0, 50, false},
		"home/x":        {0o750, 9, 8, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostileLayers(t *testing.T) {
	for name, c := range map[string]struct {
		specs []string
		want  string
	}{
		"climbing name":          {[]string{"../etc/passwd"}, "climbs out"},
		"climbing in the middle": {[]string{"a/../../b"}, "climbs out"},
		"climbing hard link":     {[]string{"a = ../../etc/passwd"}, "climbs out"},
		"dangling hard link":     {[]string{"a = b"}, "which is not there"},
		"hard link to directory": {[]string{"b/", "a = b"}, "which is a directory"},
		"below a file":           {[]string{"a", "a/b"}, "a is no directory"},
		"link loop":              {[]string{"a -> b", "b -> a", "a/x"}, "too many levels"},
		"empty whiteout":         {[]string{"a/.wh."}, "names nothing"},
		"whiteout of the parent": {[]string{"a/.wh..."}, "names nothing"},
		"root as a link":         {[]string{"./ -> /x"}, "root of the image"},
		"long name":              {[]string{strings.Repeat("a/", 2100) + "x"}, "more than 4096"},
		"short pyc":              {[]string{"__pycache__/a.pyc"}, ""}, // 17 bytes: not refused
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newFS(newLayer(t, c.specs...))
			if c.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "layer sha256:") {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestDamagedLayers(t *testing.T) {
	good := newLayer(t, "a", "b")
	for name, bad := range map[string][]byte{
		"cut":        good.tar[:700],
		"cut header": good.tar[:100],
		"changed":    bytes.Replace(good.tar, []byte("a\x00"), []byte("c\x00"), 1),
		"longer":     append(bytes.Clone(good.tar), "more"...),
	} {
		t.Run(name, func(t *testing.T) {
			l := &testLayer{tar: bad}
			_, err := New(context.Background(), []v1.Layer{l}, []v1.Hash{good.diffID()}, &memory{})
			if err == nil || !strings.Contains(err.Error(), good.diffID().Hex) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNotEnoughDigests(t *testing.T) {
	if _, err := New(context.Background(), []v1.Layer{newLayer(t)}, nil, &memory{}); err == nil {
		t.Error("accepted")
	}
}

func TestResolve(t *testing.T) {
	f := mustFS(t, []string{
		"usr/bin/python3.11", "usr/bin/python3 -> python3.11", "bin -> usr/bin", "etc/alternatives/python -> /usr/bin/python3",
		"usr/bin/python -> /etc/alternatives/python", "up -> ../../../bin", "loop -> loop", "a/b/ -> x", "dangling -> nowhere/x",
	})
	for in, want := range map[string]string{
		"":                        ".",
		"/":                       ".",
		"bin":                     "usr/bin",
		"/bin/python":             "usr/bin/python3.11",
		"up/python3":              "usr/bin/python3.11",
		"bin/../lib":              "",
		"bin/../bin/./python":     "usr/bin/python3.11",
		"loop":                    "",
		"dangling":                "",
		"usr/bin/python3.11/x":    "",
		"/../../usr/bin/../../up": "usr/bin",
	} {
		got, err := f.Resolve(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	if _, err := f.Resolve("loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("loop: %v", err)
	}
	if _, err := f.Resolve("/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nowhere: %v", err)
	}
}

func TestStatFollowsLinksOnTheWayOnly(t *testing.T) {
	f := mustFS(t, []string{"usr/bin/x -> y", "bin -> usr/bin"})
	if e, ok := f.Stat("bin/x"); !ok || e.Path != "usr/bin/x" || e.Kind != tree.Symlink || e.Link != "y" {
		t.Errorf("%+v, %v", e, ok)
	}
	if _, ok := f.Stat("bin/y"); ok {
		t.Error("found what is not there")
	}
}

func TestPlace(t *testing.T) {
	f := mustFS(t, []string{"usr/lib/", "lib -> usr/lib", "app -> /data/app", "file", "loop -> loop"})
	for in, want := range map[string]string{
		"/lib/python3/x": "usr/lib/python3/x",
		"lib":            "lib",
		"/pex/venv":      "pex/venv",
		"app/x/y":        "data/app/x/y",
		"/":              ".",
		"file/x":         "",
		"loop/x":         "",
	} {
		got, err := f.Place(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	if got := listing(t, f); len(got) != 6 {
		t.Errorf("Place changed the tree: %q", got)
	}
}

func TestExtractWritesWhatIsSeen(t *testing.T) {
	layers := []*testLayer{
		newLayer(t, "lib/libc.so.6 -> libc-2.31.so", "lib/libc-2.31.so 755 0:0", "usr/a", "usr/b = usr/a", "unused"),
		newLayer(t, "not/wanted"),
		newLayer(t, "usr/c 600 3:4"),
	}
	f, err := newFS(layers...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := f.Extract(context.Background(), []string{"lib/libc.so.6", "/usr/a", "usr/b", "usr/c", "usr/c"}, dir); err != nil {
		t.Fatal(err)
	}
	var got []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		got = append(got, fmt.Sprintf("%s %v %d %s", rel, info.Mode(), info.ModTime().Unix(), b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"lib/libc.so.6 -rwxr-xr-x 1000 lib/libc-2.31.so", "usr/a -rw-r--r-- 1000 usr/a", "usr/b -rw-r--r-- 1000 usr/a", "usr/c -rw-r--r-- 1000 usr/c",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i, want := range []int32{2, 1, 2} {
		if n := layers[i].opens.Load(); n != want {
			t.Errorf("layer %d was opened %d times, want %d", i, n, want)
		}
	}
}

func TestReadFiles(t *testing.T) {
	f := mustFS(t, []string{"etc/passwd", "etc/os-release -> ../usr/os", "usr/os", "etc/d/"})
	got, err := f.ReadFiles(context.Background(), 100, "etc/passwd", "/etc/os-release", "usr/os", "etc/d", "none")
	want := map[string][]byte{"etc/passwd": []byte("etc/passwd"), "/etc/os-release": []byte("usr/os"), "usr/os": []byte("usr/os")}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := f.ReadFiles(context.Background(), 5, "etc/passwd"); err == nil {
		t.Error("a file over the limit was read")
	}
}

func TestContentIsVerified(t *testing.T) {
	l := newLayer(t, "a", "b")
	f, err := newFS(l)
	if err != nil {
		t.Fatal(err)
	}
	good := l.tar
	for name, bad := range map[string][]byte{
		"other content":    bytes.Replace(good, []byte("\x00a\x00"), []byte("\x00x\x00"), 1),
		"a byte elsewhere": append(bytes.Clone(good), 0),
		"cut":              good[:1024],
		"another file":     newLayer(t, "c").tar,
		"empty":            newLayer(t).tar,
	} {
		t.Run(name, func(t *testing.T) {
			l.tar = bad
			if b, err := f.ReadFiles(context.Background(), 10, "a"); err == nil {
				t.Errorf("ReadFiles gave %q", b)
			}
			e, _ := f.Stat("a")
			if b, err := e.Read(10); err == nil {
				t.Errorf("Open gave %q", b)
			}
		})
	}
}

func TestCachedLayersAreNotOpened(t *testing.T) {
	cache := &memory{}
	l := newLayer(t, "usr/lib/__pycache__/a.cpython-311.pyc", "usr/lib/a.py 4711 1:2", "x -> y", "z !")
	first, err := cachedFS(cache, l)
	if err != nil {
		t.Fatal(err)
	}
	want := listing(t, first)
	l.opens.Store(0)
	second, err := cachedFS(cache, l)
	if err != nil || l.opens.Load() != 0 {
		t.Fatalf("%v, %d opens", err, l.opens.Load())
	}
	if diff := cmp.Diff(want, listing(t, second)); diff != "" {
		t.Error(diff)
	}
	n, _ := second.Lookup("usr/lib/__pycache__/a.cpython-311.pyc")
	if string(n.Head) != "usr/lib/__pycach" || n.ModTime.Unix() != 1000 {
		t.Errorf("head %q, time %v", n.Head, n.ModTime)
	}
	for k := range cache.records {
		cache.records[k] = []byte("old form")
	}
	if _, err := cachedFS(cache, l); err != nil {
		t.Error(err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l := newLayer(t, "a")
	if _, err := New(ctx, []v1.Layer{l}, []v1.Hash{l.diffID()}, &memory{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode([]record{{name: "a/b", kind: file, mode: 0o644, size: 3, head: []byte("0123456789abcdef")}, {name: "a/c", kind: link, link: "b"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(records))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(records, again, cmp.AllowUnexported(record{})); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzLayer(f *testing.F) {
	add := func(specs ...string) { f.Add(newLayer(&testing.T{}, specs...).tar) }
	add("a/", "a/b -> ../c", "c = a/b", "a/.wh.x", "a/.wh..wh..opq")
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys, err := newFS(&testLayer{tar: b}, &testLayer{tar: b})
		if err != nil {
			return
		}
		err = fsys.Walk("", func(n Node) error {
			if strings.HasPrefix(n.Path, "/") || strings.Contains("/"+n.Path+"/", "/../") {
				t.Errorf("path %q", n.Path)
			}
			_, _ = fsys.Resolve(n.Path)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
