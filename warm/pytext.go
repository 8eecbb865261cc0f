package warm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// literal reads the Python string literal at the start of text, blanks, comments and "dedent(" before it
// aside, and returns its value. It knows what pex's templates use: no prefix or u, r; the four kinds of
// quotes; the escapes of an end of line, backslash, quotes, n and t. Anything else is not understood.
func literal(text string) (value, rest string, ok bool) {
	text = skipBlanks(strings.TrimPrefix(skipBlanks(text), "dedent("))
	text, raw := strings.CutPrefix(text, "r")
	if !raw {
		text = strings.TrimPrefix(text, "u")
	}
	for _, quote := range []string{`"""`, `'''`, `"`, `'`} {
		if rest, found := strings.CutPrefix(text, quote); found {
			return unquote(rest, quote, raw)
		}
	}
	return "", "", false
}

// skipBlanks drops blanks and comments.
func skipBlanks(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if !strings.HasPrefix(text, "#") {
			return text
		}
		_, text, _ = strings.Cut(text, "\n")
	}
}

func unquote(text, quote string, raw bool) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], quote):
			return b.String(), text[i+len(quote):], true
		case text[i] == '\n' && len(quote) == 1:
			return "", "", false
		case text[i] != '\\' || raw:
			b.WriteByte(text[i])
		default:
			if i++; i == len(text) {
				return "", "", false
			}
			c, known := map[byte]string{'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'n': "\n", 't': "\t"}[text[i]]
			if !known {
				return "", "", false
			}
			b.WriteString(c)
		}
	}
	return "", "", false
}

// dedent is textwrap.dedent: the indentation that all lines share is removed, and lines of blanks are emptied.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	margin, first := "", true
	for i, line := range lines {
		body := strings.TrimLeft(line, " \t")
		if body == "" {
			lines[i] = ""
			continue
		}
		if indent := line[:len(line)-len(body)]; first {
			margin, first = indent, false
		} else {
			margin = shared(margin, indent)
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}

func shared(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// format is str.format for the fields {name} and {name!r}. Values are Python expressions of two kinds: a
// str stands as it is in {name} and quoted in {name!r}; an expr is what repr gives and fits {name!r} alone.
func format(template string, values map[string]any) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := cutAny(template)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		brace := rest[:1]
		if rest = rest[1:]; strings.HasPrefix(rest, brace) {
			b.WriteString(brace)
			template = rest[1:]
			continue
		}
		field, after, closed := strings.Cut(rest, "}")
		if brace == "}" || !closed {
			return "", fmt.Errorf("a single brace in a template")
		}
		name, quoted := strings.CutSuffix(field, "!r")
		text, err := fill(values[name], quoted)
		if err != nil {
			return "", fmt.Errorf("template field {%s}: %w", field, err)
		}
		b.WriteString(text)
		template = after
	}
}

func cutAny(s string) (before, rest string, found bool) {
	if i := strings.IndexAny(s, "{}"); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// expr is the source of a Python expression.
type expr string

func fill(value any, quoted bool) (string, error) {
	switch v := value.(type) {
	case string:
		if quoted {
			return repr(v), nil
		}
		return v, nil
	case expr:
		if quoted {
			return string(v), nil
		}
	}
	return "", fmt.Errorf("there is no value for it")
}

// repr quotes a string as a Python literal in ASCII.
func repr(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1: // not UTF-8: as os.fsdecode has it
			fmt.Fprintf(&b, `\udc%02x`, s[0])
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case r > 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[n:]
	}
	return b.String() + "'"
}

// list is the Python list of the strings.
func list(items []string) expr { return expr("[" + strings.Join(reprs(items), ", ") + "]") }

// pairs is the Python tuple of the (name, value) tuples of a mapping, by name, as pex writes mappings.
func pairs(m map[string]string) expr {
	var b strings.Builder
	b.WriteByte('(')
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "(%s, %s), ", repr(name), repr(m[name]))
	}
	return expr(strings.TrimSuffix(b.String(), " ") + ")")
}

func boolean(b bool) expr {
	if b {
		return "True"
	}
	return "False"
}

// optional is None for the empty string.
func optional(s string) expr {
	if s == "" {
		return "None"
	}
	return expr(repr(s))
}

func reprs(items []string) []string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = repr(s)
	}
	return quoted
}
