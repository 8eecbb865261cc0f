package bytecode

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// MaxSource is the largest source in bytes that is compiled; a larger one is skipped. The parser needs some
// hundred times its size in memory.
const MaxSource = 16 << 20

// MaxBytecode is the largest pyc in bytes; a source that gives a larger one is skipped.
const MaxBytecode = 64 << 20

// Mode says what the import system does with the source that a pyc was made from (PEP 552).
type Mode uint8

const (
	// Unchecked pycs are used whatever became of the source: for what nobody edits in place.
	Unchecked Mode = 1
	// Checked pycs are used if the source still has the hash that the pyc records: an edited file takes effect.
	Checked Mode = 3
)

// String gives py_compile.PycInvalidationMode's name.
func (m Mode) String() string {
	switch m {
	case Unchecked:
		return "UNCHECKED_HASH"
	case Checked:
		return "CHECKED_HASH"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Source is a Python file to compile.
type Source struct {
	// Path is the absolute path in the image by which the module is imported. It is recorded in the code
	// (co_filename) and shown in tracebacks. Bytes that are not UTF-8 are kept as os.fsdecode keeps them.
	Path string
	Mode Mode
	Size int64 // of the source in bytes
	Open tree.Opener
}

func (s Source) validate() error {
	switch {
	case !path.IsAbs(s.Path) || strings.ContainsRune(s.Path, 0):
		return fmt.Errorf("source %q: not an absolute path in the image", s.Path)
	case s.Mode != Unchecked && s.Mode != Checked:
		return fmt.Errorf("source %s: unknown mode %v", s.Path, s.Mode)
	case s.Open == nil:
		return errors.New("source " + s.Path + ": has no content")
	}
	return nil
}

// Result is the pyc of a source, or why there is none.
type Result struct {
	Size int64       // of the pyc in bytes
	Open tree.Opener // reads from the cache; nil when Skipped
	// Skipped says in one line why there is no pyc: "SyntaxError: invalid syntax (mod.py, line 3)".
	Skipped string
}

// CacheName is the path of a source's pyc: CacheName("pkg/mod.py", "cpython-311") is
// "pkg/__pycache__/mod.cpython-311.pyc", as importlib.util.cache_from_source has it (PEP 3147).
func CacheName(source, cacheTag string) string {
	dir, file := path.Split(source)
	base, dot := file, ""
	if i := strings.LastIndexByte(file, '.'); i >= 0 {
		if base, dot = file[:i], "."; base == "" {
			base = file[1:]
		}
	}
	return dir + "__pycache__/" + base + dot + cacheTag + ".pyc"
}
