package cas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk fills a real file system of half a megabyte. It needs root to mount one; /dev/full stands in elsewhere.
func TestFullDisk(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=512k"); err != nil {
		if !errors.Is(err, fs.ErrPermission) {
			t.Fatal(err)
		}
		fullDevice(t)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(root, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := open(t, root)
	big := make([]byte, 1<<20)

	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(big)
	checkFull(t, "write", root, err)
	_, err = w.Commit()
	checkFull(t, "commit", root, err)
	checkFull(t, "put", root, s.Put("r", "k", big))
	_, err = s.Dir(t.Context(), "d", "k", func(dir string) error { return os.WriteFile(filepath.Join(dir, "f"), big, 0o644) })
	checkFull(t, "dir", root, err)

	if _, ok, err := s.Get("r", "k"); ok || err != nil {
		t.Errorf("half a record: %t, %v", ok, err)
	}
	if err := s.Put("r", "k", big[:100_000]); err != nil {
		t.Errorf("the failures left their bytes behind: %v", err)
	}
}

func fullDevice(t *testing.T) {
	s := open(t, t.TempDir())
	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	w.file.Close()
	if w.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	_, err = w.Write([]byte("x"))
	checkFull(t, "write", s.Root(), err)
	w.file = nil // not to remove the device
}

func checkFull(t *testing.T, what, root string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%s on a full disk: %v", what, err)
		return
	}
	if !strings.Contains(e.Error(), root) || !strings.Contains(e.Hint(), root) || !strings.Contains(e.Hint(), "free space") {
		t.Errorf("%s: %q, hint %q", what, e, e.Hint())
	}
}
