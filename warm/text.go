package warm

import (
	"fmt"

	"github.com/pexko/pexko/internal/tree"
)

// textLimit is the size in bytes of the largest text of pex or a wheel that is read into memory; installer.py has 30 KB.
const textLimit = 1 << 20

// readText returns a file of a tree, and whether it is there.
func readText(t tree.Tree, name string) (string, bool, error) {
	for _, e := range t {
		if e.Path == name && e.Kind == tree.File {
			content, err := e.Read(textLimit)
			if err != nil {
				return "", false, fmt.Errorf(".bootstrap: %w", err)
			}
			return string(content), true, nil
		}
	}
	return "", false, nil
}

// TextError is a text that pexko takes out of a PEX's own pex and that is not where, or not what, it was.
type TextError struct {
	File string // below .bootstrap
	Want string // what was looked for
}

// Error names the file and what it lacks.
func (e *TextError) Error() string {
	return fmt.Sprintf(".bootstrap/%s: does not hold %s", e.File, e.Want)
}

// Hint says what to do about it.
func (e *TextError) Hint() string {
	return "pexko does not know the pex version in this PEX; build the PEX again with the pex that pexko pins, or let pexko build it"
}
