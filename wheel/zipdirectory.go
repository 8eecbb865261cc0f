package wheel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"strings"
	"unicode/utf8"
)

// Signatures and sizes of records (PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16).
const (
	signatureLocal      = "PK\x03\x04"
	signatureDescriptor = "PK\x07\x08"
	signatureDirectory  = "PK\x01\x02"
	signatureEnd64      = "PK\x06\x06"
	signatureLocator64  = "PK\x06\x07"
	signatureEnd        = "PK\x05\x06"

	sizeLocal     = 30
	sizeDirectory = 46
	sizeEnd       = 22
	sizeEnd64     = 56
	sizeLocator64 = 20

	methodStored  = 0
	methodDeflate = 8
	methodZstd    = 93

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagsEncrypted = 1<<0 | 1<<5 | 1<<6 | 1<<13 // encrypted, patched, strongly encrypted, masked

	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// record reads little-endian fields one after another; the caller has made sure that they are there.
type record []byte

func (r *record) skip(n int) { *r = (*r)[n:] }

func (r *record) u16() uint16 {
	v := binary.LittleEndian.Uint16(*r)
	r.skip(2)
	return v
}

func (r *record) u32() uint32 {
	v := binary.LittleEndian.Uint32(*r)
	r.skip(4)
	return v
}

func (r *record) u64() uint64 {
	v := binary.LittleEndian.Uint64(*r)
	r.skip(8)
	return v
}

// directoryEnd is what the end record says of the central directory.
type directoryEnd struct {
	entries      uint64
	size, offset int64
}

// findEnd reads the end record, and zip64's if there is one. It must be the last thing in the file, right behind the central
// directory.
func (a *Archive) findEnd(size int64) (directoryEnd, error) {
	tail := make([]byte, min(size, sizeEnd+maxComment))
	if _, err := a.file.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return directoryEnd{}, err
	}
	at := findSignature(tail)
	if at < 0 {
		return directoryEnd{}, a.bad("", "not a zip archive, or cut short: no end record")
	}
	r := record(tail[at+4 : at+sizeEnd])
	disks := [2]uint16{r.u16(), r.u16()}
	here, entries, length, offset, comment := r.u16(), r.u16(), r.u32(), r.u32(), r.u16()
	if at+sizeEnd+int(comment) != len(tail) {
		return directoryEnd{}, a.bad("", "bytes after the end record")
	}
	position := size - int64(len(tail)) + int64(at)
	end := directoryEnd{uint64(entries), int64(length), int64(offset)}
	if at >= sizeLocator64 && string(tail[at-sizeLocator64:][:4]) == signatureLocator64 {
		var err error
		if position, err = a.readEnd64(position-sizeLocator64, &end); err != nil {
			return end, err
		}
	} else if disks != [2]uint16{} || here != entries {
		return end, a.bad("", "one of several parts of an archive")
	}
	switch {
	case end.entries > MaxEntries:
		return end, a.bad("", "%d entries, more than the limit of %d", end.entries, MaxEntries)
	case end.size > maxDirectory:
		return end, a.bad("", "a central directory of %d bytes, more than the limit of %d", end.size, maxDirectory)
	case end.offset < 0 || end.size < 0 || end.offset > position || position-end.offset != end.size:
		return end, a.bad("", "the central directory is not right before the end record")
	}
	return end, nil
}

// findSignature finds the end record as Python does: at the very end if that has no comment, else by the last signature.
func findSignature(tail []byte) int {
	if at := len(tail) - sizeEnd; at >= 0 && string(tail[at:at+4]) == signatureEnd && tail[len(tail)-2]|tail[len(tail)-1] == 0 {
		return at
	}
	at := bytes.LastIndex(tail, []byte(signatureEnd))
	if at+sizeEnd > len(tail) {
		return -1
	}
	return at
}

// readEnd64 reads zip64's locator and end record, which must be next to each other; fields of the plain end record
// that are not saturated must agree. It returns where the zip64 end record begins.
func (a *Archive) readEnd64(locator int64, end *directoryEnd) (int64, error) {
	buffer := make([]byte, sizeEnd64+sizeLocator64)
	position := locator - sizeEnd64
	if position < 0 {
		return 0, a.bad("", "a zip64 locator without its end record")
	}
	if _, err := a.file.ReadAt(buffer, position); err != nil {
		return 0, err
	}
	r := record(buffer[sizeEnd64+4:])
	disk, offset, disks := r.u32(), r.u64(), r.u32()
	if string(buffer[:4]) != signatureEnd64 || offset != uint64(position) || disk != 0 || disks > 1 {
		return 0, a.bad("", "the zip64 end record is not where its locator says")
	}
	r = record(buffer[4:])
	length := r.u64()
	r.skip(4)
	wide := [2]uint32{r.u32(), r.u32()}
	here, entries, size, directory := r.u64(), r.u64(), r.u64(), r.u64()
	if length != sizeEnd64-12 || wide != [2]uint32{} || here != entries {
		return 0, a.bad("", "a zip64 end record of an unknown kind, or of several parts")
	}
	agree := func(narrow, saturated, wide uint64) bool { return narrow == saturated || narrow == wide }
	if !agree(end.entries, math.MaxUint16, entries) || !agree(uint64(end.size), math.MaxUint32, size) ||
		!agree(uint64(end.offset), math.MaxUint32, directory) || size > math.MaxInt64 || directory > math.MaxInt64 {
		return 0, a.bad("", "the zip64 end record and the end record disagree")
	}
	*end = directoryEnd{entries, int64(size), int64(directory)}
	return position, nil
}

// readDirectory reads the central directory, which must hold exactly the announced entries.
func (a *Archive) readDirectory(end directoryEnd) error {
	buffer := make([]byte, end.size)
	if _, err := a.file.ReadAt(buffer, end.offset); err != nil && (err != io.EOF || len(buffer) > 0) {
		return err
	}
	r := record(buffer)
	for len(r) > 0 {
		if len(r) < sizeDirectory || string(r[:4]) != signatureDirectory {
			return a.bad("", "a central directory that is no list of entries after %d of them", len(a.entries))
		}
		e, err := a.readEntry(&r)
		if err != nil {
			return err
		}
		a.entries = append(a.entries, e)
	}
	if uint64(len(a.entries)) != end.entries {
		return a.bad("", "%d entries where the end record says %d", len(a.entries), end.entries)
	}
	return nil
}

// readEntry reads one record of the central directory; its fixed part is known to be there.
func (a *Archive) readEntry(r *record) (Entry, error) {
	r.skip(8) // signature, versions
	flags := r.u16()
	e := Entry{Method: r.u16(), Time: r.u16(), Date: r.u16(), crc: r.u32()}
	compressed, size := r.u32(), r.u32()
	lengths := [3]int{int(r.u16()), int(r.u16()), int(r.u16())}
	disk := r.u16()
	r.skip(2) // internal attributes
	e.Attributes = r.u32()
	header := r.u32()
	if lengths[0]+lengths[1]+lengths[2] > len(*r) {
		return e, a.bad("", "a central directory that is cut short")
	}
	e.Name = string((*r)[:lengths[0]])
	extra := record((*r)[lengths[0] : lengths[0]+lengths[1]])
	r.skip(lengths[0] + lengths[1] + lengths[2])
	e.compressed, e.Size, e.header = int64(compressed), int64(size), int64(header)
	if problem := checkName(e.Name, flags); problem != "" {
		return e, a.bad(e.Name, "%s", problem)
	}
	if problem := e.readExtra(extra); problem != "" {
		return e, a.bad(e.Name, "%s", problem)
	}
	switch {
	case flags&flagsEncrypted != 0:
		return e, a.bad(e.Name, "encrypted")
	case e.Method != methodStored && e.Method != methodDeflate && e.Method != methodZstd:
		return e, a.bad(e.Name, "compression method %d; stored (0), deflate (8) and zstd (93) are read", e.Method)
	case disk != 0:
		return e, a.bad(e.Name, "lies in another part of the archive")
	}
	return e, nil
}

// checkName says what is wrong with a path, or "".
func checkName(name string, flags uint16) string {
	plain := strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	switch {
	case !utf8.ValidString(name):
		return "a name that is not UTF-8"
	case !plain && flags&flagUTF8 == 0:
		return "a name beyond ASCII that is not marked as UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "a control character in its name"
	case strings.ContainsRune(name, '\\'):
		return "a backslash in its name; zip paths have slashes"
	}
	if path := strings.TrimSuffix(name, "/"); !fs.ValidPath(path) || path == "." {
		return "not a clean relative path"
	}
	return ""
}

// readExtra walks the extra fields for zip64's sizes and for a name that would replace the entry's. It says what is wrong,
// or "".
func (e *Entry) readExtra(extra record) string {
	wide := false
	for len(extra) >= 4 {
		id, length := extra.u16(), int(extra.u16())
		if length > len(extra) {
			return fmt.Sprintf("extra field %#04x is longer than all extra fields", id)
		}
		field := extra[:length]
		extra.skip(length)
		switch id {
		case extraUnicodePath:
			// Version, CRC of the plain name, name. Python from 3.12 on takes this name if the CRC is right.
			if length < 5 || string(field[5:]) != e.Name || binary.LittleEndian.Uint32(field[1:]) != crc32.ChecksumIEEE([]byte(e.Name)) {
				return "an extra field that gives it another name"
			}
		case extraZip64:
			if wide {
				return "two zip64 extra fields"
			}
			wide = true
			for _, value := range []*int64{&e.Size, &e.compressed, &e.header} {
				if *value == math.MaxUint32 && !widen(&field, value) {
					return "a zip64 extra field that is too short or holds a negative size"
				}
			}
		}
	}
	return ""
}

// widen takes the next eight bytes as the value; false if they are not there or no size.
func widen(field *record, value *int64) bool {
	if len(*field) < 8 {
		return false
	}
	*value = int64(field.u64())
	return *value >= 0
}
