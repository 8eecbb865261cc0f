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

// writeCode writes the user's files below dir, which is empty. Modes are 0644 and 0755 whatever the umask. pex
// would lose a link to a directory silently, so what it names is written in its place.
func writeCode(dir string, code tree.Tree) error {
	if err := code.Validate(); err != nil {
		return err
	}
	files, err := code.Files()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, e := range files {
		top, _, _ := strings.Cut(e.Path, "/")
		if slices.Contains(reserved, top) {
			return &NameError{Path: top}
		}
		if isBytecode(e.Path) {
			continue
		}
		if err := writeFile(root, e); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

func writeFile(root *os.Root, e tree.Entry) error {
	if err := root.MkdirAll(path.Dir(e.Path), 0o755); err != nil {
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
	to, err := root.OpenFile(e.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, from)
	if err == nil && n != e.Size {
		err = fmt.Errorf("%d bytes where %d were announced; the file changed while it was read", n, e.Size)
	}
	return errors.Join(err, to.Chmod(mode), to.Close())
}
