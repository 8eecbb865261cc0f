package pep

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Version is a version by PEP 440. The zero value is no version; ParseVersion makes one.
type Version struct {
	epoch   number
	release []number // at least one; trailing zeros kept as written
	phase   string   // "a", "b", "rc" or "" for no pre-release
	pre     number
	post    number // "" for none
	dev     number // "" for none
	local   []string
}

// versionPattern is the pattern of PEP 440's appendix B, as packaging has it, without the surrounding blanks.
const versionPattern = `v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)` +
	`(?:[._-]?(?P<phase>alpha|a|beta|b|preview|pre|c|rc)[._-]?(?P<pre>[0-9]+)?)?` +
	`(?P<post>-(?P<post1>[0-9]+)|[._-]?(?:post|rev|r)[._-]?(?P<post2>[0-9]+)?)?` +
	`(?P<dev>[._-]?dev[._-]?(?P<devn>[0-9]+)?)?` +
	`(?:\+(?P<local>[a-z0-9]+(?:[._-][a-z0-9]+)*))?`

var versionRegexp = regexp.MustCompile(`^` + versionPattern + `$`)

// ParseVersion reads a version in any spelling that PEP 440 allows: "v1.0-ALPHA.1" is "1.0a1".
func ParseVersion(text string) (Version, error) {
	m := versionRegexp.FindStringSubmatch(strings.ToLower(asciiOnly(trimSpace(text))))
	if m == nil {
		return Version{}, fmt.Errorf("%q: not a version by PEP 440", text)
	}
	group := func(name string) string { return m[versionRegexp.SubexpIndex(name)] }
	v := Version{epoch: newNumber(group("epoch")), phase: normalPhase(group("phase"))}
	for part := range strings.SplitSeq(group("release"), ".") {
		v.release = append(v.release, newNumber(part))
	}
	if v.phase != "" {
		v.pre = newNumber(group("pre"))
	}
	if group("post") != "" {
		v.post = newNumber(group("post1") + group("post2"))
	}
	if group("dev") != "" {
		v.dev = newNumber(group("devn"))
	}
	v.local = parseLocal(group("local"))
	return v, nil
}

// asciiOnly returns text, or "" if it holds more than ASCII: lower-casing could turn another letter into one
// of the pattern's.
func asciiOnly(text string) string {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return ""
		}
	}
	return text
}

// isSpace is Python's str.isspace, which adds the four separators of ASCII to Unicode's white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }

func trimSpace(text string) string { return strings.TrimFunc(text, isSpace) }

func normalPhase(phase string) string {
	switch phase {
	case "alpha":
		return "a"
	case "beta":
		return "b"
	case "c", "pre", "preview":
		return "rc"
	}
	return phase
}

func parseLocal(local string) []string {
	if local == "" {
		return nil
	}
	parts := strings.FieldsFunc(local, func(r rune) bool { return r == '.' || r == '_' || r == '-' })
	for i, part := range parts {
		if isNumeric(part) {
			parts[i] = string(newNumber(part))
		}
	}
	return parts
}

func isNumeric(part string) bool {
	return strings.Trim(part, "0123456789") == ""
}

// String is the normal form: "1!2.0a1.post2.dev3+local.4".
func (v Version) String() string {
	if len(v.local) == 0 {
		return v.Public()
	}
	return v.Public() + "+" + strings.Join(v.local, ".")
}

// Public is the normal form without the local part.
func (v Version) Public() string {
	var b strings.Builder
	if v.epoch != "0" {
		b.WriteString(string(v.epoch) + "!")
	}
	for i, part := range v.release {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(string(part))
	}
	if v.phase != "" {
		b.WriteString(v.phase + string(v.pre))
	}
	if v.post != "" {
		b.WriteString(".post" + string(v.post))
	}
	if v.dev != "" {
		b.WriteString(".dev" + string(v.dev))
	}
	return b.String()
}

// Local is the part after "+" in its normal form, or "".
func (v Version) Local() string { return strings.Join(v.local, ".") }

// IsPrerelease reports whether v is a pre-release or a development release.
func (v Version) IsPrerelease() bool { return v.phase != "" || v.dev != "" }

// public returns v without its local part.
func (v Version) public() Version {
	v.local = nil
	return v
}

// Compare orders versions as PEP 440 does; "1.0" and "1" are equal, "1.0+x" is later than "1.0".
func (v Version) Compare(w Version) int {
	if c := v.epoch.compare(w.epoch); c != 0 {
		return c
	}
	if c := slices.CompareFunc(v.significant(), w.significant(), number.compare); c != 0 {
		return c
	}
	a, b := v.suffix(), w.suffix()
	for i := range a {
		if c := a[i].rank - b[i].rank; c != 0 {
			return c
		}
		if c := a[i].n.compare(b[i].n); c != 0 {
			return c
		}
	}
	return slices.CompareFunc(v.local, w.local, compareLocal)
}

// significant is the release without trailing zeros.
func (v Version) significant() []number {
	end := len(v.release)
	for end > 0 && v.release[end-1] == "0" {
		end--
	}
	return v.release[:end]
}

// place is one of the three parts after the release as it sorts: the kind of part first, then its number.
type place struct {
	rank int
	n    number
}

// suffix orders pre, post and development releases of one release: 1.dev0 < 1a1 < 1rc1 < 1 < 1.post1, and
// within each of them a development release comes before the thing itself.
func (v Version) suffix() [3]place {
	pre, post, dev := place{rank: 3}, place{rank: 0}, place{rank: 1}
	switch {
	case v.phase != "":
		pre = place{slices.Index([]string{"a", "b", "rc"}, v.phase), v.pre}
	case v.post == "" && v.dev != "":
		pre.rank = -1
	}
	if v.post != "" {
		post = place{1, v.post}
	}
	if v.dev != "" {
		dev = place{0, v.dev}
	}
	return [3]place{pre, post, dev}
}

// compareLocal orders two segments of local versions: words before numbers.
func compareLocal(a, b string) int {
	numberA, numberB := isNumeric(a), isNumeric(b)
	switch {
	case numberA && numberB:
		return number(a).compare(number(b))
	case numberA:
		return 1
	case numberB:
		return -1
	}
	return strings.Compare(a, b)
}
