package rootfs

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
)

// codecVersion is part of the key of a cached layer. It changes with what is written below and with what
// newRecord keeps.
const codecVersion = "1"

// encode writes the records of a layer: numbers as varints, strings with their length, names without
// what they share with the name before (tars list directories in order, so that is most of it).
func encode(records []record) []byte {
	b := binary.AppendUvarint(nil, uint64(len(records)))
	last := ""
	for _, r := range records {
		shared := sharedPrefix(last, r.name)
		last = r.name
		b = binary.AppendUvarint(b, uint64(shared))
		b = appendString(b, r.name[shared:])
		b = append(b, byte(r.kind))
		b = binary.AppendUvarint(b, uint64(r.mode))
		b = binary.AppendVarint(b, int64(r.uid))
		b = binary.AppendVarint(b, int64(r.gid))
		b = binary.AppendVarint(b, r.size)
		b = binary.AppendVarint(b, r.mtime)
		b = appendString(b, r.link)
		b = appendString(b, string(r.head))
	}
	return b
}

func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errEncoding = errors.New("a cached layer is not in the form that this version writes")

// decode is the inverse of encode. It accepts no other bytes.
func decode(b []byte) ([]record, error) {
	d := decoder{b: b}
	n := d.uint(maxEntries)
	records := make([]record, 0, min(n, uint64(len(b)/9+1))) // a record has nine bytes at least
	last := ""
	for range n {
		r := d.record(last)
		if d.bad {
			return nil, errEncoding
		}
		last = r.name
		records = append(records, r)
	}
	if d.bad || len(d.b) > 0 {
		return nil, errEncoding
	}
	return records, nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) record(last string) record {
	r := record{name: last[:d.uint(uint64(len(last)))] + d.string()}
	r.kind = kind(d.uint(math.MaxUint8))
	r.mode = fs.FileMode(d.uint(math.MaxUint32))
	r.uid, r.gid = int(d.int()), int(d.int())
	r.size, r.mtime = d.int(), d.int()
	r.link = d.string()
	if head := d.string(); head != "" {
		r.head = []byte(head)
	}
	return r
}

func (d *decoder) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if d.bad = d.bad || n <= 0 || v > limit; d.bad {
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if d.bad = d.bad || n <= 0; d.bad {
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string {
	n := d.uint(uint64(len(d.b)))
	if d.bad = d.bad || n > uint64(len(d.b)); d.bad {
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}
