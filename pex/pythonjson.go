package pex

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"
)

// separators are those of Python's json.dumps.
type separators struct{ item, key string }

var (
	compact = separators{",", ":"}
	spaced  = separators{", ", ": "} // json.dumps by default
)

// pythonJSON appends what Python's json.dumps(value, sort_keys=True) writes, with ASCII escapes, for a value
// of encoding/json that was decoded with UseNumber. Hashes are over such text.
func pythonJSON(to []byte, value any, s separators) []byte {
	switch v := value.(type) {
	case nil:
		return append(to, "null"...)
	case bool:
		return fmt.Append(to, v)
	case json.Number:
		return append(to, v...)
	case string:
		return pythonString(to, v)
	case []any:
		to = append(to, '[')
		for i, item := range v {
			if i > 0 {
				to = append(to, s.item...)
			}
			to = pythonJSON(to, item, s)
		}
		return append(to, ']')
	case map[string]any:
		to = append(to, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				to = append(to, s.item...)
			}
			to = append(pythonString(to, key), s.key...)
			to = pythonJSON(to, v[key], s)
		}
		return append(to, '}')
	}
	panic(fmt.Sprintf("pythonJSON: %T is not a value of encoding/json", value))
}

func pythonString(to []byte, s string) []byte {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	to = append(to, '"')
	for _, r := range s {
		switch escaped, ok := short[r]; {
		case ok:
			to = append(to, escaped...)
		case r >= ' ' && r <= '~':
			to = append(to, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			to = fmt.Appendf(to, `\u%04x\u%04x`, high, low)
		default:
			to = fmt.Appendf(to, `\u%04x`, r)
		}
	}
	return append(to, '"')
}

// sha1Hex is a digest as pex writes it. SHA-1 is pex's choice; nothing here relies on it for security.
func sha1Hex(content []byte) string {
	sum := sha1.Sum(content)
	return hex.EncodeToString(sum[:])
}
