package warm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// sharedObject is a shared library of a few hundred bytes that a loader takes: it has no code and no symbols,
// but a name, libraries that it needs and a search path.
type sharedObject struct {
	machine elf.Machine
	soname  string
	needed  []string
	runpath string // DT_RUNPATH
	rpath   string // DT_RPATH
	interp  string // with it, it is a program
}

// bytes lays out: header, program headers, interpreter, strings, one symbol, hash table, dynamic section.
func (s sharedObject) bytes(t testing.TB) string {
	t.Helper()
	var text bytes.Buffer
	text.WriteByte(0)
	intern := func(name string) uint64 {
		at := text.Len()
		text.WriteString(name + "\x00")
		return uint64(at)
	}
	var dyn []elf.Dyn64
	put := func(tag elf.DynTag, v uint64) { dyn = append(dyn, elf.Dyn64{Tag: int64(tag), Val: v}) }
	if s.soname != "" {
		put(elf.DT_SONAME, intern(s.soname))
	}
	for _, n := range s.needed {
		put(elf.DT_NEEDED, intern(n))
	}
	if s.runpath != "" {
		put(elf.DT_RUNPATH, intern(s.runpath))
	}
	if s.rpath != "" {
		put(elf.DT_RPATH, intern(s.rpath))
	}
	const headers = 64 + 4*56
	interp := append([]byte(s.interp), 0)
	strtab := uint64(headers + len(interp))
	symtab := align(strtab+uint64(text.Len()), 8)
	hash := symtab + 24
	dynamic := hash + 16
	put(elf.DT_STRTAB, strtab)
	put(elf.DT_STRSZ, uint64(text.Len()))
	put(elf.DT_SYMTAB, symtab)
	put(elf.DT_SYMENT, 24)
	put(elf.DT_HASH, hash)
	put(elf.DT_NULL, 0)
	size := dynamic + uint64(16*len(dyn))
	programs := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Filesz: size, Memsz: size, Align: 0x10000},
		{Type: uint32(elf.PT_DYNAMIC), Flags: uint32(elf.PF_R | elf.PF_W), Off: dynamic, Vaddr: dynamic, Paddr: dynamic, Filesz: uint64(16 * len(dyn)), Memsz: uint64(16 * len(dyn)), Align: 8},
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
		{Type: uint32(elf.PT_NULL)},
	}
	if s.interp != "" {
		programs[3] = elf.Prog64{Type: uint32(elf.PT_INTERP), Off: headers, Vaddr: headers, Filesz: uint64(len(interp)), Memsz: uint64(len(interp)), Align: 1}
	}
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(s.machine), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(programs)),
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	b := make([]byte, size)
	write := func(at uint64, v any) {
		if _, err := binary.Encode(b[at:], binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	write(0, h)
	write(64, programs)
	copy(b[headers:], interp)
	copy(b[strtab:], text.Bytes())
	write(hash, []uint32{1, 1, 0, 0})
	write(dynamic, dyn)
	return string(b)
}

func align(n, to uint64) uint64 { return (n + to - 1) / to * to }
