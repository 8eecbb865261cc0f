package pep

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Specifier is one clause of PEP 440: an operator and a version, such as "~= 1.4".
type Specifier struct {
	// Operator is one of ~= == != <= >= < > ===.
	Operator string
	// Version is the text after the operator without surrounding blanks, ".*" included.
	Version string

	parsed   Version // of Version without ".*"; nothing for ===
	wildcard bool
}

// specifierPattern is packaging's pattern of a clause; only ==, != take ".*" and local versions, ~= needs two
// parts, and === takes anything up to a blank, ";" or ")".
const specifierPattern = `(?:===` + blank + `*[^;)` + blankSet + `]*` +
	`|(?:==|!=)` + blank + `*` + releasePattern + `(?:\.\*|` + prePostDev + `(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?)?` +
	`|~=` + blank + `*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+` + prePostDev +
	`|(?:<=|>=|<|>)` + blank + `*` + releasePattern + prePostDev + `)`

const (
	blankSet       = `\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}`
	blank          = `[` + blankSet + `]`
	releasePattern = `v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*`
	prePostDev     = `(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?` +
		`(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?(?:[-_.]?dev[-_.]?[0-9]*)?`
)

var specifierRegexp = regexp.MustCompile(`^(?i:` + specifierPattern + `)$`)

// ParseSpecifier reads one clause. An empty text is none; see ParseSpecifiers.
func ParseSpecifier(text string) (Specifier, error) {
	trimmed := trimSpace(text)
	if !specifierRegexp.MatchString(trimmed) {
		return Specifier{}, fmt.Errorf("%q: not a version specifier by PEP 440", text)
	}
	s := Specifier{Operator: operatorOf(trimmed)}
	s.Version = trimSpace(trimmed[len(s.Operator):])
	if s.Operator == "===" {
		return s, nil
	}
	var base string
	base, s.wildcard = strings.CutSuffix(s.Version, ".*")
	var err error
	if s.parsed, err = ParseVersion(base); err != nil {
		return Specifier{}, fmt.Errorf("specifier %q: %w", text, err)
	}
	return s, nil
}

func operatorOf(text string) string {
	for _, op := range []string{"===", "~=", "==", "!=", "<=", ">="} {
		if strings.HasPrefix(text, op) {
			return op
		}
	}
	return text[:1]
}

// String is operator and version without a blank between them.
func (s Specifier) String() string { return s.Operator + s.Version }

// key is equal for clauses that say the same: "==1.0" and "==1.0.0".
func (s Specifier) key() string {
	if s.Operator == "===" || s.wildcard {
		return s.String()
	}
	v := s.parsed
	if s.Operator != "~=" {
		v.release = v.significant()
		if len(v.release) == 0 {
			v.release = []number{"0"}
		}
	}
	return s.Operator + v.String()
}

// Contains reports whether the clause admits version, pre-release or not. A version that PEP 440 does not know
// is admitted by === alone.
func (s Specifier) Contains(version string) bool { return Specifiers{s}.Contains(version, true) }

// admits is the meaning of each operator but ===.
func (s Specifier) admits(v Version) bool {
	switch s.Operator {
	case "~=":
		return v.Compare(s.parsed) >= 0 && v.inSeries(s.parsed, len(s.parsed.release)-1)
	case "==":
		return s.equals(v)
	case "!=":
		return !s.equals(v)
	case "<=":
		return v.public().Compare(s.parsed) <= 0
	case ">=":
		return v.Compare(s.parsed) >= 0
	case "<":
		return v.Compare(s.parsed.beginning()) < 0
	}
	return v.public().Compare(s.parsed) > 0 && !v.isPostOf(s.parsed)
}

// equals is ==: by prefix for ".*", without v's local part unless the clause names one.
func (s Specifier) equals(v Version) bool {
	switch {
	case s.wildcard:
		return v.inSeries(s.parsed, len(s.parsed.release))
	case len(s.parsed.local) == 0:
		v = v.public()
	}
	return v.Compare(s.parsed) == 0
}

// inSeries reports whether v's release, filled up with zeros, begins with the first n parts of w's.
func (v Version) inSeries(w Version, n int) bool {
	if v.epoch != w.epoch {
		return false
	}
	for i, part := range w.release[:n] {
		have := number("0")
		if i < len(v.release) {
			have = v.release[i]
		}
		if have != part {
			return false
		}
	}
	return true
}

// beginning is the lower end of what "<v" leaves out: pre-releases of v are not before v, unless v is one.
func (v Version) beginning() Version {
	if !v.IsPrerelease() {
		v.dev = "0"
	}
	return v
}

// isPostOf reports whether v is a post-release of w, which ">w" leaves out unless w is a post or development
// release itself.
func (v Version) isPostOf(w Version) bool {
	return w.post == "" && w.dev == "" && v.epoch == w.epoch && v.phase == w.phase && v.pre == w.pre &&
		slices.Equal(v.significant(), w.significant())
}

// Specifiers is a set of clauses that all must hold. The empty set admits everything.
type Specifiers []Specifier

// ParseSpecifiers reads clauses separated by commas; blanks and empty clauses do not matter.
func ParseSpecifiers(text string) (Specifiers, error) {
	var set Specifiers
	for part := range strings.SplitSeq(text, ",") {
		if trimSpace(part) == "" {
			continue
		}
		s, err := ParseSpecifier(part)
		if err != nil {
			return nil, err
		}
		set = append(set, s)
	}
	return set, nil
}

// Contains reports whether every clause admits version. With prereleases false a pre-release is refused, whatever
// the clauses say; true is also what packaging does when it is told nothing. A version that PEP 440 does not know
// is admitted by === alone, which compares text.
func (set Specifiers) Contains(version string, prereleases bool) bool {
	v, err := ParseVersion(version)
	if err == nil && !prereleases && v.IsPrerelease() {
		return false
	}
	for _, s := range set {
		switch {
		case s.Operator == "===":
			if !strings.EqualFold(version, s.Version) {
				return false
			}
		case err != nil || !s.admits(v):
			return false
		}
	}
	return true
}

// String is the normal form: the clauses sorted, equal ones once, separated by commas.
func (set Specifiers) String() string {
	sorted := slices.SortedFunc(slices.Values(set), func(a, b Specifier) int {
		return strings.Compare(a.String(), b.String())
	})
	var parts []string
	seen := map[string]bool{}
	for _, s := range sorted {
		if seen[s.key()] {
			continue
		}
		seen[s.key()] = true
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ",")
}

// Pin returns the one version that the set admits by a single == (without ".*") or ===, as written.
func (set Specifiers) Pin() (version string, ok bool) {
	if len(set) != 1 || set[0].wildcard || set[0].Operator != "==" && set[0].Operator != "===" {
		return "", false
	}
	return set[0].Version, true
}
