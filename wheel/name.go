package wheel

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// Name is the file name of a wheel in its parts (PEP 427).
type Name struct {
	// Distribution and Version are as written in the file name, where "-" is spelled "_".
	Distribution, Version string
	// Build is the build tag, "1" or "2local", or "".
	Build string
	Tags  []Tag
	// File is the whole: "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl".
	File string
}

// Normalized is the distribution's name by PEP 503.
func (n Name) Normalized() string { return Normalize(n.Distribution) }

// ParseName reads a file name, without a directory, by packaging's rules: a version by PEP 440, four or five dashes.
func ParseName(file string) (Name, error) {
	bad := func(why string, args ...any) (Name, error) {
		return Name{}, fmt.Errorf("%q: not a wheel's file name: %s", file, fmt.Sprintf(why, args...))
	}
	stem, ok := strings.CutSuffix(file, ".whl")
	if !ok {
		return bad("it does not end in .whl")
	}
	if strings.ContainsFunc(file, notForFiles) {
		return bad("it holds a slash or a control character")
	}
	parts := strings.Split(stem, "-")
	if len(parts) != 5 && len(parts) != 6 {
		return bad("%d parts where NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM has 5 or 6", len(parts))
	}
	n := Name{Distribution: parts[0], Version: parts[1], File: file}
	if !isEscapedName(n.Distribution) {
		return bad("%q is no distribution's name", n.Distribution)
	}
	if _, err := pep.ParseVersion(n.Version); err != nil {
		return bad("%v", err)
	}
	if len(parts) == 6 {
		if n.Build = parts[2]; n.Build == "" || !isDigit(n.Build[0]) {
			return bad("the build tag %q does not begin with a digit", n.Build)
		}
	}
	tags, err := ParseTags(strings.Join(parts[len(parts)-3:], "-"))
	if err != nil {
		return bad("%v", err)
	}
	n.Tags = tags
	return n, nil
}

func notForFiles(r rune) bool { return r == '/' || r == '\\' || r < ' ' || r == 0x7f }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isEscapedName reports whether name is one where runs of other characters became one "_" or ".".
func isEscapedName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && c != '.' && !isDigit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != "" && !strings.Contains(name, "__")
}

// compareBuild orders build tags: none first, then by the leading number, then by the rest (PEP 427).
func compareBuild(a, b string) int {
	numberA, restA := splitBuild(a)
	numberB, restB := splitBuild(b)
	return cmp.Or(cmp.Compare(len(numberA), len(numberB)), cmp.Compare(numberA, numberB), cmp.Compare(restA, restB))
}

// splitBuild cuts the leading number off; its zeros are dropped but for one digit, so that length and text order it.
func splitBuild(build string) (number, rest string) {
	end := 0
	for end < len(build) && isDigit(build[end]) {
		end++
	}
	number = strings.TrimLeft(build[:end], "0")
	if number == "" && end > 0 {
		number = "0"
	}
	return number, build[end:]
}
