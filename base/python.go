package base

import (
	"fmt"
	"strconv"
	"strings"
)

// The releases of CPython that pexko supports: what the pinned pex, the bytecode and the markers are tested with.
const (
	oldestMinor = 8
	newestMinor = 14
)

// Python is an interpreter in an image.
type Python struct {
	// Version is X.Y.Z as in sys.version_info: "3.11.2", "3.14.0rc1".
	Version string
	// Local says that it was built from a checkout: sys.version has a "+" behind the version.
	Local bool `json:",omitempty"`
	// Path is the executable itself, without links: "/usr/bin/python3.11".
	Path string
	// Invoked is the path by which it was found: "/usr/bin/python3". Where that is in a virtual environment, it is Path.
	Invoked string
	// Prefix is sys.base_prefix, Stdlib the directory of the standard library: "/usr", "/usr/lib/python3.11".
	Prefix, Stdlib string
	// Implementation is "cpython".
	Implementation string
	// CacheTag is sys.implementation.cache_tag: "cpython-311".
	CacheTag string
	// How says why this one was taken and what its version was read from.
	How string
}

// release is X and Y of X.Y.Z.
func (p Python) release() (major, minor int) {
	parts := strings.SplitN(p.Version, ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}

// minorVersion is X.Y.
func (p Python) minorVersion() string {
	major, minor := p.release()
	return fmt.Sprintf("%d.%d", major, minor)
}

// magic is the number that the pycs of each minor release begin with (CPython's _RAW_MAGIC_NUMBER, from 3.14
// on PYC_MAGIC_NUMBER in pycore_magic_number.h). Prereleases may have another, 3.14 up to rc2; their bytecode
// then counts as none, and is compiled again.
var magic = map[int]uint16{8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}
