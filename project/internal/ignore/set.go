package ignore

import "strings"

// parseSet reads the bracket expression that begins at i and returns it with the index behind it, or nil
// if it is malformed. It follows wildmatch.c to the letter: "]" right after the opening is itself, "!" and "^"
// negate, a backslash quotes also inside, and "[:name:]" with a name that does not exist spoils the pattern.
func parseSet(pattern string, i int, pathname bool) (*byteSet, int) {
	p := setParser{text: pattern, at: i + 1}
	negated := p.peek() == '!' || p.peek() == '^'
	if negated {
		p.at++
	}
	for first := true; first || p.peek() != ']'; first = false {
		if !p.member() {
			return nil, 0
		}
	}
	set := p.set
	if negated {
		for i := range set {
			set[i] = ^set[i]
		}
	}
	if pathname {
		set[0] &^= 1 << '/'
	}
	return &set, p.at + 1
}

type setParser struct {
	text string
	at   int
	set  byteSet
	prev byte // what a "-" that follows would start its range from; 0 for none
}

// peek returns the byte at hand, 0 at the end: patterns hold no NUL.
func (p *setParser) peek() byte { return p.ahead(0) }

func (p *setParser) ahead(n int) byte {
	if p.at+n < len(p.text) {
		return p.text[p.at+n]
	}
	return 0
}

// member reads one member; false means that the expression is malformed.
func (p *setParser) member() bool {
	c := p.peek()
	switch {
	case c == 0:
		return false
	case c == '-' && p.prev != 0 && p.ahead(1) != 0 && p.ahead(1) != ']':
		p.at++
		hi, ok := p.quoted()
		if ok {
			p.set.addRange(p.prev, hi)
			p.prev = 0
		}
		return ok
	case c == '[' && p.ahead(1) == ':':
		return p.class()
	default:
		b, ok := p.quoted()
		if ok {
			p.set.add(b)
			p.prev = b
		}
		return ok
	}
}

// quoted reads one byte, which a backslash may quote.
func (p *setParser) quoted() (byte, bool) {
	if p.peek() == '\\' {
		p.at++
	}
	b := p.peek()
	p.at++
	return b, b != 0
}

// class reads "[:name:]". Without ":]" at its end the bracket is an ordinary member.
func (p *setParser) class() bool {
	length := strings.IndexByte(p.text[p.at+2:], ']')
	if length < 0 {
		return false
	}
	name, ok := strings.CutSuffix(p.text[p.at+2:p.at+2+length], ":")
	if !ok {
		p.set.add('[')
		p.prev = '['
		p.at++
		return true
	}
	for _, r := range posixClass(name) {
		p.set.addRange(r[0], r[1])
	}
	p.at += length + 3
	p.prev = 0
	return posixClass(name) != nil
}

// posixClass returns the ranges of a class in the C locale, which git's own ctype follows; nil for a name
// that does not exist.
func posixClass(name string) [][2]byte {
	switch name {
	case "alnum":
		return [][2]byte{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}
	case "alpha":
		return [][2]byte{{'A', 'Z'}, {'a', 'z'}}
	case "blank":
		return [][2]byte{{' ', ' '}, {'\t', '\t'}}
	case "cntrl":
		return [][2]byte{{0, 0x1f}, {0x7f, 0x7f}}
	case "digit":
		return [][2]byte{{'0', '9'}}
	case "graph":
		return [][2]byte{{'!', '~'}}
	case "lower":
		return [][2]byte{{'a', 'z'}}
	case "print":
		return [][2]byte{{' ', '~'}}
	case "punct":
		return [][2]byte{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}
	case "space":
		return [][2]byte{{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}} // git's isspace knows no \v and \f
	case "upper":
		return [][2]byte{{'A', 'Z'}}
	case "xdigit":
		return [][2]byte{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}
	}
	return nil
}
