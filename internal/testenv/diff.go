package testenv

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Change is one path of a container's writable layer.
type Change struct {
	Path    string // absolute, in the container
	Deleted bool   // else created or changed, be it only its times or mode
}

// fileMark is what tells podman's own entries of a writable layer from those of the container.
type fileMark struct {
	mode    fs.FileMode
	size    int64 // 0 for a directory
	deleted bool
}

// Diff returns what the container's process created, changed or deleted so far, sorted by path. It reads
// the writable layer itself: `podman diff` hides a file that was rewritten as it was. A directory that
// is there only because of an entry below it is not listed, and neither is what podman puts into every
// container (/etc/mtab, /run/.containerenv).
func (r *Running) Diff() []Change {
	r.podman.t.Helper()
	var changes []Change
	above := map[string]bool{}
	for path, mark := range marks(r.podman.t, r.layer) {
		if podmans, ok := r.podmans[path]; ok && podmans == mark {
			continue
		}
		changes = append(changes, Change{path, mark.deleted})
		above[filepath.Dir(path)] = true
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return above[c.Path] })
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// podmansOwn returns what podman puts into the writable layer of such a container before its process
// starts. Seen on one that is made and never started.
func (c *Containers) podmansOwn(o Container) map[string]fileMark {
	c.t.Helper()
	id := strings.TrimSpace(c.must(c.t.Context(), append([]string{"create", "-q"}, o.args(c.t)...)...).Stdout)
	defer c.remove(id)
	c.must(c.t.Context(), "init", id)
	return marks(c.t, c.writableLayer(id))
}

// writableLayer returns the directory that holds what a container writes: overlay's upper directory.
func (c *Containers) writableLayer(id string) string {
	c.t.Helper()
	var driver struct {
		Name string
		Data struct{ UpperDir string }
	}
	text := c.must(c.t.Context(), "inspect", "--format", "{{json .GraphDriver}}", id).Stdout
	if err := json.Unmarshal([]byte(text), &driver); err != nil {
		c.t.Fatalf("podman inspect: %v", err)
	}
	if driver.Data.UpperDir == "" {
		c.t.Fatalf("podman's storage driver %q does not tell what a container writes; PEXKO_TESTBED must lie on a file system that overlay takes", driver.Name)
	}
	return driver.Data.UpperDir
}

// marks reads a layer's directory. Overlay records a deletion as a character device 0:0.
func marks(t testing.TB, layer string) map[string]fileMark {
	t.Helper()
	all := map[string]fileMark{}
	err := filepath.WalkDir(layer, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || path == layer {
			return nil // a running container deletes while we read
		}
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		mark := fileMark{mode: info.Mode()}
		if !info.IsDir() {
			mark.size = info.Size()
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode()&fs.ModeCharDevice != 0 {
			mark.deleted = stat.Rdev == 0
		}
		all[strings.TrimPrefix(path, layer)] = mark
		return nil
	})
	if err != nil {
		t.Fatalf("the container's writable layer: %v", err)
	}
	return all
}
