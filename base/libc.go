package base

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pexko/pexko/base/internal/binary"
)

// The kinds of libc.
const (
	Glibc = "glibc"
	Musl  = "musl"
)

// Libc is the C library of an image's Python.
type Libc struct {
	// Kind is Glibc or Musl, Version its release: "2.36", "1.2.5".
	Kind, Version string
	// Loader is PT_INTERP of the Python: "/lib64/ld-linux-x86-64.so.2".
	Loader string
}

// String is "glibc 2.36".
func (l Libc) String() string { return l.Kind + " " + l.Version }

// release is the major and minor number.
func (l Libc) release() (major, minor int) {
	parts := strings.SplitN(l.Version, ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}

var (
	// What confstr(CS_GNU_LIBC_VERSION) returns, which is what packaging reads.
	glibcString = regexp.MustCompile(`(?:^|[^a-z])glibc (\d+\.\d+)[0-9.]*$`)
	// __libc_version of musl (src/internal/version.c); development versions have more behind it.
	muslString = regexp.MustCompile(`^(\d+\.\d+\.\d+)(?:[-_a-z][-_.a-z0-9]*)?$`)
)

// libcVersion finds the version in the file at name, libc.so.6 or musl's loader.
func libcVersion(kind, name string) (string, error) {
	pattern, mark := glibcString, byte('g')
	if kind == Musl {
		pattern, mark = muslString, 0
	}
	found := map[string]bool{}
	err := binary.Strings(name, func(s []byte) {
		if len(s) > 64 || len(s) < 3 || mark != 0 && !hasByte(s, mark) || mark == 0 && (s[0] < '0' || s[0] > '9') {
			return
		}
		if m := pattern.FindSubmatch(s); m != nil {
			found[string(m[1])] = true
		}
	})
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d different strings in it look like the version of %s", len(found), kind)
	}
	for version := range found {
		return version, nil
	}
	return "", nil
}

func hasByte(s []byte, c byte) bool {
	for _, b := range s {
		if b == c {
			return true
		}
	}
	return false
}
