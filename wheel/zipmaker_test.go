package wheel

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// header is what a local header and a record of the directory have in common; tests bend it.
type header struct {
	name             string
	flags, method    uint16
	crc              uint32
	compressed, size uint32
	extra            []byte
	offset           uint32 // directory alone
	attributes       uint32 // directory alone
	disk             uint16 // directory alone
}

// member is one entry of a hand-made archive.
type member struct {
	name    string
	content string
	method  uint16
	// descriptor is appended after the data as it is; descriptorOf makes one.
	descriptor func(h header) []byte
	// data replaces the compressed content.
	data []byte
	// local and central bend the two headers; padding goes before the local one.
	local, central func(*header)
	padding        string
}

func (m member) pack(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	switch {
	case m.data != nil:
		return m.data
	case m.method == methodDeflate:
		w, _ := flate.NewWriter(&b, 6)
		w.Write([]byte(m.content))
		w.Close()
	case m.method == methodZstd:
		w, _ := zstd.NewWriter(&b)
		w.Write([]byte(m.content))
		w.Close()
	default:
		b.WriteString(m.content)
	}
	return b.Bytes()
}

// end bends the end of the archive: what stands between the directory and the end record, the end record's fields, and
// what follows.
type end struct {
	before, comment, after string
	entries                func(n int) int
	offset, size           func(n int) int
	before64               func(directory, size, entries int) []byte
}

func le(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case []byte:
			b.Write(v)
		default:
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	return b.Bytes()
}

// makeZip builds an archive by hand, byte for byte.
func makeZip(t *testing.T, e end, members ...member) []byte {
	t.Helper()
	var out, directory bytes.Buffer
	for _, m := range members {
		out.WriteString(m.padding)
		data := m.pack(t)
		h := header{
			name: m.name, method: m.method, crc: crc32.ChecksumIEEE([]byte(m.content)),
			compressed: uint32(len(data)), size: uint32(len(m.content)), offset: uint32(out.Len()),
		}
		local, central := h, h
		if m.descriptor != nil {
			local.flags, central.flags = flagDescriptor, flagDescriptor
			local.crc, local.size, local.compressed = 0, 0, 0
		}
		if m.local != nil {
			m.local(&local)
		}
		if m.central != nil {
			m.central(&central)
		}
		out.Write(le(signatureLocal, uint16(20), local.flags, local.method, uint16(0), uint16(33), local.crc, local.compressed, local.size,
			uint16(len(local.name)), uint16(len(local.extra)), local.name, local.extra, data))
		if m.descriptor != nil {
			out.Write(m.descriptor(h))
		}
		directory.Write(le(signatureDirectory, uint16(20), uint16(20), central.flags, central.method, uint16(0), uint16(33), central.crc, central.compressed, central.size,
			uint16(len(central.name)), uint16(len(central.extra)), uint16(0), central.disk, uint16(0), central.attributes, central.offset, central.name, central.extra))
	}
	start, size, entries := out.Len(), directory.Len(), len(members)
	out.Write(directory.Bytes())
	out.WriteString(e.before)
	if e.before64 != nil {
		out.Write(e.before64(start, size, entries))
	}
	bend := func(f func(int) int, n int) int {
		if f == nil {
			return n
		}
		return f(n)
	}
	n := uint16(bend(e.entries, entries))
	out.Write(le(signatureEnd, uint16(0), uint16(0), n, n, uint32(bend(e.size, size)), uint32(bend(e.offset, start)), uint16(len(e.comment)), e.comment, e.after))
	return out.Bytes()
}

// good are the members of the smallest wheel that there is.
func good() []member {
	return []member{
		{name: "demo.py", content: "x = 1\n", method: methodDeflate},
		{name: "demo-1.0.dist-info/METADATA", content: "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"},
		{name: "demo-1.0.dist-info/WHEEL", content: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{name: "demo-1.0.dist-info/RECORD", content: "demo.py,,\ndemo-1.0.dist-info/RECORD,,\n"},
	}
}

const goodName = "demo-1.0-py3-none-any.whl"

func writeWheel(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
