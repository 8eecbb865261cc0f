package base

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pexko/pexko/base/internal/binary"
)

var (
	// PY_VERSION of CPython's patchlevel.h, alone or as the end of another string.
	versionString = regexp.MustCompile(`(?:^|[^0-9.])(3\.\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?)(\+?)$`)
	// "." SOABI ".so", from _PyImport_DynLoadFiletab: ".cpython-313t-x86_64-linux-gnu.so".
	soabiString = regexp.MustCompile(`^\.cpython-3\d{1,2}([a-z]*)(?:-[a-z0-9_-]+)?\.so$`)
	// #define PY_VERSION "3.11.2" in patchlevel.h.
	patchlevel = regexp.MustCompile(`(?m)^#\s*define\s+PY_VERSION\s+"([^"]+)"`)
)

// literals are the strings of a CPython that say what it is.
type literals struct {
	alone  map[string]bool // versions that are a string of their own
	inside map[string]bool // versions that end a longer string
	flags  map[string]bool // ABI flags: "t" free-threaded, "d" debug
}

func newLiterals() literals {
	return literals{map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

// scan adds what the file at name holds.
func (l literals) scan(name string) error {
	return binary.Strings(name, func(s []byte) {
		switch c := s[len(s)-1]; {
		case c >= '0' && c <= '9' || c == '+':
			m := versionString.FindSubmatch(s)
			if m == nil {
				return
			}
			if version := string(m[1]) + string(m[2]); len(version) == len(s) {
				l.alone[version] = true
			} else {
				l.inside[version] = true
			}
		case c == 'o' && s[0] == '.':
			if m := soabiString.FindSubmatch(s); m != nil {
				l.flags[string(m[1])] = true
			}
		}
	})
}

// versions are the candidates that belong to X.Y, those that stand alone if there are any.
func (l literals) versions(minorVersion string) []string {
	for _, set := range []map[string]bool{l.alone, l.inside} {
		var found []string
		for v := range maps.Keys(set) {
			if strings.HasPrefix(v, minorVersion+".") {
				found = append(found, v)
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			return found
		}
	}
	return nil
}

// evidence is what tells the version of one Python.
type evidence struct {
	minorVersion string // of the standard library's directory
	hex          uint32 // Py_Version
	literals     literals
	header       string // PY_VERSION in patchlevel.h
}

// version is X.Y.Z, whether it has a "+", and what it was read from.
func (e evidence) version() (version string, local bool, how string, err error) {
	candidates := e.literals.versions(e.minorVersion)
	switch {
	case e.hex != 0:
		version, how = versionOf(e.hex), "Py_Version"
		if !strings.HasPrefix(version, e.minorVersion+".") {
			return "", false, "", because("it is Python %s, but the standard library beside it is that of %s", version, e.minorVersion)
		}
		local = slices.Contains(candidates, version+"+") && !slices.Contains(candidates, version)
	case len(candidates) == 1:
		version, local = strings.CutSuffix(candidates[0], "+")
		how = "PY_VERSION in the executable"
	case slices.Contains(candidates, e.header):
		version, local = strings.CutSuffix(e.header, "+")
		how = "patchlevel.h"
	case len(candidates) == 0:
		return "", false, "", because("no version of Python %s is in the executable, although its standard library is there", e.minorVersion)
	default:
		return "", false, "", because("its version may be any of %s", strings.Join(candidates, ", "))
	}
	return version, local, how, nil
}

// agreement says how the image's PYTHON_VERSION, a hint, compares.
func agreement(hint, version string) string {
	switch hint {
	case "":
		return ""
	case version:
		return ", as PYTHON_VERSION says"
	}
	return ", though PYTHON_VERSION says " + hint
}

// versionOf spells PY_VERSION_HEX: 0x030e00c1 is 3.14.0rc1.
func versionOf(hex uint32) string {
	v := fmt.Sprintf("%d.%d.%d", hex>>24, hex>>16&0xff, hex>>8&0xff)
	serial := strconv.Itoa(int(hex & 0xf))
	switch hex >> 4 & 0xf {
	case 0xa:
		return v + "a" + serial
	case 0xb:
		return v + "b" + serial
	case 0xc:
		return v + "rc" + serial
	}
	return v
}

// headerVersion is PY_VERSION in the text of a patchlevel.h.
func headerVersion(text []byte) string {
	if m := patchlevel.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}
