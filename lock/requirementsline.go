package lock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// logicalLine is a line of a requirements file with its continuations, without its comment.
type logicalLine struct {
	number int // of the first line, from 1
	text   string
}

// decode takes UTF-8, and UTF-16 with a byte order mark as PowerShell writes it.
func decode(content []byte) (string, error) {
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if !bytes.HasPrefix(content, []byte(mark)) || len(content)%2 != 0 {
			continue
		}
		units := make([]uint16, len(content)/2-1)
		for i := range units {
			units[i] = order.Uint16(content[2*i+2:])
		}
		return string(utf16.Decode(units)), nil
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(content) {
		return "", errors.New("not UTF-8; save it as UTF-8")
	}
	return string(content), nil
}

// splitLines splits where Python's str.splitlines does.
func splitLines(text string) []string {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029", r) {
			return '\n'
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	return strings.Split(text, "\n")
}

// logicalLines joins lines that end in a backslash, drops comments and empty lines: pip's preprocess, but for environment
// variables, which stay for pip to fill in.
func logicalLines(text string) []logicalLine {
	var lines []logicalLine
	var joined []string
	first := 0
	emit := func() {
		if line := strings.TrimSpace(withoutComment(strings.Join(joined, ""))); line != "" {
			lines = append(lines, logicalLine{first, line})
		}
		joined = nil
	}
	for i, line := range splitLines(text) {
		if joined == nil {
			first = i + 1
		}
		if isComment := strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "#"); isComment || !strings.HasSuffix(line, `\`) {
			if isComment {
				line = " " + line // so that it is one after a continuation too
			}
			joined = append(joined, line)
			emit()
			continue
		}
		joined = append(joined, strings.Trim(line, `\`))
	}
	emit()
	return lines
}

// withoutComment cuts at a "#" at the beginning or after a blank.
func withoutComment(line string) string {
	for i, r := range line {
		if r != '#' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(line[:i])
		if i == 0 || unicode.IsSpace(before) {
			return line[:i]
		}
	}
	return line
}

// option is one option of a line. Those that take no value, or are left to pip, have none.
type option struct{ name, value string }

// splitOptions cuts a line where its first word with "-" begins: what is before is the requirement, whose marker the shell's
// rules would spoil, and what follows is split by them.
func splitOptions(line string) (requirement string, options []option, err error) {
	words := strings.Split(line, " ")
	n := 0
	for n < len(words) && !strings.HasPrefix(words[n], "-") {
		n++
	}
	requirement = strings.TrimSpace(strings.Join(words[:n], " "))
	tokens, err := splitShell(strings.Join(words[n:], " "))
	if err != nil {
		return "", nil, err
	}
	for len(tokens) > 0 {
		o, rest, err := takeOption(tokens)
		if err != nil {
			return "", nil, err
		}
		options, tokens = append(options, o), rest
	}
	return requirement, options, nil
}

// optionName is an option that the reader must understand, with the shortest abbreviation that Python's optparse takes for
// it among pip's options.
type optionName struct{ long, shortest, letter string }

// optionsWithValue are those that take a value.
func optionsWithValue() []optionName {
	return []optionName{
		{"--requirement", "--requirem", "-r"},
		{"--constraint", "--cons", "-c"},
		{"--editable", "--ed", "-e"},
		{"--hash", "--h", ""},
	}
}

// takeOption reads one option: "--name value", "--name=value", "-n value" or "-nvalue".
func takeOption(tokens []string) (option, []string, error) {
	token := tokens[0]
	name, value, assigned := strings.Cut(token, "=")
	for _, known := range optionsWithValue() {
		long := strings.HasPrefix(name, known.shortest) && strings.HasPrefix(known.long, name)
		short := known.letter != "" && strings.HasPrefix(token, known.letter)
		switch {
		case long && assigned:
			return option{known.long, value}, tokens[1:], nil
		case short && len(token) > len(known.letter):
			return option{known.long, token[len(known.letter):]}, tokens[1:], nil
		case (long || short) && len(tokens) > 1:
			return option{known.long, tokens[1]}, tokens[2:], nil
		case long || short:
			return option{}, nil, fmt.Errorf("%s needs a value", token)
		}
	}
	if strings.HasPrefix(name, "--require-") && strings.HasPrefix("--require-hashes", name) {
		name = "--require-hashes"
	}
	return option{name, value}, tokens[1:], nil
}

// splitShell splits at blanks outside quotes, with backslashes, as Python's shlex.split does.
func splitShell(text string) ([]string, error) {
	var tokens []string
	var token strings.Builder
	var quote rune
	inToken, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				token.WriteByte('\\')
			}
			token.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			inToken, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			inToken, quote = true, r
		case quote == 0 && (r == ' ' || r == '\t'):
			if inToken {
				tokens = append(tokens, token.String())
			}
			token.Reset()
			inToken = false
		default:
			token.WriteRune(r)
			inToken = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote or backslash that nothing follows")
	}
	if inToken {
		tokens = append(tokens, token.String())
	}
	return tokens, nil
}
