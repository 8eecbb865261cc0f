package pep

import (
	"fmt"
	"regexp"
)

// maxNesting bounds the parentheses of a marker: the parser and the evaluation recurse.
const maxNesting = 100

// scanner reads a requirement or marker from left to right; which token may come next is the caller's to know,
// as in packaging's tokenizer.
type scanner struct {
	text string
	at   int
}

// The tokens, anchored at the reading position. They are packaging's.
var (
	tokenBlank      = token(`[ \t]+`)
	tokenName       = token(`[a-zA-Z0-9][a-zA-Z0-9._-]*\b`)
	tokenURL        = token(`[^ \t]+`)
	tokenSpecifier  = token(`(?i:` + specifierPattern + `)`)
	tokenPrefixTail = token(`\.\*`)
	tokenLocalTail  = token(`\+[a-z0-9]+(?:[-_.][a-z0-9]+)*`)
	tokenString     = token(`(?:'[^']*'|"[^"]*")`)
	tokenOperator   = token(`(?:===|==|~=|!=|<=|>=|<|>)`)
	tokenIn         = token(`in\b`)
	tokenNot        = token(`not\b`)
	tokenBool       = token(`(?:or|and)\b`)
	tokenVariable   = token(`(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)` +
		`|platform[._](?:version|machine|python_implementation)|python_implementation|implementation_(?:name|version)` +
		`|extras?|dependency_groups)\b`)
)

func token(pattern string) *regexp.Regexp { return regexp.MustCompile(`^` + pattern) }

// peek returns the length of the token at the reading position, or -1.
func (s *scanner) peek(t *regexp.Regexp) int {
	if loc := t.FindStringIndex(s.text[s.at:]); loc != nil {
		return loc[1]
	}
	return -1
}

// take reads the token if it comes next.
func (s *scanner) take(t *regexp.Regexp) (string, bool) {
	n := s.peek(t)
	if n < 0 {
		return "", false
	}
	s.at += n
	return s.text[s.at-n : s.at], true
}

// takeByte reads c if it comes next.
func (s *scanner) takeByte(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) skipBlank() { s.take(tokenBlank) }

func (s *scanner) atEnd() bool { return s.at == len(s.text) }

// expected is the error of a token that did not come.
func (s *scanner) expected(what string) error {
	return fmt.Errorf("%q: expected %s at column %d", s.text, what, s.at+1)
}
