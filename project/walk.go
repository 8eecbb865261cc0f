package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"unicode/utf8"

	"github.com/pexko/pexko/internal/tree"
)

// walk collects the files of a directory as its rules leave them.
type walk struct {
	root    *os.Root
	rules   *rules
	strict  bool // whether what an image cannot hold is an error or passed over
	files   tree.Tree
	secrets []string
}

// directory walks one directory, relative to the project, that was decided to be kept or looked into.
func (w *walk) directory(dir string, outer scope, d decision) error {
	entries, err := os.ReadDir(filepath.Join(w.root.Name(), filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrPermission) && !w.strict {
		return nil
	}
	if err != nil {
		return err
	}
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name()] = true
	}
	in, err := w.rules.enter(outer, dir, d, names)
	if err != nil || in.state == drop {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the directory was read, such as an editor's temporary file
		}
		if err == nil {
			err = w.entry(in, path.Join(dir, e.Name()), info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(in scope, name string, info fs.FileInfo) error {
	d := w.rules.decide(in, name, info)
	switch {
	case d == secret:
		w.secrets = append(w.secrets, name)
		return nil
	case d == drop:
		return nil
	case info.IsDir():
		return w.directory(name, in, d)
	}
	entry, err := w.leaf(name, info)
	if err == nil {
		w.files = append(w.files, entry)
	}
	if !w.strict {
		return nil
	}
	return err
}

// leaf turns a file or link into an entry, with the path that it has in the project.
func (w *walk) leaf(name string, info fs.FileInfo) (tree.Entry, error) {
	switch {
	case !utf8.ValidString(name):
		return tree.Entry{}, &FileError{fmt.Sprintf("%q", name), "its name is not UTF-8, as the names in an image must be", "rename it, or leave it out: exclude in [tool.pexko]"}
	case info.Mode()&fs.ModeSymlink != 0:
		return w.link(name)
	case !info.Mode().IsRegular():
		return tree.Entry{}, &FileError{name, "an image cannot hold " + kindName(info.Mode()), "remove it, or leave it out: exclude in [tool.pexko] or .gitignore"}
	}
	return tree.Entry{
		Path: name, Kind: tree.File, Mode: normalMode(info.Mode()), Size: info.Size(),
		Open: tree.Path(filepath.Join(w.root.Name(), filepath.FromSlash(name))),
	}, nil
}

// link keeps a link as it is if following it never leaves the project. One that leads nowhere is kept too: what it
// names may be made at run time.
func (w *walk) link(name string) (tree.Entry, error) {
	target, err := w.root.Readlink(name)
	if err != nil {
		return tree.Entry{}, err
	}
	fix := "link to a file of the project by a relative path, put the file itself there, or leave the link out: exclude in [tool.pexko]"
	if filepath.IsAbs(target) {
		return tree.Entry{}, &FileError{name, "links to the absolute path " + target + ", which means another file in the image", fix}
	}
	if _, err := w.root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tree.Entry{}, &FileError{name, "links to " + target + ", which is not inside the project", fix}
	}
	return tree.NewLink(name, filepath.ToSlash(target)), nil
}

// normalMode is what git keeps of a mode: whether the owner may execute. The umask of whoever checked the
// project out thus leaves no trace.
func normalMode(mode fs.FileMode) fs.FileMode {
	if mode&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

func kindName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
