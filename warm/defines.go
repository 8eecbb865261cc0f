package warm

import (
	"regexp"
	"slices"
	"strings"
)

// word matches a Python identifier.
var word = regexp.MustCompile(`[\pL_][\pL\pN_]*`)

// definition matches a function or class at the top level.
var definition = regexp.MustCompile(`^(?:async\s+def|def|class)\s+([\pL_][\pL\pN_]*)`)

// dynamic are the words that let a module have names which its text does not show.
var dynamicNames = []string{"__getattr__", "globals", "exec", "eval", "setattr", "vars", "locals", "modules", "__dict__"}

// defines tells whether a module may define a name at its top level, and which functions and classes it does
// define there. It reads lines, not Python, so it says no only where the name, strings and comments aside,
// occurs nowhere outside of the bodies of functions and classes, and nothing makes names in other ways.
func defines(text, name string) (may bool, others []string) {
	lines, ok := codeLines(text)
	if !ok {
		return true, nil
	}
	body := -1 // indentation of the def or class whose body is being skipped
	for _, line := range lines {
		code := strings.TrimLeft(line, " \t\f")
		indent := len(line) - len(code)
		words := word.FindAllString(code, -1)
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(dynamicNames, w) }) || starImport(code) {
			return true, nil
		}
		if body >= 0 && indent > body {
			if slices.Contains(words, "global") && slices.Contains(words, name) {
				return true, nil
			}
			continue
		}
		body = -1
		if m := definition.FindStringSubmatch(code); m != nil {
			body = indent
			others = append(others, m[1])
			may = may || m[1] == name
			continue
		}
		may = may || slices.Contains(words, name)
	}
	return may, others
}

func starImport(code string) bool {
	return strings.HasPrefix(code, "from") && strings.HasSuffix(strings.TrimSpace(code), "*")
}

// codeLines splits a module into logical lines without strings and comments; what stands in brackets or
// after a backslash is joined. It gives up, with false, on a text whose strings or brackets do not end.
func codeLines(text string) (lines []string, ok bool) {
	var line strings.Builder
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '#':
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '"', '\'':
			end := stringEnd(text, i)
			if end < 0 {
				return nil, false
			}
			line.WriteString(" ' ")
			i = end - 1
		case '(', '[', '{':
			depth++
			line.WriteByte(c)
		case ')', ']', '}':
			depth--
			line.WriteByte(c)
		case '\\':
			if i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			line.WriteByte(' ')
		case '\n':
			if depth > 0 {
				line.WriteByte(' ')
				continue
			}
			if strings.TrimSpace(line.String()) != "" {
				lines = append(lines, line.String())
			}
			line.Reset()
		default:
			line.WriteByte(c)
		}
	}
	return append(lines, line.String()), depth == 0
}

// stringEnd is the offset behind the string literal that starts at a quote, -1 if it does not end.
func stringEnd(text string, at int) int {
	quote := text[at : at+1]
	if strings.HasPrefix(text[at:], strings.Repeat(quote, 3)) {
		quote = text[at : at+3]
	}
	for i := at + len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote)
		case text[i] == '\n' && len(quote) == 1:
			return -1
		}
	}
	return -1
}
