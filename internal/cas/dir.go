package cas

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Dir returns the path of the directory that is stored under the key. If it is not there, or lost files,
// fill makes it: it gets an empty directory, which becomes the entry when fill returns nil and vanishes
// when it returns an error. One process and goroutine at a time fills a key; the others wait (until ctx
// ends) and get the result. Nobody may change the files later; adding some, such as bytecode, is fine.
//
// What fill makes has to work from another path: the directory is renamed when it is complete.
func (s *Store) Dir(ctx context.Context, space, key string, fill func(dir string) error) (string, error) {
	name, err := keyName(space, key)
	if err != nil {
		return "", err
	}
	final := s.path("dirs", space, name)
	if ok, err := s.complete(space, key, final); ok || err != nil {
		return final, err
	}
	unlock, err := s.lock(ctx, space, name)
	if err != nil {
		return "", fmt.Errorf("waiting for another process that makes %s %s: %w", space, key, err)
	}
	defer unlock()
	if ok, err := s.complete(space, key, final); ok || err != nil { // made while this one waited
		return final, err
	}
	return final, s.fill(space, key, final, fill)
}

// lock takes the lock of one key. The wait cannot be broken off, so a goroutine stays behind until the
// other process is done when ctx ends first.
func (s *Store) lock(ctx context.Context, space, name string) (unlock func(), err error) {
	file := s.path("locks", space, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, s.wrap(err)
	}
	type result struct {
		unlock func()
		err    error
	}
	done := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(file).Lock()
		done <- result{unlock, err}
	}()
	select {
	case r := <-done:
		return r.unlock, s.wrap(r.err)
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				r.unlock()
			}
		}()
		return nil, ctx.Err()
	}
}

func (s *Store) fill(space, key, final string, fill func(dir string) error) error {
	if err := removeAll(final); err != nil { // what complete() did not accept
		return s.wrap(err)
	}
	temp, remove, err := s.TempDir()
	if err != nil {
		return err
	}
	defer remove()
	if err := fill(temp); err != nil {
		return s.wrapFill(err)
	}
	content, err := contents(temp)
	if err != nil {
		return s.wrap(err)
	}
	if err := s.Put(dirSpace(space), key, content); err != nil {
		return err
	}
	return s.wrap(place(temp, final))
}

// wrapFill adds the hint of a full disk; other errors are the caller's own and need no cache directory.
func (s *Store) wrapFill(err error) error {
	if wrapped := (&Error{Dir: s.dir, Err: err}); wrapped.Hint() != "" && !errors.Is(err, fs.ErrPermission) {
		return s.wrap(err)
	}
	return err
}

func dirSpace(space string) string { return "dir-" + space }

// complete says whether the directory holds every file it was made with, at the size it had. That finds
// what a crash before the write-back or an eager cleaner of caches takes away, at the cost of one stat per
// file.
func (s *Store) complete(space, key, final string) (bool, error) {
	content, ok, err := s.Get(dirSpace(space), key)
	if !ok || err != nil {
		return false, err
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		size, name, ok := strings.Cut(lines.Text(), " ")
		info, err := os.Lstat(filepath.Join(final, filepath.FromSlash(unescape(name))))
		if !ok || err != nil || size != sizeOf(info) {
			return false, nil
		}
	}
	if _, err := os.Stat(final); err != nil {
		return false, nil
	}
	return true, nil
}

// contents lists files and links with their sizes, a line each. Bytecode is left out, because Python
// rewrites it on its own.
func contents(dir string) ([]byte, error) {
	var list bytes.Buffer
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "__pycache__" {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%s %s\n", sizeOf(info), escape(filepath.ToSlash(rel)))
		return nil
	})
	return list.Bytes(), err
}

func sizeOf(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return info.Mode().Type().String()
	}
	return fmt.Sprint(info.Size())
}

func escape(name string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A", "\r", "%0D").Replace(name)
}

func unescape(name string) string {
	return strings.NewReplacer("%25", "%", "%0A", "\n", "%0D", "\r").Replace(name)
}
