package project

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a TOML file whose values know where they stand. go-toml decodes and checks it; the positions
// come from a second pass with its parser, since a decoded value no longer has one.
type document struct {
	file   string
	data   []byte
	root   map[string]any
	keys   map[string]int // path of a value (path.join) to the offset of its key
	values map[string]int // to the offset of the value itself, where the parser tells it
}

// keyPath leads to a value: keys of tables and, in decimal, indexes of arrays.
type keyPath []string

func (p keyPath) join() string { return strings.Join(p, "\x00") }

func (p keyPath) child(key string) keyPath { return append(p[:len(p):len(p)], key) }

// String is the path as TOML writes it: tool.pexko.expose[1].
func (p keyPath) String() string {
	var b strings.Builder
	for i, key := range p {
		switch {
		case key != "" && strings.Trim(key, "0123456789") == "":
			b.WriteString("[" + key + "]")
		case i > 0:
			b.WriteString("." + quoteKey(key))
		default:
			b.WriteString(quoteKey(key))
		}
	}
	return b.String()
}

func quoteKey(key string) string {
	for _, r := range key {
		if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return strconv.Quote(key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// parseDocument reads TOML text; file is the name that errors carry.
func parseDocument(file string, data []byte) (*document, error) {
	d := &document{file: file, data: data, keys: map[string]int{}, values: map[string]int{}}
	if err := toml.Unmarshal(data, &d.root); err != nil {
		return nil, d.syntaxError(err)
	}
	p := unstable.Parser{}
	p.Reset(data)
	var table keyPath
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.noteKey(nil, e)
		case unstable.KeyValue:
			d.noteValue(d.noteKey(table, e), e.Value())
		}
	}
	return d, p.Error()
}

// maxDepth is how deep positions are kept. Below it an error names the table above: no table of pyproject.toml
// that pexko reads is deeper, and a hostile key of a million parts must not cost a million paths.
const maxDepth = 16

// noteKey records where each part of the key of e stands and returns the whole path. The first mention wins.
func (d *document) noteKey(table keyPath, e *unstable.Node) keyPath {
	at := table
	for it := e.Key(); it.Next() && len(at) < maxDepth; {
		at = at.child(string(it.Node().Data))
		if _, ok := d.keys[at.join()]; !ok {
			d.keys[at.join()] = int(it.Node().Raw.Offset)
		}
	}
	return at
}

func (d *document) noteValue(at keyPath, v *unstable.Node) {
	if len(at) == maxDepth {
		return
	}
	if v.Raw.Length > 0 {
		d.values[at.join()] = int(v.Raw.Offset)
	}
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			d.noteValue(d.noteKey(at, it.Node()), it.Node().Value())
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			d.noteValue(at.child(strconv.Itoa(i)), it.Node())
		}
	}
}

func (d *document) syntaxError(err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return &ConfigError{Origin: Origin{Level: File, File: d.file}, Problem: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	row, column := decode.Position()
	origin := Origin{Level: File, File: d.file, Row: row, Column: d.letters(row, column)}
	return &ConfigError{Origin: origin, Problem: strings.TrimPrefix(decode.Error(), "toml: ")}
}

// letters turns a column that counts bytes into one that counts letters, as editors do.
func (d *document) letters(row, column int) int {
	lines := bytes.SplitN(d.data, []byte("\n"), row+1)
	if row < 1 || row > len(lines) || column < 1 || column-1 > len(lines[row-1]) {
		return column
	}
	return utf8.RuneCount(lines[row-1][:column-1]) + 1
}

// keyOrigin is where the key of a value stands, origin where the value itself does; either falls back to
// the nearest table that is known.
func (d *document) keyOrigin(at keyPath) Origin { return d.locate(at, d.keys) }

func (d *document) origin(at keyPath) Origin { return d.locate(at, d.values, d.keys) }

func (d *document) locate(at keyPath, in ...map[string]int) Origin {
	o := Origin{Level: File, File: d.file, Key: at.String()}
	for p := at; len(p) > 0; p = p[:len(p)-1] {
		for _, offsets := range in {
			if offset, ok := offsets[p.join()]; ok {
				o.Row, o.Column = d.position(offset)
				return o
			}
		}
		in = []map[string]int{d.values, d.keys}
	}
	return o
}

func (d *document) position(offset int) (row, column int) {
	before := d.data[:min(offset, len(d.data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}
