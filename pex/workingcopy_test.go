package pex

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/cas"
)

// The copy is made in the cache, which --cache-dir may have put into the project.
func TestAWorkingCopyInsideTheProject(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	writeText(t, filepath.Join(source, "a.py"), "")
	writeText(t, filepath.Join(source, "tagged", "CACHEDIR.TAG"), "another tag")
	store, err := cas.Open(filepath.Join(source, ".cache", "pexko"))
	if err != nil {
		t.Fatal(err)
	}
	stored, remove, err := store.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	untagged := filepath.Join(source, "copy")
	if err := os.Mkdir(untagged, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir     string
		want    []string
		without []string
	}{
		{stored, []string{".", ".cache", "a.py", "copy", "tagged", "tagged/CACHEDIR.TAG"}, nil},
		{untagged, []string{".", ".cache", "a.py"}, []string{filepath.Join(source, "tagged")}},
	} {
		if err := workingCopy(t.Context(), source, c.dir, c.without...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(all(t, c.dir)))); diff != "" {
			t.Error(diff)
		}
	}
}

// What belongs to another user: tests run as root, to whom nothing is closed, so the walk's call is made here.
func TestAWorkingCopyOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	writeText(t, filepath.Join(source, "database", "file"), "")
	entries, err := os.ReadDir(source)
	if err != nil {
		t.Fatal(err)
	}
	c := copying{ctx: t.Context()}
	closed := &fs.PathError{Op: "open", Path: "database", Err: fs.ErrPermission}
	if err := c.visit("database", entries[0], closed); err != fs.SkipDir {
		t.Errorf("a directory: %v", err)
	}
	if err := c.visit(".", entries[0], closed); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the project: %v", err)
	}
	broken := &fs.PathError{Op: "open", Path: "database", Err: fs.ErrInvalid}
	if err := c.visit("database", entries[0], broken); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("another error: %v", err)
	}
}
