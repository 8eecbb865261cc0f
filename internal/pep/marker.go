package pep

import (
	"fmt"
	"strings"
)

// Marker is a condition on the target by PEP 508. The zero marker holds everywhere.
type Marker struct{ root *group }

// IsZero reports whether there is no condition.
func (m Marker) IsZero() bool { return m.root == nil }

// ParseMarker reads a condition such as "python_version < '3.11' and extra == 'toml'".
func ParseMarker(text string) (Marker, error) {
	return parseMarker(&scanner{text: text})
}

// node is a comparison or a group in parentheses.
type node interface {
	evaluate(v values) (truth, error)
	// format writes the node; inner says that it stands inside another group.
	format(inner bool) string
}

// group is a list of nodes joined by and, or: the alternatives, each a list of nodes that all must hold.
type group struct{ alternatives [][]node }

// comparison is "left operator right"; at least one side is a variable.
type comparison struct {
	left, right operand
	operator    string
}

// operand is a variable's name or a string.
type operand struct {
	text     string
	variable bool
}

func parseMarker(s *scanner) (Marker, error) {
	root, err := parseGroup(s, 0)
	if err != nil {
		return Marker{}, err
	}
	s.skipBlank()
	if !s.atEnd() {
		return Marker{}, s.expected("the end, 'and' or 'or'")
	}
	return Marker{root}, nil
}

func parseGroup(s *scanner, depth int) (*group, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("%.60q…: more than %d nested parentheses", s.text, maxNesting)
	}
	g := &group{alternatives: make([][]node, 1)}
	for {
		n, err := parseNode(s, depth)
		if err != nil {
			return nil, err
		}
		last := len(g.alternatives) - 1
		g.alternatives[last] = append(g.alternatives[last], n)
		word, ok := s.take(tokenBool)
		switch {
		case !ok:
			return g, nil
		case word == "or":
			g.alternatives = append(g.alternatives, nil)
		}
	}
}

func parseNode(s *scanner, depth int) (node, error) {
	s.skipBlank()
	defer s.skipBlank()
	if !s.takeByte('(') {
		return parseComparison(s)
	}
	s.skipBlank()
	g, err := parseGroup(s, depth+1)
	if err != nil {
		return nil, err
	}
	s.skipBlank()
	if !s.takeByte(')') {
		return nil, s.expected("')'")
	}
	return g, nil
}

func parseComparison(s *scanner) (node, error) {
	left, err := parseOperand(s)
	if err != nil {
		return nil, err
	}
	s.skipBlank()
	operator, err := parseOperator(s)
	if err != nil {
		return nil, err
	}
	s.skipBlank()
	right, err := parseOperand(s)
	if err != nil {
		return nil, err
	}
	if !left.variable && !right.variable {
		return nil, fmt.Errorf("%q: compares two strings before column %d; one side must be a variable such as python_version", s.text, s.at+1)
	}
	return &comparison{normalizeFor(right, left), normalizeFor(left, right), operator}, nil
}

func parseOperand(s *scanner) (operand, error) {
	if name, ok := s.take(tokenVariable); ok {
		name = strings.ReplaceAll(name, ".", "_")
		if name == "python_implementation" {
			name = "platform_python_implementation"
		}
		return operand{name, true}, nil
	}
	start := s.at
	quoted, ok := s.take(tokenString)
	if !ok {
		return operand{}, s.expected("a variable such as sys_platform, or a string in quotes,")
	}
	if i := strings.IndexAny(quoted, "\\\n\r\x00"); i >= 0 {
		return operand{}, fmt.Errorf("%q: %q may not stand in a marker's string (column %d)", s.text, quoted[i], start+i+1)
	}
	return operand{quoted[1 : len(quoted)-1], false}, nil
}

func parseOperator(s *scanner) (string, error) {
	if op, ok := s.take(tokenOperator); ok {
		return op, nil
	}
	if _, ok := s.take(tokenIn); ok {
		return "in", nil
	}
	start := *s
	if _, ok := s.take(tokenNot); ok {
		if _, ok := s.take(tokenBlank); ok {
			if _, ok := s.take(tokenIn); ok {
				return "not in", nil
			}
		}
	}
	return "", start.expected("one of < <= == != >= > ~= === in, not in")
}

// normalizeFor returns text in the form in which variable is compared with it: names of extras and groups are
// normalised (PEP 685), all else is as written.
func normalizeFor(variable, text operand) operand {
	if text.variable || !variable.variable {
		return text
	}
	switch variable.text {
	case "extra", "extras", "dependency_groups":
		text.text = Normalize(text.text)
	}
	return text
}

// String is the form that packaging writes: strings in double quotes, needless parentheses dropped. It is ""
// for the zero marker.
func (m Marker) String() string {
	if m.root == nil {
		return ""
	}
	return m.root.format(false)
}

func (g *group) format(inner bool) string {
	if len(g.alternatives) == 1 && len(g.alternatives[0]) == 1 {
		return g.alternatives[0][0].format(inner)
	}
	var alternatives []string
	for _, nodes := range g.alternatives {
		var parts []string
		for _, n := range nodes {
			parts = append(parts, n.format(true))
		}
		alternatives = append(alternatives, strings.Join(parts, " and "))
	}
	text := strings.Join(alternatives, " or ")
	if inner {
		return "(" + text + ")"
	}
	return text
}

func (c *comparison) format(bool) string {
	return c.left.quoted() + " " + c.operator + " " + c.right.quoted()
}

// quoted needs no escapes: a string holds the quotes of one kind at most, those that it was not written in.
func (o operand) quoted() string {
	switch {
	case o.variable:
		return o.text
	case strings.Contains(o.text, `"`):
		return `'` + o.text + `'`
	}
	return `"` + o.text + `"`
}
