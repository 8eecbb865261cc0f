package ignore

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Docker is the patterns of a .dockerignore file. It follows github.com/moby/patternmatcher 0.6.1, which
// docker and buildkit use, by its MatchesOrParentMatches: every pattern is anchored at the root, the
// last one that matches the path or a parent of it wins, and "!" brings back.
type Docker struct{ patterns []dockerPattern }

type dockerPattern struct {
	text  string
	kind  dockerKind
	re    *regexp.Regexp // of dockerRegexp
	again bool           // the line began with "!"
}

type dockerKind uint8

const (
	dockerExact dockerKind = iota
	dockerPrefix
	dockerSuffix
	dockerRegexp
)

// ParseDocker reads the text of a .dockerignore file. A malformed pattern is an error that names its line,
// as it is for docker.
func ParseDocker(text []byte) (Docker, error) {
	var d Docker
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	row := 0
	for raw := range bytes.SplitSeq(text, []byte("\n")) {
		row++
		if bytes.HasPrefix(raw, []byte("#")) {
			continue
		}
		line := strings.TrimSpace(string(raw))
		if line == "" {
			continue
		}
		p, err := parseDockerPattern(line)
		if err != nil {
			return Docker{}, fmt.Errorf("line %d: pattern %q: %w", row, line, err)
		}
		d.patterns = append(d.patterns, p)
	}
	return d, nil
}

// Out reports whether the list leaves out the path.
func (d Docker) Out(name string) bool {
	out := false
	for i := range d.patterns {
		if p := &d.patterns[i]; p.again == out && p.matchOrParent(name) {
			out = !p.again
		}
	}
	return out
}

// Reaches reports whether something below a directory that is left out might be brought back.
func (d Docker) Reaches() bool {
	for _, p := range d.patterns {
		if p.again {
			return true
		}
	}
	return false
}

func parseDockerPattern(line string) (dockerPattern, error) {
	var p dockerPattern
	line, p.again = strings.CutPrefix(path.Clean(anchor(line)), "!")
	if line == "" {
		return p, errors.New("nothing follows the exclamation mark")
	}
	if _, err := path.Match(line, "."); err != nil {
		return p, err
	}
	p.text = line
	expression := p.translate()
	if p.kind != dockerRegexp {
		return p, nil
	}
	re, err := regexp.Compile(expression)
	p.re = re
	return p, err
}

// anchor drops the slash before a pattern, which means nothing. Docker cleans the line again afterwards,
// with the exclamation mark; so "!/" is malformed and "/!x" brings back x.
func anchor(line string) string {
	line, again := strings.CutPrefix(line, "!")
	line = strings.TrimSpace(line)
	if line != "" {
		line = path.Clean(line)
	}
	if len(line) > 1 {
		line = strings.TrimPrefix(line, "/")
	}
	if again {
		return "!" + line
	}
	return line
}

// translate sets the kind and returns the regular expression, which only dockerRegexp uses. The quirks are
// docker's: "**x" matches any path that ends in x, but "**x*" only whole components.
func (p *dockerPattern) translate() string {
	var re strings.Builder
	re.WriteByte('^')
	runes := []rune(p.text)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == '*' && i+1 < len(runes) && runes[i+1] == '*':
			i = p.translateDeep(&re, runes, i)
		case c == '*':
			re.WriteString("[^/]*")
			p.kind = dockerRegexp
		case c == '?':
			re.WriteString("[^/]")
			p.kind = dockerRegexp
		case c == '\\' && i+1 < len(runes):
			i++
			re.WriteString(`\` + string(runes[i]))
			p.kind = dockerRegexp
		case c == '[' || c == ']':
			re.WriteRune(c)
			p.kind = dockerRegexp
		case strings.ContainsRune(`.+()|{}$\`, c):
			re.WriteString(`\` + string(c))
		default:
			re.WriteRune(c)
		}
	}
	re.WriteByte('$')
	return re.String()
}

// translateDeep handles the "**" at i and returns the index of the last rune that it took.
func (p *dockerPattern) translateDeep(re *strings.Builder, runes []rune, i int) int {
	last := i + 1
	if last+1 < len(runes) && runes[last+1] == '/' {
		last++
	}
	switch {
	case last+1 == len(runes) && p.kind == dockerExact && i > 0:
		p.kind = dockerPrefix
	case last+1 == len(runes) && i > 0:
		re.WriteString(".*")
		p.kind = dockerRegexp
	case i == 0:
		re.WriteString("(.*/)?")
		p.kind = dockerSuffix
	default:
		re.WriteString("(.*/)?")
		p.kind = dockerRegexp
	}
	return last
}

func (p *dockerPattern) matchOrParent(name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if p.match(name) {
			return true
		}
	}
	return false
}

func (p *dockerPattern) match(name string) bool {
	switch p.kind {
	case dockerPrefix:
		return strings.HasPrefix(name, strings.TrimSuffix(p.text, "**"))
	case dockerSuffix:
		suffix := strings.TrimPrefix(p.text, "**")
		return strings.HasSuffix(name, suffix) || strings.HasPrefix(suffix, "/") && name == suffix[1:]
	case dockerRegexp:
		return p.re.MatchString(name)
	default:
		return name == p.text
	}
}
