package cas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func commit(t *testing.T, s *Store, content string) Blob {
	t.Helper()
	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	b, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(s *Store, digest string) (string, error) {
	r, _, err := s.OpenBlob(digest)
	if err != nil {
		return "", err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return string(content), err
}

// files lists what lies below a directory of the store, to see what was left behind.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "CACHEDIR.TAG" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBlob(t *testing.T) {
	s := open(t, t.TempDir())
	b := commit(t, s, "hello")
	sum := sha256.Sum256([]byte("hello"))
	if want := (Blob{hex.EncodeToString(sum[:]), 5}); b != want {
		t.Errorf("got %v, want %v", b, want)
	}
	if got, err := read(s, b.Digest); got != "hello" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := read(s, strings.Repeat("0", 64)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent blob: %v", err)
	}
	for _, bad := range []string{"", "../../x", strings.ToUpper(b.Digest), b.Digest + "0", "sha256:" + b.Digest} {
		if _, err := read(s, bad); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("digest %q: %v", bad, err)
		}
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "x")
	w.Abort()
	w.Abort()
	if _, err := w.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after Abort: %v", err)
	}
	if _, err := w.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Abort: %v", err)
	}
	b := commit(t, s, "y") // its deferred Abort comes after Commit
	if got := files(t, s.Root()); len(got) != 2 || !strings.HasSuffix(got[0], b.Digest) || !strings.HasSuffix(got[1], ".lock") {
		t.Errorf("left behind: %q", got)
	}
}

func TestDamagedBlobIsRemoved(t *testing.T) {
	for name, damage := range map[string]func(string) error{
		"bit":       func(f string) error { return os.WriteFile(f, []byte("hellp"), 0o644) },
		"truncated": func(f string) error { return os.Truncate(f, 3) },
		"empty":     func(f string) error { return os.Truncate(f, 0) },
		"longer":    func(f string) error { return os.WriteFile(f, []byte("hello!"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			b := commit(t, s, "hello")
			if err := damage(s.BlobPath(b.Digest)); err != nil {
				t.Fatal(err)
			}
			if _, err := read(s, b.Digest); err == nil || !strings.Contains(err.Error(), b.Digest) {
				t.Errorf("damaged blob read: %v", err)
			}
			if _, err := read(s, b.Digest); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("damaged blob still there: %v", err)
			}
			commit(t, s, "hello")
			if got, err := read(s, b.Digest); got != "hello" || err != nil {
				t.Errorf("after repair: %q, %v", got, err)
			}
		})
	}
}

func TestCommitReplacesDamagedBlob(t *testing.T) {
	s := open(t, t.TempDir())
	b := commit(t, s, "hello")
	if err := os.Truncate(s.BlobPath(b.Digest), 1); err != nil {
		t.Fatal(err)
	}
	damaged, _, err := s.OpenBlob(b.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer damaged.Close()
	commit(t, s, "hello")
	if _, err := io.ReadAll(damaged); err == nil {
		t.Error("the damaged file was accepted")
	}
	if got, err := read(s, b.Digest); got != "hello" || err != nil {
		t.Errorf("the reader of the damaged file took the good one along: %q, %v", got, err)
	}
}

func TestRecord(t *testing.T) {
	s := open(t, t.TempDir())
	get := func(key string) string {
		t.Helper()
		data, ok, err := s.Get("pyc", key)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(string(data), ok)
	}
	if got := get("a/b\x00c"); got != "false" {
		t.Errorf("absent: %s", got)
	}
	for _, value := range []string{"one", "", strings.Repeat("x", 1<<20)} {
		if err := s.Put("pyc", "a/b\x00c", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if got := get("a/b\x00c"); got != value+"true" && got != value+" true" {
			t.Errorf("got %.20s, want %.20s", got, value)
		}
	}
	for _, bad := range []string{"", "Upper", "../x", "a/b", ".", "-"} {
		if err := s.Put(bad, "k", nil); err == nil {
			t.Errorf("space %q accepted", bad)
		}
	}
	if err := s.Put("pyc", "", nil); err == nil {
		t.Error("empty key accepted")
	}
}

func TestTornRecordIsAbsent(t *testing.T) {
	s := open(t, t.TempDir())
	for size := range int64(sha256.Size + 6) {
		if err := s.Put("layer", "k", []byte("value!")); err != nil {
			t.Fatal(err)
		}
		name, err := s.recordPath("layer", "k")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Get("layer", "k"); ok || err != nil {
			t.Errorf("torn after %d bytes: %t, %v", size, ok, err)
		}
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("torn after %d bytes: still there", size)
		}
	}
}

func TestMisplacedRecordIsAbsent(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Put("layer", "a", []byte("v")); err != nil {
		t.Fatal(err)
	}
	from, _ := s.recordPath("layer", "a")
	to, _ := s.recordPath("layer", "b")
	if err := place(from, to); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Get("layer", "b"); ok || err != nil {
		t.Errorf("a record under another key's name: %t, %v", ok, err)
	}
}

func write(dir, name, content string) error {
	file := filepath.Join(dir, name)
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644))
}

func TestDir(t *testing.T) {
	s := open(t, t.TempDir())
	fills := 0
	fill := func(dir string) error {
		fills++
		return errors.Join(write(dir, "a/b%20\nc", "x"), write(dir, "a/__pycache__/b.pyc", "y"), os.Symlink("nowhere", filepath.Join(dir, "l")))
	}
	check := func(want int) string {
		t.Helper()
		dir, err := s.Dir(t.Context(), "root", "key", fill)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "a/b%20\nc")); string(got) != "x" || err != nil {
			t.Errorf("content %q, %v", got, err)
		}
		if fills != want {
			t.Errorf("filled %d times, want %d", fills, want)
		}
		return dir
	}
	dir := check(1)
	check(1)
	for i, damage := range []func() error{
		func() error { return os.Truncate(filepath.Join(dir, "a/b%20\nc"), 0) },
		func() error { return os.Remove(filepath.Join(dir, "l")) },
		func() error { return os.RemoveAll(dir) },
		func() error { return os.RemoveAll(s.path("records")) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		check(i + 2)
	}
	if err := errors.Join(write(dir, "a/__pycache__/b.pyc", "longer"), write(dir, "new", "")); err != nil {
		t.Fatal(err)
	}
	check(5)
}

func TestDirOfNothing(t *testing.T) {
	s := open(t, t.TempDir())
	for range 2 {
		dir, err := s.Dir(t.Context(), "root", "key", func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirThatFails(t *testing.T) {
	s := open(t, t.TempDir())
	bad := errors.New("bad wheel")
	_, err := s.Dir(t.Context(), "root", "key", func(dir string) error {
		if err := errors.Join(write(dir, "ro/f", "x"), os.Chmod(filepath.Join(dir, "ro"), 0o555)); err != nil {
			t.Fatal(err)
		}
		return bad
	})
	if !errors.Is(err, bad) || strings.Contains(err.Error(), "cache directory") {
		t.Errorf("got %v", err)
	}
	for _, name := range files(t, s.Root()) {
		if !strings.HasSuffix(name, ".lock") && !strings.Contains(name, "/locks/") {
			t.Errorf("left behind: %s", name)
		}
	}
}

func TestDirWaitsUntilTheContextEnds(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Dir(t.Context(), "root", "key", func(string) error {
		cancel()
		_, err := open(t, s.Root()).Dir(ctx, "root", "key", func(string) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The goroutine that stayed behind has to give the lock back.
	if err := os.RemoveAll(s.path("dirs")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Dir(t.Context(), "root", "key", func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestGoroutinesShareAStore(t *testing.T) {
	root := t.TempDir()
	stores := []*Store{open(t, root), open(t, root)}
	var fills sync.Map
	var all sync.WaitGroup
	for i := range 32 {
		s := stores[i%2]
		all.Go(func() {
			content := bytes.Repeat([]byte{byte(i % 4)}, 100_000)
			b := commit(t, s, string(content))
			if got, err := read(s, b.Digest); err != nil || got != string(content) {
				t.Error(len(got), err)
			}
			key := fmt.Sprint(i % 4)
			if err := s.Put("r", key, content); err != nil {
				t.Error(err)
			}
			if got, ok, err := s.Get("r", key); !ok || err != nil || !bytes.Equal(got, content) {
				t.Error(len(got), ok, err)
			}
			if _, err := s.Dir(t.Context(), "d", key, func(dir string) error {
				if _, twice := fills.LoadOrStore(key, true); twice {
					t.Errorf("directory %s filled twice", key)
				}
				return write(dir, "f", key)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestTheCacheSaysThatItIsOne(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second time it is there
		if _, err := Open(dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "CACHEDIR.TAG"))
	if err != nil || !strings.HasPrefix(string(text), "Signature: 8a477f597d28d172789f06886806bc55\n") {
		t.Errorf("CACHEDIR.TAG: %q, %v", text, err)
	}
}
