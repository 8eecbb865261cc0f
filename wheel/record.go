package wheel

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Record is the file RECORD (PEP 376, PEP 427): a row per file, in the order of the file.
type Record struct {
	Rows []Row
	// CRLF says that lines end in "\r\n", which an installer keeps.
	CRLF bool
}

// Row is one row of RECORD, as written. Paths are hostile: they may be absolute (selenium 4.0), climb out ("../"), or name
// what is not there, so look them up among the archive's entries and never join them to a directory.
type Row struct {
	// Path is relative to the archive's root; one that ends in "/" is a directory.
	Path string
	// Hash is "sha256=" and the unpadded URL-safe base64 digest, or "".
	Hash string
	// Size is in bytes, -1 if there is none.
	Size int64
}

// ParseRecord reads RECORD as Python's csv module does; empty lines are skipped.
func ParseRecord(content []byte) (Record, error) {
	if !utf8.Valid(content) {
		return Record{}, errors.New("not UTF-8")
	}
	var r Record
	if end := bytes.IndexByte(content, '\n'); end > 0 {
		r.CRLF = content[end-1] == '\r'
	}
	for i, line := range splitLines(content) {
		if line == "" {
			continue
		}
		row, err := parseRow(line)
		if err != nil {
			return Record{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

func parseRow(line string) (Row, error) {
	fields, err := splitCSV(line)
	if err != nil {
		return Row{}, err
	}
	if len(fields) != 3 {
		return Row{}, fmt.Errorf("%d fields where path, hash and size are expected", len(fields))
	}
	row := Row{Path: fields[0], Hash: fields[1], Size: -1}
	if fields[2] == "" {
		return row, nil
	}
	row.Size, err = strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 64)
	if err != nil || row.Size < 0 {
		return Row{}, fmt.Errorf("%q is no size in bytes", fields[2])
	}
	return row, nil
}

// splitCSV splits one line as Python's csv reader does by default: a quote counts at the beginning of a field alone, two quotes
// in a quoted field are one, and what follows its end belongs to it. encoding/csv differs in the last two.
func splitCSV(line string) ([]string, error) {
	const (
		start = iota
		plain
		quoted
		quoteInQuoted
	)
	var fields []string
	var field strings.Builder
	state := start
	for i := range len(line) {
		c := line[i]
		switch {
		case c == '"' && (state == start || state == quoteInQuoted):
			if state == quoteInQuoted {
				field.WriteByte(c)
			}
			state = quoted
		case c == '"' && state == quoted:
			state = quoteInQuoted
		case c == ',' && state != quoted:
			fields = append(fields, field.String())
			field.Reset()
			state = start
		default:
			field.WriteByte(c)
			if state != quoted {
				state = plain
			}
		}
	}
	if state == quoted {
		return nil, errors.New("a quote that is not closed on its line")
	}
	return append(fields, field.String()), nil
}
