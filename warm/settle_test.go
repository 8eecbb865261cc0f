package warm

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/tree"
)

// ground is a base of directories and links alone.
func ground(t *testing.T, headers ...tar.Header) *base.FS {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		check(t, w.WriteHeader(&h))
	}
	check(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	check(t, err)
	diff, err := layer.DiffID()
	check(t, err)
	s, err := cas.Open(t.TempDir())
	check(t, err)
	f, err := rootfs.New(t.Context(), []v1.Layer{layer}, []v1.Hash{diff}, s)
	check(t, err)
	return f
}

func disturbed(t *testing.T) *base.FS {
	return ground(t,
		tar.Header{Name: "app/", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 7},
		tar.Header{Name: "app/data/", Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 1000, Gid: 1000},
		tar.Header{Name: "app/static", Typeflag: tar.TypeSymlink, Linkname: "/srv/web"},
		tar.Header{Name: "app/media", Typeflag: tar.TypeSymlink, Linkname: "/srv/later/media"},
		tar.Header{Name: "app/again", Typeflag: tar.TypeSymlink, Linkname: "data"},
		tar.Header{Name: "app/notes", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: "srv/web/", Typeflag: tar.TypeDir, Mode: 0o2775, Gid: 33},
	)
}

func settle(f *base.FS, files ...tree.Entry) (*Tree, error) {
	c := &code{files: map[string]tree.Entry{}}
	for _, e := range files {
		if e.Kind == tree.Dir {
			c.dirs = append(c.dirs, e)
			continue
		}
		c.files[e.Path] = e
	}
	p := place{app: "/app", home: "/home/nonroot"}
	made := &Tree{Units: []Unit{{Kind: Application, Tree: c.tree(p)}}}
	return made, made.settle(f, p)
}

// Below the app directory too, a directory of the base keeps mode and owner, and its link stays one.
func TestBelowTheAppDirectoryTheBaseStaysAsItIs(t *testing.T) {
	t.Parallel()
	made, err := settle(disturbed(t),
		tree.NewFile("data/x.csv", 0o644, nil), tree.NewFile("again/y.csv", 0o644, nil), tree.NewDir("data"), tree.NewDir("new"),
		tree.NewFile("static/css/site.css", 0o644, nil), tree.NewLink("static/logo", "../new/logo.png"), tree.NewFile("media/a.png", 0o644, nil),
		tree.NewFile("notes", 0o644, nil),
	)
	check(t, err)
	check(t, made.all().Validate())
	var got []string
	for _, e := range made.all() {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%v %d:%d %s %s", e.Mode|map[tree.Kind]fs.FileMode{tree.Dir: fs.ModeDir}[e.Kind], e.UID, e.GID, e.Path, e.Link)))
	}
	want := []string{
		"drwxr-x--- 7:0 app", "dtrwxrwxrwx 1000:1000 app/data", "-rw-r--r-- 0:0 app/data/x.csv", "-rw-r--r-- 0:0 app/data/y.csv",
		"drwxr-xr-x 0:0 app/new", "-rw-r--r-- 0:0 app/notes",
		"drwxr-xr-x 0:0 srv/later/media", "-rw-r--r-- 0:0 srv/later/media/a.png",
		"dgrwxrwxr-x 0:33 srv/web", "drwxr-xr-x 0:0 srv/web/css", "-rw-r--r-- 0:0 srv/web/css/site.css", "-rwxrwxrwx 0:0 srv/web/logo ../../app/new/logo.png",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheBaseHasNoPlaceFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files tree.Tree
		want  string
	}{
		{tree.Tree{tree.NewFile("notes/x.py", 0o644, nil)}, "/app/notes: the base has something there that leads to no directory"},
		{tree.Tree{tree.NewFile("data", 0o644, nil)}, "/app/data is a directory in the base"},
		{tree.Tree{tree.NewFile("data/x", 0o644, nil), tree.NewFile("again/x", 0o644, nil)}, "another file of the application one, /app/data/x"},
	} {
		if _, err := settle(disturbed(t), c.files...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
