package wheel

import (
	"errors"
	"io"
	"math"
)

// checkLocal verifies an entry's local header and data descriptor against the directory, sets where the data lies, and
// returns where the entry ends. next is where the following entry, or the directory, begins.
func (a *Archive) checkLocal(e *Entry, next int64) (int64, error) {
	buffer := make([]byte, sizeLocal+len(e.Name))
	if _, err := a.file.ReadAt(buffer, e.header); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, a.bad(e.Name, "the local header is cut short")
		}
		return 0, err
	}
	if string(buffer[:4]) != signatureLocal {
		return 0, a.bad(e.Name, "no local header at byte %d", e.header)
	}
	r := record(buffer[6:])
	flags, method := r.u16(), r.u16()
	r.skip(4) // time, date
	crc, compressed, size := r.u32(), r.u32(), r.u32()
	nameLength, extraLength := int(r.u16()), int64(r.u16())
	if nameLength != len(e.Name) || string(r) != e.Name {
		return 0, a.bad(e.Name, "the local header has another name")
	}
	if method != e.Method || flags&flagsEncrypted != 0 {
		return 0, a.bad(e.Name, "the local header has another method (%d, and %d in the directory) or is encrypted", method, e.Method)
	}
	local := Entry{Size: int64(size), compressed: int64(compressed), crc: crc}
	if err := a.widenLocal(e, &local, extraLength); err != nil {
		return 0, err
	}
	e.data = e.header + int64(len(buffer)) + extraLength
	end := e.data + e.compressed
	if end > next || end < e.data {
		return 0, a.bad(e.Name, "overlaps what comes after it")
	}
	if flags&flagDescriptor == 0 {
		if !local.same(*e) {
			return 0, a.bad(e.Name, "the local header has another size or CRC")
		}
		return end, nil
	}
	if zero := (Entry{}); !local.same(*e) && !local.same(zero) {
		return 0, a.bad(e.Name, "the local header has another size or CRC")
	}
	return next, a.checkDescriptor(*e, end, next-end)
}

// same reports whether two views of an entry agree on its sizes and CRC.
func (e Entry) same(f Entry) bool {
	return e.Size == f.Size && e.compressed == f.compressed && e.crc == f.crc
}

// widenLocal takes sizes that do not fit the local header from its zip64 extra field.
func (a *Archive) widenLocal(e, local *Entry, extraLength int64) error {
	if local.Size != math.MaxUint32 && local.compressed != math.MaxUint32 {
		return nil
	}
	extra := make(record, extraLength)
	if _, err := a.file.ReadAt(extra, e.header+sizeLocal+int64(len(e.Name))); err != nil {
		return err
	}
	local.Name = e.Name
	if problem := local.readExtra(extra); problem != "" {
		return a.bad(e.Name, "local header: %s", problem)
	}
	return nil
}

// checkDescriptor verifies the data descriptor, which fills the length bytes at offset. The format has four forms: with
// and without a signature, with sizes of four and of eight bytes; the length tells them apart.
func (a *Archive) checkDescriptor(e Entry, offset, length int64) error {
	if length != 12 && length != 16 && length != 20 && length != 24 {
		return a.bad(e.Name, "%d bytes after the data, which is no data descriptor", length)
	}
	buffer := make([]byte, length)
	if _, err := a.file.ReadAt(buffer, offset); err != nil {
		return err
	}
	r := record(buffer)
	if length == 16 || length == 24 {
		if string(r[:4]) != signatureDescriptor {
			return a.bad(e.Name, "%d bytes after the data, which are no data descriptor", length)
		}
		r.skip(4)
	}
	crc := r.u32()
	var compressed, size uint64
	if length >= 20 {
		compressed, size = r.u64(), r.u64()
	} else {
		compressed, size = uint64(r.u32()), uint64(r.u32())
	}
	if crc != e.crc || compressed != uint64(e.compressed) || size != uint64(e.Size) {
		return a.bad(e.Name, "the data descriptor has another size or CRC than the directory")
	}
	return nil
}
