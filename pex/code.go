package pex

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// NameError is a file of the user's that a PEX has no place for.
type NameError struct{ Path string }

// Error names the file.
func (e *NameError) Error() string {
	return e.Path + ": a PEX has a file of its own of this name at its top"
}

// Hint says what to do about it.
func (e *NameError) Hint() string {
	if e.Path == mainName {
		return "put the code of __main__.py into a module or package and name that as the entry point (-e)"
	}
	return "rename it, or leave it out of the application's files"
}

// writeCode writes the user's files below dir, which is empty. Modes are 0644 and 0755 whatever the umask.
func writeCode(dir string, code tree.Tree) error {
	if err := code.Validate(); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	byPath := make(map[string]tree.Entry, len(code))
	for _, e := range code {
		byPath[e.Path] = e
	}
	for _, e := range code {
		top, _, _ := strings.Cut(e.Path, "/")
		if slices.Contains(reserved, top) {
			return &NameError{Path: top}
		}
		if e.Kind == tree.Dir || isBytecode(e.Path) {
			continue
		}
		source, err := target(byPath, e)
		if err != nil {
			return err
		}
		if err := writeFile(root, e.Path, source); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

// maxLinks bounds a chain of links, as the kernel does.
const maxLinks = 40

// target follows links inside the tree to a file. pex would lose a link to a directory silently.
func target(byPath map[string]tree.Entry, e tree.Entry) (tree.Entry, error) {
	from := e.Path
	for range maxLinks {
		if e.Kind == tree.File {
			return e, nil
		}
		to := path.Join(path.Dir(e.Path), e.Link)
		next, ok := byPath[to]
		if !ok || next.Kind == tree.Dir || path.IsAbs(e.Link) {
			return e, fmt.Errorf("%s: a link to %s, which is not a file of the application; a PEX holds files alone", from, e.Link)
		}
		e = next
	}
	return e, fmt.Errorf("%s: more than %d links to follow", from, maxLinks)
}

func writeFile(root *os.Root, name string, e tree.Entry) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if e.Mode&0o100 != 0 {
		mode = 0o755
	}
	from, err := e.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, from)
	if err == nil && n != e.Size {
		err = fmt.Errorf("%d bytes where %d were announced; the file changed while it was read", n, e.Size)
	}
	return errors.Join(err, to.Chmod(mode), to.Close())
}
