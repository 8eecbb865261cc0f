package pex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pexko/pexko/wheel"
)

// builtProject is what the store remembers of a project's build: the same sources under the same builder and
// constraints need neither an index nor a backend again. Where nothing pins the build requirements, that keeps
// the wheel from changing with what the index offers.
type builtProject struct {
	Wheel    kept
	Requires []string
}

// projectSpace is where the store keeps them.
const projectSpace = "project"

// projectKey names a build by the copy of the project that the backend would see, by what it may ask git, by
// builder and constraints.
func projectKey(copied string, p Python, r ProjectRequest) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "1 %s %s %s %q\n", toolKey(), p.Executable, p.Version, r.Constraints)
	if err := hashTree(h, copied); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(copied, ".git"))
	if errors.Is(err, fs.ErrNotExist) {
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	if err != nil {
		return "", err
	}
	gitdir := strings.TrimSpace(strings.TrimPrefix(string(text), "gitdir:"))
	for _, part := range []string{"HEAD", "index", "packed-refs", "refs", "commondir"} { // what names and counts commits and files
		if err := hashTree(h, filepath.Join(gitdir, part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashTree hashes names, kinds, modes, link targets and contents below a path, in their order.
func hashTree(h hash.Hash, root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %v %d\n", rel, info.Mode(), sizeOf(info))
		switch {
		case info.Mode().IsRegular():
			return hashContent(h, name)
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			fmt.Fprintf(h, "%q\n", to)
			return err
		}
		return nil
	})
}

// sizeOf is that of a regular file; a directory's is its file system's own affair.
func sizeOf(info fs.FileInfo) int64 {
	if info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

func hashContent(h hash.Hash, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(h, f)
	return err
}

// recordedProject returns an earlier build's wheel; nil if there is none, or it was harmed.
func (t *Tool) recordedProject(ctx context.Context, key string) (*wheel.Wheel, []string, error) {
	text, ok, err := t.o.Store.Get(projectSpace, key)
	if err != nil || !ok {
		return nil, nil, err
	}
	var b builtProject
	if json.Unmarshal(text, &b) != nil {
		return nil, nil, nil
	}
	w, err := t.stored(ctx, b.Wheel)
	if errors.Is(err, errAbsent) {
		return nil, nil, nil
	}
	return w, b.Requires, err
}

func (t *Tool) recordProject(key string, w *wheel.Wheel, requires []string) error {
	text, err := json.Marshal(builtProject{kept{w.Name.File, w.SHA256, true}, requires})
	if err != nil {
		return err
	}
	return t.o.Store.Put(projectSpace, key, text)
}
