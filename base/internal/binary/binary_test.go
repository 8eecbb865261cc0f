package binary

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/base/internal/binary/elftest"
)

func read(b []byte) (ELF, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRead(t *testing.T) {
	full := elftest.File{
		Interp: "/lib64/ld-linux-x86-64.so.2", Soname: "libx.so.1", Needed: []string{"libc.so.6", "libm.so.6"},
		RPath: "/a:$ORIGIN/../lib", RunPath: "$ORIGIN", PyVersion: 0x030b02f0, Strings: []string{"x"},
	}
	want := ELF{
		Class: elf.ELFCLASS64, Order: elf.ELFDATA2LSB, Machine: elf.EM_X86_64, Interp: full.Interp, Dynamic: true,
		Soname: "libx.so.1", Needed: full.Needed, RPath: []string{"/a", "$ORIGIN/../lib"}, RunPath: []string{"$ORIGIN"}, PyVersion: 0x030b02f0,
	}
	for name, c := range map[string]struct {
		change func(*elftest.File, *ELF)
	}{
		"64 bits":   {func(*elftest.File, *ELF) {}},
		"no symbol": {func(f *elftest.File, e *ELF) { f.PyVersion, e.PyVersion = 0, 0 }},
		"arm": {func(f *elftest.File, e *ELF) {
			f.Class32, f.Machine, f.Flags = true, elf.EM_ARM, 0x05000400
			e.Class, e.Machine, e.Flags = elf.ELFCLASS32, elf.EM_ARM, 0x05000400
		}},
		"big-endian": {func(f *elftest.File, e *ELF) {
			f.Big, f.Machine = true, elf.EM_S390
			e.Order, e.Machine = elf.ELFDATA2MSB, elf.EM_S390
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f, want := full, want
			c.change(&f, &want)
			got, err := read(f.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadOfWhatIsNone(t *testing.T) {
	if _, err := read([]byte("#!/bin/sh\n")); !errors.Is(err, ErrNotELF) {
		t.Error(err)
	}
	if _, err := read(nil); !errors.Is(err, ErrNotELF) {
		t.Error(err)
	}
	if _, err := read([]byte("\x7fELF\x02\x01\x01")); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := Read(bytes.NewReader(nil), maxELF+1); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	e, err := read(elftest.File{Static: true}.Bytes())
	if err != nil || e.Dynamic || len(e.Needed) > 0 {
		t.Errorf("%+v, %v", e, err)
	}
}

// A section that claims more than any honest file needs is refused before debug/elf loads it.
func TestReadRefusesHugeSections(t *testing.T) {
	b := elftest.File{Interp: "/x", PyVersion: 1}.Bytes()
	for section := range 8 {
		bad := bytes.Clone(b)
		at := int(bad[40]) | int(bad[41])<<8 // e_shoff
		copy(bad[at+64*section+32:], "\xff\xff\xff\xff\xff\x00\x00\x00")
		if e, err := read(bad); err == nil && e.PyVersion != 0 && (section == 4 || section == 5) {
			t.Errorf("section %d: %+v", section, e)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(elftest.File{Interp: "/lib/ld.so", Needed: []string{"a", "b"}, RunPath: "$ORIGIN", PyVersion: 7, Strings: []string{"3.8.18"}}.Bytes())
	f.Add(elftest.File{Class32: true, Machine: elf.EM_ARM, PyVersion: 7}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := read(b)
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotELF) {
			t.Error(err)
		}
	})
}

func TestStrings(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	content := "first\x00\x00second\n\x00" + long + "end\x00" + strings.Repeat("y", maxString) + "\x00" + "tail without end"
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := Strings(name, func(s []byte) { got = append(got, string(s)) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"first", "second\n", long[:maxString-3] + "end", strings.Repeat("y", maxString)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
