package ignore

// glob is a wildcard pattern of git's wildmatch.c, as instructions of a small nondeterministic automaton:
// all states advance together over the text, so no pattern makes matching more than linear.
type glob []instruction

type instruction struct {
	op   operation
	byte byte
	set  *byteSet
}

type operation uint8

const (
	opByte  operation = iota // exactly one byte
	opSet                    // one byte of a set
	opStar                   // any bytes but slashes
	opDeep                   // any bytes
	opSplit                  // the next two instructions (opDeep, "/") or none of them: "**/" also matches no directory
	opNever                  // a malformed pattern: nothing gets past it
)

type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b/64] |= 1 << (b % 64) }
func (s *byteSet) has(b byte) bool { return s[b/64]&(1<<(b%64)) != 0 }

func (s *byteSet) addRange(lo, hi byte) {
	for c := int(lo); c <= int(hi); c++ {
		s.add(byte(c))
	}
}

// compile translates a pattern. With pathname, as in a .gitignore pattern that holds a slash, wildcards
// other than a "**" between slashes do not match slashes.
func compile(pattern string, pathname bool) glob {
	g := make(glob, 0, len(pattern)+1)
	for i := 0; i < len(pattern); {
		switch c := pattern[i]; c {
		case '*':
			g, i = g.stars(pattern, i, pathname)
		case '?':
			g, i = append(g, instruction{op: opSet, set: anyByte(pathname)}), i+1
		case '[':
			set, next := parseSet(pattern, i, pathname)
			if set == nil {
				return append(g, instruction{op: opNever})
			}
			g, i = append(g, instruction{op: opSet, set: set}), next
		case '\\':
			if i+1 == len(pattern) {
				return append(g, instruction{op: opNever})
			}
			g, i = append(g, instruction{op: opByte, byte: pattern[i+1]}), i+2
		default:
			g, i = append(g, instruction{op: opByte, byte: c}), i+1
		}
	}
	return g
}

// stars translates the run of asterisks at i and returns where it ends.
func (g glob) stars(pattern string, i int, pathname bool) (glob, int) {
	end := i
	for end < len(pattern) && pattern[end] == '*' {
		end++
	}
	rest := pattern[end:]
	between := end-i > 1 && (i == 0 || pattern[i-1] == '/') && (rest == "" || rest[0] == '/' || len(rest) > 1 && rest[:2] == `\/`)
	switch {
	case !pathname:
		return append(g, instruction{op: opDeep}), end
	case between && rest != "" && rest[0] == '/':
		return append(g, instruction{op: opSplit}, instruction{op: opDeep}, instruction{op: opByte, byte: '/'}), end + 1
	case between:
		return append(g, instruction{op: opDeep}), end
	default:
		return append(g, instruction{op: opStar}), end
	}
}

func anyByte(pathname bool) *byteSet {
	set := &byteSet{}
	set.addRange(0, 255)
	if pathname {
		set[0] &^= 1 << '/'
	}
	return set
}

// match reports whether the whole text matches.
func (g glob) match(text string) bool {
	now, next := make([]bool, len(g)+1), make([]bool, len(g)+1)
	g.enter(now, 0)
	for i := 0; i < len(text); i++ {
		clear(next)
		for at, on := range now {
			if on && at < len(g) {
				g.step(next, at, text[i])
			}
		}
		now, next = next, now
	}
	return now[len(g)]
}

// enter switches on the state at and all that are reached from it without a byte.
func (g glob) enter(states []bool, at int) {
	if states[at] {
		return
	}
	states[at] = true
	if at == len(g) {
		return
	}
	switch g[at].op {
	case opStar, opDeep:
		g.enter(states, at+1)
	case opSplit:
		g.enter(states, at+1)
		g.enter(states, at+3)
	}
}

func (g glob) step(next []bool, at int, b byte) {
	switch in := g[at]; in.op {
	case opByte:
		if b == in.byte {
			g.enter(next, at+1)
		}
	case opSet:
		if in.set.has(b) {
			g.enter(next, at+1)
		}
	case opStar:
		if b != '/' {
			g.enter(next, at)
		}
	case opDeep:
		g.enter(next, at)
	}
}
