package ignore

import (
	"bytes"
	"path"
	"strings"
)

// Verdict is what a list says about one path.
type Verdict uint8

// What a list can say: nothing, leave it out, or keep it in although an earlier pattern left it out.
const (
	Silent Verdict = iota
	Out
	In
)

// Git is the patterns of one .gitignore file, or of a setting in its language.
type Git struct {
	base     string // directory of the file with a slash at its end, "" for the root
	patterns []gitPattern
}

// ParseGit reads the text of the .gitignore file in the directory base ("" or "." for the root of the
// tree). There is no invalid text: a pattern that cannot be understood matches nothing, as in git.
func ParseGit(base string, text []byte) Git {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var lines []string
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !bytes.HasPrefix(line, []byte("#")) {
			lines = append(lines, string(line))
		}
	}
	return GitLines(base, lines)
}

// GitLines is ParseGit for patterns that stand one by one; "#" begins no comment here.
func GitLines(base string, lines []string) Git {
	g := Git{}
	if base != "" && base != "." {
		g.base = base + "/"
	}
	for _, line := range lines {
		if p, ok := parseGitPattern(line); ok {
			g.patterns = append(g.patterns, p)
		}
	}
	return g
}

// Empty reports whether the list has no pattern.
func (g Git) Empty() bool { return len(g.patterns) == 0 }

// Match says what the last matching pattern says about the path itself. That what lies in a directory
// that is left out stays out is the caller's part: git never looks into such a directory.
func (g Git) Match(name string, dir bool) Verdict {
	rel, ok := strings.CutPrefix(name, g.base)
	if !ok {
		return Silent
	}
	for i := len(g.patterns) - 1; i >= 0; i-- {
		if p := &g.patterns[i]; p.match(rel, dir) {
			return p.verdict()
		}
	}
	return Silent
}

// MatchOrParent is Match for the path or, where it says nothing, for the nearest parent of which the list
// says something: for lists that are applied to a path without walking down to it.
func (g Git) MatchOrParent(name string, dir bool) Verdict {
	for name != "." && name != "" {
		if v := g.Match(name, dir); v != Silent {
			return v
		}
		name, dir = path.Dir(name), true
	}
	return Silent
}

// Stack is the lists that apply to one path: the root's .gitignore first, the one beside the path last.
type Stack []Git

// Match says what the deepest list with a matching pattern says about the path itself.
func (s Stack) Match(name string, dir bool) Verdict {
	for i := len(s) - 1; i >= 0; i-- {
		if v := s[i].Match(name, dir); v != Silent {
			return v
		}
	}
	return Silent
}

// Reaches reports whether a pattern might match something below the directory. It may say yes in vain.
func (g Git) Reaches(dir string) bool {
	rel, ok := strings.CutPrefix(dir+"/", g.base)
	if !ok {
		return strings.HasPrefix(g.base, dir+"/")
	}
	for _, p := range g.patterns {
		if p.basename || strings.HasPrefix(p.literal, rel) || !p.exact() && strings.HasPrefix(rel, p.literal) {
			return true
		}
	}
	return false
}

// gitPattern is one line, cut as git's dir.c (parse_path_pattern) cuts it: the literal text before the first
// special character is compared as it is, and only the rest is a wildcard pattern. That split is
// visible: in "foo**/bar" the "**" stands at the beginning of what is left, and so it does cross slashes.
type gitPattern struct {
	literal  string
	suffix   string // of "*suffix" in a pattern without slash; wild is empty then
	wild     glob
	negated  bool // the line began with "!"
	dirOnly  bool // the line ended with "/"
	basename bool // no slash in it: matches at any depth
}

func (p *gitPattern) verdict() Verdict {
	if p.negated {
		return In
	}
	return Out
}

func (p *gitPattern) exact() bool { return p.suffix == "" && len(p.wild) == 0 }

func parseGitPattern(line string) (gitPattern, bool) {
	if i := strings.IndexByte(line, 0); i >= 0 {
		line = line[:i] // git keeps its lines as C strings
	}
	line = trimSpaces(line)
	var p gitPattern
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.dirOnly = strings.CutSuffix(line, "/")
	p.basename = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return p, false
	}
	special := strings.IndexAny(line, `*?[\`)
	switch {
	case special < 0:
		p.literal = line
	case p.basename && special == 0 && line[0] == '*' && !strings.ContainsAny(line[1:], `*?[\`) && len(line) > 1:
		p.suffix = line[1:]
	default:
		p.literal, p.wild = line[:special], compile(line[special:], !p.basename)
	}
	return p, true
}

// trimSpaces drops blanks at the end of a line unless a backslash stands before them.
func trimSpaces(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			continue
		case '\\':
			i++
			if i == len(line) {
				return line
			}
		}
		end = i + 1
	}
	return line[:end]
}

// match takes a path relative to the directory of the file that holds the pattern.
func (p *gitPattern) match(rel string, dir bool) bool {
	if p.dirOnly && !dir || rel == "" {
		return false
	}
	if p.basename {
		rel = path.Base(rel)
	}
	if p.suffix != "" {
		return strings.HasSuffix(rel, p.suffix)
	}
	rest, ok := strings.CutPrefix(rel, p.literal)
	if !ok {
		return false
	}
	if p.exact() {
		return rest == ""
	}
	return p.wild.match(rest)
}
