package wheel

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Archive is an open wheel whose directory and local headers have been verified. It refuses what two readers could read
// differently (astral-sh/uv#15136 found no published wheel that needs it): entries not one after another from the first byte
// to the central directory, bytes that no entry owns, a local header or data descriptor that differs from the directory,
// bytes after the end record, two entries at one place, paths that are not clean and relative, names that are not UTF-8
// or that an extra field replaces, encryption, and methods other than stored, deflate and zstd.
type Archive struct {
	file    *os.File
	wheel   string
	entries []Entry
	byName  map[string]int
}

// Entry is one entry of an archive as the central directory has it.
type Entry struct {
	// Name is the clean slash-separated path, relative to the root; a directory's ends in "/".
	Name string
	// Size is the uncompressed size in bytes.
	Size int64
	// Method is the compression: 0 stored, 8 deflate, 93 zstd.
	Method uint16
	// Time and Date are MS-DOS's, without a zone.
	Time, Date uint16
	// Attributes are the external attributes; the high half is a Unix mode if the maker was Unix.
	Attributes uint32

	crc        uint32
	compressed int64
	header     int64 // offset of the local header
	data       int64 // offset of the compressed data
}

// IsDir reports whether the entry is a directory.
func (e Entry) IsDir() bool { return strings.HasSuffix(e.Name, "/") }

// OpenArchive opens the wheel at path. The entries' contents are verified when they are read.
func OpenArchive(path string) (*Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	a := &Archive{file: f, wheel: filepath.Base(path)}
	if err := a.load(); err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

// Close closes the file.
func (a *Archive) Close() error { return a.file.Close() }

// Entries are all entries in the order of the central directory; not to be changed.
func (a *Archive) Entries() []Entry { return a.entries }

// Lookup finds an entry by its name.
func (a *Archive) Lookup(name string) (Entry, bool) {
	i, ok := a.byName[name]
	if !ok {
		return Entry{}, false
	}
	return a.entries[i], true
}

// Open reads an entry of this archive. The reader yields exactly Size bytes that match the CRC, or an error.
func (a *Archive) Open(e Entry) (io.ReadCloser, error) {
	return newContent(a.file, e, func(problem string) error { return a.bad(e.Name, "%s", problem) })
}

// read returns the content of the named entry, or nil if there is none; more than limit bytes is an error.
func (a *Archive) read(name string, limit int64) ([]byte, error) {
	e, ok := a.Lookup(name)
	if !ok {
		return nil, nil
	}
	if e.Size > limit {
		return nil, a.bad(name, "%d bytes, more than the limit of %d", e.Size, limit)
	}
	r, err := a.Open(e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content := bytes.NewBuffer(make([]byte, 0, e.Size))
	if _, err := content.ReadFrom(r); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

func (a *Archive) bad(entry, problem string, args ...any) error {
	return &FormatError{a.wheel, entry, fmt.Sprintf(problem, args...)}
}

func (a *Archive) load() error {
	info, err := a.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return a.bad("", "not a regular file")
	}
	end, err := a.findEnd(info.Size())
	if err != nil {
		return err
	}
	if err := a.readDirectory(end); err != nil {
		return err
	}
	if err := a.checkSizes(info.Size()); err != nil {
		return err
	}
	if err := a.checkPlaces(); err != nil {
		return err
	}
	return a.checkLocals(end.offset)
}

// checkSizes compares the entries' sizes with the limits.
func (a *Archive) checkSizes(size int64) error {
	var total int64
	for _, e := range a.entries {
		switch {
		case e.Method == methodStored && e.compressed != e.Size:
			return a.bad(e.Name, "stored, and yet %d bytes in the archive for a file of %d", e.compressed, e.Size)
		case e.Size > 0 && e.compressed == 0:
			return a.bad(e.Name, "a file of %d bytes from no data", e.Size)
		case e.IsDir() && e.Size > 0:
			return a.bad(e.Name, "a directory with %d bytes of content", e.Size)
		case e.Size > MaxUncompressed || total+e.Size > MaxUncompressed:
			return a.bad(e.Name, "the archive unpacks to more than the limit of %d bytes", int64(MaxUncompressed))
		}
		total += e.Size
	}
	if total > RatioFrom && total/MaxRatio > size {
		return a.bad("", "%d bytes unpack to %d, more than the limit of %d times as much", size, total, MaxRatio)
	}
	return nil
}

// checkPlaces makes sure that every entry has a place of its own: no name twice, no file where another entry needs a
// directory.
func (a *Archive) checkPlaces() error {
	a.byName = make(map[string]int, len(a.entries))
	for i, e := range a.entries {
		if _, ok := a.byName[e.Name]; ok {
			return a.bad(e.Name, "twice in the archive")
		}
		a.byName[e.Name] = i
	}
	seen := map[string]bool{}
	for _, e := range a.entries {
		path := strings.TrimSuffix(e.Name, "/")
		if e.IsDir() {
			path = e.Name
		}
		for end := strings.LastIndexByte(path, '/'); end > 0 && !seen[path[:end]]; end = strings.LastIndexByte(path[:end], '/') {
			seen[path[:end]] = true
			if _, ok := a.byName[path[:end]]; ok {
				return a.bad(path[:end], "a file where %q needs a directory", e.Name)
			}
		}
	}
	return nil
}

// checkLocals verifies every local header and that the entries fill the file from its first byte to the directory.
func (a *Archive) checkLocals(directory int64) error {
	order := make([]int, len(a.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a.entries[i].header, a.entries[j].header) })
	end := int64(0)
	for place, i := range order {
		e := &a.entries[i]
		if e.header != end {
			return a.bad(e.Name, "begins at byte %d where the entry before it ends at %d", e.header, end)
		}
		next := directory
		if place+1 < len(order) {
			next = a.entries[order[place+1]].header
		}
		var err error
		if end, err = a.checkLocal(e, next); err != nil {
			return err
		}
	}
	if end != directory {
		return a.bad("", "the entries end at byte %d and the central directory begins at %d", end, directory)
	}
	return nil
}
