package pex

import (
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// dirHash is pex's hash of a directory (hashing.py:229): the paths of its files, "/"-separated, sorted by code
// point and joined by nothing, then the contents in that order.
func dirHash(sum hash.Hash, files tree.Tree) (string, error) {
	files = slices.DeleteFunc(slices.Clone(files), func(e tree.Entry) bool { return e.Kind != tree.File })
	slices.SortFunc(files, func(a, b tree.Entry) int { return strings.Compare(a.Path, b.Path) })
	for _, e := range files {
		io.WriteString(sum, e.Path) // a hash never fails
	}
	for _, e := range files {
		if err := hashFile(sum, e); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func hashFile(sum hash.Hash, e tree.Entry) error {
	content, err := e.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	n, err := io.Copy(sum, content)
	if err == nil && n != e.Size {
		err = fmt.Errorf("%s: %d bytes where %d were announced", e.Path, n, e.Size)
	}
	return err
}

var temporaryBytecode = regexp.MustCompile(`\.pyc\.[0-9]+$`)

// isBytecode reports whether pex leaves the file out of hashes and PEXes (common.py:79 and :85).
func isBytecode(name string) bool {
	return strings.HasSuffix(name, ".pyc") || strings.HasSuffix(name, ".pyo") ||
		slices.Contains(strings.Split(name, "/"), "__pycache__") || temporaryBytecode.MatchString(name)
}

// hiddenFile reports whether the base name begins with a dot; such user files are shipped but do not count in
// code_hash (util.py:83).
func hiddenFile(name string) bool { return strings.HasPrefix(path.Base(name), ".") }
