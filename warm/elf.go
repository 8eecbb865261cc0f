package warm

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// native is an ELF file that looks for libraries relative to itself.
type native struct {
	at      string   // path below the chroot
	runpath []string // what follows $ORIGIN in DT_RUNPATH, or in DT_RPATH where there is no DT_RUNPATH
	program bool     // it has an interpreter: $ORIGIN is then the directory of the file behind all links
}

// findNatives reads the headers of what may be a library or program. What is no ELF file of a kind that pexko
// knows searches nothing as far as pexko is concerned; broken ones are the loader's business, not an error.
func (c *chroot) findNatives() error {
	for _, name := range sorted(c.files) {
		e := c.files[name]
		if e.Mode&0o111 == 0 && !strings.Contains(path.Base(name), ".so") && path.Base(path.Dir(name)) != "bin" {
			continue
		}
		n, err := readNative(e)
		if err != nil {
			return fmt.Errorf("%s: %w", c.wheel, err)
		}
		if len(n.runpath) > 0 {
			c.natives = append(c.natives, n)
		}
	}
	return nil
}

// Limits on what the dynamic section of a file may make us read.
const (
	maxSegments = 1 << 10
	maxDynamic  = 1 << 20 // bytes; a large real one has 1 KB
	maxRunpath  = 1 << 16 // bytes; NVIDIA's have 1 KB
)

// readNative follows the way of the dynamic loader: program headers, PT_DYNAMIC, DT_STRTAB. Section headers,
// which debug/elf insists on, may be stripped or wrong. Only 64-bit files are read, since pexko has no 32-bit target.
func readNative(e tree.Entry) (native, error) {
	f := &reopened{open: e.Open}
	defer f.Close()
	n := native{at: e.Path}
	var ident [elf.EI_NIDENT]byte
	if e.Size < int64(len(ident)) {
		return n, nil
	}
	if _, err := f.ReadAt(ident[:], 0); err != nil {
		return n, err
	}
	if string(ident[:4]) != elf.ELFMAG || elf.Class(ident[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return n, nil
	}
	d := dynamic{f: f, order: binary.ByteOrder(binary.LittleEndian), size: e.Size}
	if elf.Data(ident[elf.EI_DATA]) == elf.ELFDATA2MSB {
		d.order = binary.BigEndian
	}
	runpath, err := d.runpath()
	if errors.Is(err, errNotELF) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w", e.Path, err)
	}
	n.program = d.program
	n.runpath = fromOrigin(runpath)
	return n, nil
}

// fromOrigin keeps the entries of a search path that start at the file itself, less that start.
func fromOrigin(runpath string) []string {
	var found []string
	for entry := range strings.SplitSeq(runpath, ":") {
		for _, origin := range []string{"$ORIGIN", "${ORIGIN}"} {
			if rest, ok := strings.CutPrefix(entry, origin); ok && (rest == "" || rest[0] == '/') {
				found = append(found, rest)
			}
		}
	}
	return found
}

// errNotELF is a file whose headers lead nowhere.
var errNotELF = errors.New("not an ELF file that a loader would take")

// dynamic reads the dynamic section of an ELF file.
type dynamic struct {
	f       io.ReaderAt
	order   binary.ByteOrder
	size    int64
	loads   []elf.Prog64
	program bool
}

func (d *dynamic) runpath() (string, error) {
	var h elf.Header64
	if err := d.read(&h, 0, uint64(binary.Size(h))); err != nil {
		return "", err
	}
	if h.Phnum > maxSegments || int(h.Phentsize) != binary.Size(elf.Prog64{}) {
		return "", errNotELF
	}
	segments := make([]elf.Prog64, h.Phnum)
	if err := d.read(segments, h.Phoff, uint64(binary.Size(segments))); err != nil {
		return "", err
	}
	var at *elf.Prog64
	for i, s := range segments {
		switch elf.ProgType(s.Type) {
		case elf.PT_LOAD:
			d.loads = append(d.loads, s)
		case elf.PT_INTERP:
			d.program = true
		case elf.PT_DYNAMIC:
			at = &segments[i]
		}
	}
	if at == nil || at.Filesz > maxDynamic {
		return "", nil // statically linked
	}
	entries := make([]elf.Dyn64, at.Filesz/uint64(binary.Size(elf.Dyn64{})))
	if err := d.read(entries, at.Off, uint64(binary.Size(entries))); err != nil {
		return "", err
	}
	return d.search(entries)
}

// search finds the search path of the entries. DT_RUNPATH makes the loader ignore DT_RPATH.
func (d *dynamic) search(entries []elf.Dyn64) (string, error) {
	tags := map[elf.DynTag]uint64{}
	for _, e := range entries {
		if elf.DynTag(e.Tag) == elf.DT_NULL {
			break
		}
		tags[elf.DynTag(e.Tag)] = e.Val
	}
	offset, ok := tags[elf.DT_RUNPATH]
	if !ok {
		if offset, ok = tags[elf.DT_RPATH]; !ok {
			return "", nil
		}
	}
	for _, s := range d.loads {
		if table := tags[elf.DT_STRTAB]; table >= s.Vaddr && table-s.Vaddr < s.Filesz {
			return d.text(s.Off + (table - s.Vaddr) + offset)
		}
	}
	return "", errNotELF
}

func (d *dynamic) text(at uint64) (string, error) {
	if at >= uint64(d.size) {
		return "", errNotELF
	}
	b := make([]byte, min(maxRunpath, uint64(d.size)-at))
	if err := d.read(b, at, uint64(len(b))); err != nil {
		return "", err
	}
	text, _, _ := strings.Cut(string(b), "\x00")
	return text, nil
}

// read fills v from size bytes at an offset that the file itself gave.
func (d *dynamic) read(v any, at, size uint64) error {
	if at > uint64(d.size) || size > uint64(d.size)-at {
		return errNotELF
	}
	return binary.Read(io.NewSectionReader(d.f, int64(at), int64(size)), d.order, v)
}

// reopened reads at any offset of content that may only be had as a stream (a member of a zip): a step
// back opens it anew. ELF headers come first and the tables of names soon after, so that is seldom.
type reopened struct {
	open tree.Opener
	r    io.ReadCloser
	pos  int64
}

// ReadAt implements io.ReaderAt, for one reader at a time.
func (f *reopened) ReadAt(b []byte, at int64) (int, error) {
	if f.r == nil || (at < f.pos && !f.seek(at)) {
		if err := f.restart(); err != nil {
			return 0, err
		}
	}
	if at > f.pos && !f.seek(at) {
		n, err := io.CopyN(io.Discard, f.r, at-f.pos)
		if f.pos += n; err != nil {
			return 0, err
		}
	}
	n, err := io.ReadFull(f.r, b)
	f.pos += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// seek moves in content that can be moved in.
func (f *reopened) seek(at int64) bool {
	s, ok := f.r.(io.Seeker)
	if !ok {
		return false
	}
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		return false
	}
	f.pos = at
	return true
}

func (f *reopened) restart() (err error) {
	if err = f.Close(); err == nil {
		f.r, err = f.open()
	}
	f.pos = 0
	return err
}

// Close closes what is open.
func (f *reopened) Close() error {
	if f.r == nil {
		return nil
	}
	err := f.r.Close()
	f.r = nil
	return err
}
