package pex

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/pexko/pexko/internal/tree"
)

// maxEntries bounds the files and directories of a PEX. The largest seen (torch, CUDA, transformers) has 60,000.
const maxEntries = 2_000_000

// Read reads the PEX at path and checks its hashes. It takes the loose layout, a directory; packed ones and
// zipapps are refused. The File refers to the directory, which must not change.
func Read(path string) (*File, error) {
	return read(context.Background(), path)
}

func read(ctx context.Context, path string) (*File, error) {
	entries, err := content(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := fromTree(ctx, entries)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// content lists what is in a PEX, by its layout (layout.py:103, identify_layout).
func content(path string) (tree.Tree, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("a PEX in one file; give the loose layout (pex --layout loose)")
	}
	bootstrap, err := os.Stat(filepath.Join(path, bootstrapName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no .bootstrap in it; this is no PEX")
	case err != nil:
		return nil, err
	case !bootstrap.IsDir():
		return nil, errors.New("a PEX in the packed layout; give the loose layout (pex --layout loose)")
	}
	return directory(path)
}

// directory lists a loose PEX. The one link that pex makes is "pex"; others could lead out of it.
func directory(root string) (tree.Tree, error) {
	var all tree.Tree
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case len(all) == maxEntries:
			return fmt.Errorf("more than %d files", maxEntries)
		case !utf8.ValidString(name):
			return fmt.Errorf("%q: a name that is not UTF-8", name)
		case d.Type()&fs.ModeSymlink != 0 && name == linkName:
			return nil
		case !d.IsDir() && !d.Type().IsRegular():
			return fmt.Errorf("%s: neither a file nor a directory; pex puts no such thing into a PEX", name)
		case d.IsDir():
			all = append(all, tree.NewDir(name))
			return nil
		}
		entry, err := fileEntry(name, path, d)
		all = append(all, entry)
		return err
	})
	return all, err
}

func fileEntry(name, path string, d fs.DirEntry) (tree.Entry, error) {
	info, err := d.Info()
	if err != nil {
		return tree.Entry{}, err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return tree.Entry{Path: name, Kind: tree.File, Mode: mode, Size: info.Size(), Open: tree.Path(path)}, nil
}
