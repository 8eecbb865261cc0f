// Package elftest writes small ELF files for tests: in goes what a file is to say about itself, out come its
// bytes. They have the headers, the dynamic section and the strings that readers look at, and no code.
package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// File says what an ELF file holds. The zero value is an x86-64 library.
type File struct {
	Machine elf.Machine // EM_X86_64 if 0
	Class32 bool
	Big     bool // big-endian
	Flags   uint32
	Interp  string
	Soname  string
	Needed  []string
	RPath   string
	RunPath string
	// PyVersion defines the variable Py_Version.
	PyVersion uint32
	// Strings are string literals.
	Strings []string
	// Static leaves the dynamic section out.
	Static bool
}

const base = 0x400000 // where the one segment is loaded

// part is a section with its content.
type part struct {
	name    string
	kind    elf.SectionType
	data    []byte
	link    uint32
	entsize int
	offset  int
}

// Bytes writes the file.
func (f File) Bytes() []byte {
	w := writer{File: f, order: binary.LittleEndian}
	if f.Big {
		w.order = binary.BigEndian
	}
	strs, at := table(append([]string{f.Soname, f.RPath, f.RunPath, "Py_Version"}, f.Needed...))
	var hex []byte
	if f.PyVersion != 0 {
		hex = w.word(nil, uint64(f.PyVersion))
	}
	parts := []*part{
		{},
		{name: ".interp", kind: elf.SHT_PROGBITS, data: terminated(f.Interp)},
		{name: ".rodata", kind: elf.SHT_PROGBITS, data: append([]byte(strings.Join(f.Strings, "\x00")), 0)},
		{name: ".data", kind: elf.SHT_PROGBITS, data: hex},
		{name: ".dynstr", kind: elf.SHT_STRTAB, data: strs},
		{name: ".dynsym", kind: elf.SHT_DYNSYM, link: 4},
		{name: ".dynamic", kind: elf.SHT_DYNAMIC, link: 4},
		{name: ".shstrtab", kind: elf.SHT_STRTAB},
	}
	names, nameAt := table(sectionNames(parts))
	parts[7].data = names
	w.layOut(parts[:4])
	parts[5].data, parts[5].entsize = w.symbols(at["Py_Version"], uint64(base+parts[3].offset))
	parts[6].data, parts[6].entsize = w.dynamic(at), 2*w.size()
	if f.Static {
		parts[5].kind, parts[6].kind = elf.SHT_PROGBITS, elf.SHT_PROGBITS
	}
	end := w.layOut(parts)
	return w.assemble(parts, nameAt, end)
}

func terminated(s string) []byte {
	if s == "" {
		return nil
	}
	return append([]byte(s), 0)
}

func sectionNames(parts []*part) []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// table is a string table and the offset of each string in it.
func table(strs []string) ([]byte, map[string]int) {
	b, at := []byte{0}, map[string]int{"": 0}
	for _, s := range strs {
		if _, ok := at[s]; !ok {
			at[s] = len(b)
			b = append(append(b, s...), 0)
		}
	}
	return b, at
}

type writer struct {
	File
	order binary.ByteOrder
}

func (w writer) size() int {
	if w.Class32 {
		return 4
	}
	return 8
}

func (w writer) headerSize() int {
	if w.Class32 {
		return 52 + 3*32
	}
	return 64 + 3*56
}

// layOut gives the parts their places behind the headers and returns where they end.
func (w writer) layOut(parts []*part) int {
	offset := w.headerSize()
	for _, p := range parts {
		offset = (offset + 7) &^ 7
		p.offset = offset
		offset += len(p.data)
	}
	return (offset + 7) &^ 7
}

func (w writer) word(b []byte, v uint64) []byte {
	if w.Class32 {
		return append32(w.order, b, uint32(v))
	}
	return append64(w.order, b, v)
}

func append32(o binary.ByteOrder, b []byte, v uint32) []byte {
	return o.(binary.AppendByteOrder).AppendUint32(b, v)
}

func append64(o binary.ByteOrder, b []byte, v uint64) []byte {
	return o.(binary.AppendByteOrder).AppendUint64(b, v)
}

func (w writer) dynamic(at map[string]int) []byte {
	var b []byte
	add := func(tag elf.DynTag, s string) {
		if s != "" {
			b = w.word(w.word(b, uint64(tag)), uint64(at[s]))
		}
	}
	for _, name := range w.Needed {
		add(elf.DT_NEEDED, name)
	}
	add(elf.DT_SONAME, w.Soname)
	add(elf.DT_RPATH, w.RPath)
	add(elf.DT_RUNPATH, w.RunPath)
	return w.word(w.word(b, 0), 0)
}

func (w writer) symbols(name int, value uint64) ([]byte, int) {
	var b bytes.Buffer
	info := uint8(elf.STB_GLOBAL)<<4 | uint8(elf.STT_OBJECT)
	put := func(v any) { _ = binary.Write(&b, w.order, v) } // a buffer takes all
	if w.Class32 {
		put(elf.Sym32{})
		if w.PyVersion != 0 {
			put(elf.Sym32{Name: uint32(name), Value: uint32(value), Size: 4, Info: info, Shndx: 3})
		}
		return b.Bytes(), 16
	}
	put(elf.Sym64{})
	if w.PyVersion != 0 {
		put(elf.Sym64{Name: uint32(name), Value: value, Size: 8, Info: info, Shndx: 3})
	}
	return b.Bytes(), 24
}

func (w writer) assemble(parts []*part, nameAt map[string]int, end int) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, w.order, v) }
	machine := w.Machine
	if machine == 0 {
		machine = elf.EM_X86_64
	}
	ident := [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}
	if w.Class32 {
		ident[4] = byte(elf.ELFCLASS32)
	}
	if w.Big {
		ident[5] = byte(elf.ELFDATA2MSB)
	}
	if w.Class32 {
		put(elf.Header32{
			Ident: ident, Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 52, Shoff: uint32(end),
			Flags: w.Flags, Ehsize: 52, Phentsize: 32, Phnum: 3, Shentsize: 40, Shnum: uint16(len(parts)), Shstrndx: 7,
		})
	} else {
		put(elf.Header64{
			Ident: ident, Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 64, Shoff: uint64(end),
			Flags: w.Flags, Ehsize: 64, Phentsize: 56, Phnum: 3, Shentsize: 64, Shnum: uint16(len(parts)), Shstrndx: 7,
		})
	}
	for _, p := range w.segments(parts, end) {
		if w.Class32 {
			put(elf.Prog32{Type: p.Type, Off: uint32(p.Off), Vaddr: uint32(p.Vaddr), Filesz: uint32(p.Filesz), Memsz: uint32(p.Memsz)})
		} else {
			put(p)
		}
	}
	for _, p := range parts {
		b.Write(make([]byte, p.offset-b.Len()))
		b.Write(p.data)
	}
	b.Write(make([]byte, end-b.Len()))
	for _, p := range parts {
		s := elf.Section64{
			Name: uint32(nameAt[p.name]), Type: uint32(p.kind), Off: uint64(p.offset), Addr: uint64(base + p.offset),
			Size: uint64(len(p.data)), Link: p.link, Entsize: uint64(p.entsize),
		}
		if w.Class32 {
			put(elf.Section32{Name: s.Name, Type: s.Type, Off: uint32(s.Off), Addr: uint32(s.Addr), Size: uint32(s.Size), Link: s.Link, Entsize: uint32(s.Entsize)})
		} else {
			put(s)
		}
	}
	return b.Bytes()
}

func (w writer) segments(parts []*part, end int) []elf.Prog64 {
	segment := func(kind elf.ProgType, p *part) elf.Prog64 {
		return elf.Prog64{Type: uint32(kind), Off: uint64(p.offset), Vaddr: uint64(base + p.offset), Filesz: uint64(len(p.data)), Memsz: uint64(len(p.data))}
	}
	all := []elf.Prog64{{Type: uint32(elf.PT_LOAD), Vaddr: base, Filesz: uint64(end), Memsz: uint64(end)}, {}, {}}
	if w.Interp != "" {
		all[1] = segment(elf.PT_INTERP, parts[1])
	}
	if !w.Static {
		all[2] = segment(elf.PT_DYNAMIC, parts[6])
	}
	return all
}
