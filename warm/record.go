package warm

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/pexko/pexko/wheel"
)

// recordLimit is the size in bytes of the largest RECORD that is read; 200,000 files have about 20 MB.
const recordLimit = 64 << 20

// recordBytes writes a RECORD as Python's csv.writer does, quoting only what needs it.
func recordBytes(r wheel.Record) []byte {
	var b bytes.Buffer
	eol := "\n"
	if r.CRLF {
		eol = "\r\n"
	}
	for _, row := range r.Rows {
		size := ""
		if row.Size >= 0 {
			size = strconv.FormatInt(row.Size, 10)
		}
		b.WriteString(quoteField(row.Path) + "," + quoteField(row.Hash) + "," + size + eol)
	}
	return b.Bytes()
}

func quoteField(s string) string {
	if strings.ContainsAny(s, ",\"\r\n") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// rowOf is the row of a file whose content is at hand.
func rowOf(path string, content []byte) wheel.Row {
	sum := sha256.Sum256(content)
	return wheel.Row{Path: path, Hash: "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), Size: int64(len(content))}
}
