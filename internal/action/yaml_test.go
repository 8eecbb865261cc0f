package action

import (
	"fmt"
	"strings"
	"testing"
)

// node is a value of the YAML that action.yml is written in: mappings and lists in blocks, texts plain, quoted or
// as a literal block, and flow mappings in one line. Anything else is an error: the file has to stay so plain.
type node struct {
	text string
	keys []string // of a mapping, in the order of the file
	at   map[string]node
	list []node
}

// get follows keys down to a node.
func (n node) get(keys ...string) node {
	for _, k := range keys {
		n = n.at[k]
	}
	return n
}

type line struct {
	indent int
	text   string
	number int
}

type reader struct {
	all   []string
	lines []line // without comments and empty ones
}

func parseYAML(t *testing.T, text string) node {
	t.Helper()
	r := &reader{all: strings.Split(text, "\n")}
	for i, l := range r.all {
		if bare := strings.TrimSpace(l); bare != "" && !strings.HasPrefix(bare, "#") {
			r.lines = append(r.lines, line{len(l) - len(strings.TrimLeft(l, " ")), bare, i})
		}
	}
	n, err := r.block(0)
	if err == nil && len(r.lines) > 0 {
		err = fmt.Errorf("line %d: unexpected indentation", r.lines[0].number+1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// block reads the lines of one indentation.
func (r *reader) block(indent int) (node, error) {
	n := node{at: map[string]node{}}
	for len(r.lines) > 0 && r.lines[0].indent == indent {
		l := r.lines[0]
		if rest, ok := strings.CutPrefix(l.text, "- "); ok { // what follows is a mapping that begins in this line
			r.lines[0] = line{indent + 2, rest, l.number}
			item, err := r.block(indent + 2)
			if err != nil {
				return n, err
			}
			n.list = append(n.list, item)
			continue
		}
		key, value, ok := strings.Cut(l.text, ":")
		if _, twice := n.at[key]; !ok || twice {
			return n, fmt.Errorf("line %d: not a key of its own: %s", l.number+1, l.text)
		}
		r.lines = r.lines[1:]
		v, err := r.value(indent, strings.TrimSpace(value), l.number)
		if err != nil {
			return n, err
		}
		n.keys, n.at[key] = append(n.keys, key), v
	}
	return n, nil
}

// value is what stands behind a key, in its line or below it.
func (r *reader) value(indent int, text string, number int) (node, error) {
	switch {
	case text == "" && len(r.lines) > 0 && r.lines[0].indent > indent:
		return r.block(r.lines[0].indent)
	case text == "|":
		return node{text: r.literal(indent)}, nil
	case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
		n := node{at: map[string]node{}}
		for part := range strings.SplitSeq(text[1:len(text)-1], ",") {
			key, value, _ := strings.Cut(part, ":")
			n.keys, n.at[strings.TrimSpace(key)] = append(n.keys, key), node{text: strings.TrimSpace(value)}
		}
		return n, nil
	case strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) && !strings.Contains(text, `\`):
		return node{text: strings.Trim(text, `"`)}, nil
	case strings.ContainsAny(text[:min(1, len(text))], "'\"&*!>%@`[") || strings.Contains(text, ": ") || strings.Contains(text, " #"):
		return node{}, fmt.Errorf("line %d: write it plainly: %s", number+1, text)
	}
	return node{text: text}, nil
}

// literal is a block of text as it stands, comments and all.
func (r *reader) literal(indent int) string {
	var b strings.Builder
	if len(r.lines) == 0 {
		return ""
	}
	inner := r.lines[0].indent
	last := r.lines[0].number
	for len(r.lines) > 0 && r.lines[0].indent > indent {
		last = r.lines[0].number
		r.lines = r.lines[1:]
	}
	for i := r.start(last, inner); i <= last; i++ {
		b.WriteString(strings.TrimPrefix(r.all[i], strings.Repeat(" ", inner)) + "\n")
	}
	return b.String()
}

// start is the first line of the block that ends with the line last: that behind the one with "|".
func (r *reader) start(last, inner int) int {
	for i := last; i >= 0; i-- {
		if strings.HasSuffix(r.all[i], "|") && len(r.all[i])-len(strings.TrimLeft(r.all[i], " ")) < inner {
			return i + 1
		}
	}
	return last
}
