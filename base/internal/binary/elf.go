package binary

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	maxELF     = 1 << 30  // bytes of a file; a libpython with debug symbols has 200 MB
	maxSection = 16 << 20 // bytes of a section that is loaded: .dynamic, .dynsym, .dynstr
	maxInterp  = 4096
	maxProgs   = 256
	maxTables  = 1024 // sections; usual are 30 to 40
)

// ErrNotELF says that a file is no ELF file at all: a script, for example.
var ErrNotELF = errors.New("not an ELF file")

// ErrDamaged says that an ELF file cannot be read, or exceeds what an honest one needs.
var ErrDamaged = errors.New("damaged ELF file")

// ELF is what the headers and the dynamic section of a file say.
type ELF struct {
	Class   elf.Class
	Order   elf.Data
	Machine elf.Machine
	Flags   uint32 // e_flags: the ABI of ARM files
	// Interp is the dynamic loader, an absolute path; "" for libraries and static executables.
	Interp string
	// Dynamic says that there is a dynamic section.
	Dynamic bool
	Soname  string
	// Needed, RPath and RunPath are in the order of the file; the paths may begin with $ORIGIN.
	Needed         []string
	RPath, RunPath []string
	// PyVersion is the value of the data symbol Py_Version that CPython exports from 3.11 on: PY_VERSION_HEX.
	// 0 when the file does not define it.
	PyVersion uint32
}

// Open reads the ELF file at name on this machine.
func Open(name string) (ELF, error) {
	f, err := os.Open(name)
	if err != nil {
		return ELF{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ELF{}, err
	}
	return Read(f, info.Size())
}

// Read reads an ELF file of size bytes.
func Read(r io.ReaderAt, size int64) (e ELF, err error) {
	defer func() {
		if p := recover(); p != nil {
			e, err = ELF{}, fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if size > maxELF {
		return ELF{}, fmt.Errorf("%w: %d bytes, more than %d", ErrDamaged, size, int64(maxELF))
	}
	magic := make([]byte, len(elf.ELFMAG))
	if n, _ := r.ReadAt(magic, 0); n < len(magic) || string(magic) != elf.ELFMAG {
		return ELF{}, ErrNotELF
	}
	f, err := elf.NewFile(io.NewSectionReader(r, 0, size))
	if err != nil {
		return ELF{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := bounded(f); err != nil {
		return ELF{}, err
	}
	return facts(f, r)
}

// bounded refuses what would make the calls that follow hold more than the limits.
func bounded(f *elf.File) error {
	if len(f.Progs) > maxProgs || len(f.Sections) > maxTables {
		return fmt.Errorf("%w: %d segments and %d sections", ErrDamaged, len(f.Progs), len(f.Sections))
	}
	for _, s := range f.Sections {
		switch s.Type {
		case elf.SHT_DYNAMIC, elf.SHT_DYNSYM:
			if s.Size > maxSection || s.Flags&elf.SHF_COMPRESSED != 0 {
				return fmt.Errorf("%w: its section %q has %d bytes", ErrDamaged, s.Name, s.Size)
			}
			if int(s.Link) >= len(f.Sections) {
				return fmt.Errorf("%w: its section %q names no strings", ErrDamaged, s.Name)
			}
			if str := f.Sections[s.Link]; str.Size > maxSection || str.Flags&elf.SHF_COMPRESSED != 0 {
				return fmt.Errorf("%w: its section %q has %d bytes", ErrDamaged, str.Name, str.Size)
			}
		}
	}
	return nil
}

func facts(f *elf.File, r io.ReaderAt) (ELF, error) {
	e := ELF{Class: f.Class, Order: f.Data, Machine: f.Machine, Flags: flags(f, r)}
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			b, err := io.ReadAll(io.LimitReader(p.Open(), maxInterp))
			if err != nil {
				return ELF{}, fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			e.Interp, _, _ = strings.Cut(string(b), "\x00")
		case elf.PT_DYNAMIC:
			e.Dynamic = true
		}
	}
	for tag, list := range map[elf.DynTag]*[]string{elf.DT_NEEDED: &e.Needed, elf.DT_RPATH: &e.RPath, elf.DT_RUNPATH: &e.RunPath} {
		values, err := f.DynString(tag)
		if err != nil {
			return ELF{}, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if tag != elf.DT_NEEDED {
			values = strings.FieldsFunc(strings.Join(values, ":"), func(r rune) bool { return r == ':' })
		}
		*list = values
	}
	if names, err := f.DynString(elf.DT_SONAME); err == nil && len(names) > 0 {
		e.Soname = names[0]
	}
	e.PyVersion = pyVersion(f)
	return e, nil
}

// flags is e_flags, which debug/elf leaves out: at 36 in a 32-bit header, at 48 in a 64-bit one.
func flags(f *elf.File, r io.ReaderAt) uint32 {
	offset := int64(48)
	if f.Class == elf.ELFCLASS32 {
		offset = 36
	}
	b := make([]byte, 4)
	if _, err := r.ReadAt(b, offset); err != nil {
		return 0
	}
	return f.ByteOrder.Uint32(b)
}

// pyVersion reads the initial value of Py_Version, an unsigned long (CPython's Python/getversion.c).
func pyVersion(f *elf.File) uint32 {
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0
	}
	for _, s := range symbols {
		if s.Name != "Py_Version" || elf.ST_TYPE(s.Info) != elf.STT_OBJECT || s.Section == elf.SHN_UNDEF || s.Size != 4 && s.Size != 8 {
			continue
		}
		for _, p := range f.Progs {
			if p.Type != elf.PT_LOAD || s.Value < p.Vaddr || s.Value-p.Vaddr+s.Size > p.Filesz {
				continue
			}
			b := make([]byte, s.Size)
			if _, err := p.ReadAt(b, int64(s.Value-p.Vaddr)); err != nil {
				return 0
			}
			if s.Size == 8 {
				return uint32(f.ByteOrder.Uint64(b))
			}
			return f.ByteOrder.Uint32(b)
		}
	}
	return 0
}
