package warm

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/tree"
)

func TestReadNative(t *testing.T) {
	library := sharedObject{machine: elf.EM_X86_64, soname: "liba.so"}
	with := func(change func(*sharedObject)) string {
		s := library
		change(&s)
		return s.bytes(t)
	}
	long := with(func(s *sharedObject) { s.runpath = "$ORIGIN/x" })
	for name, test := range map[string]struct {
		content string
		want    []string
		program bool
	}{
		"runpath":              {with(func(s *sharedObject) { s.runpath = "$ORIGIN/../../b/lib:/usr/lib:${ORIGIN}:$ORIGINAL/x" }), []string{"/../../b/lib", ""}, false},
		"rpath":                {with(func(s *sharedObject) { s.rpath = "$ORIGIN/.." }), []string{"/.."}, false},
		"runpath before rpath": {with(func(s *sharedObject) { s.rpath, s.runpath = "$ORIGIN/a", "$ORIGIN/b" }), []string{"/b"}, false},
		"program":              {with(func(s *sharedObject) { s.runpath, s.interp = "$ORIGIN/../lib", "/lib64/ld-linux-x86-64.so.2" }), []string{"/../lib"}, true},
		"neither":              {library.bytes(t), nil, false},
		"arm64":                {with(func(s *sharedObject) { s.machine, s.runpath = elf.EM_AARCH64, "$ORIGIN" }), []string{""}, false},
		"empty":                {"", nil, false},
		"script":               {"#!/bin/sh\necho this is longer than a header\n", nil, false},
		"magic alone":          {"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", nil, false},
		"cut off":              {long[:len(long)-40], nil, false},
		"32 bits":              {"\x7fELF\x01" + long[5:], nil, false},
	} {
		n, err := readNative(tree.NewFile("x.so", 0o644, []byte(test.content)))
		if err != nil || !slices.Equal(n.runpath, test.want) || n.program != test.program {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}

// The interpreter that runs the tests is a real program; what debug/elf reads of it is the same.
func TestReadNativeAgreesWithDebugElf(t *testing.T) {
	for _, name := range []string{"/proc/self/exe", "/bin/sh", "/usr/bin/python3"} {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		n, err := readNative(tree.Entry{Path: name, Kind: tree.File, Size: info.Size(), Open: tree.Path(name)})
		check(t, err)
		f, err := elf.Open(name)
		check(t, err)
		defer f.Close()
		runpath, _ := f.DynString(elf.DT_RUNPATH)
		if want := fromOrigin(strings.Join(runpath, ":")); !slices.Equal(n.runpath, want) {
			t.Errorf("%s: %q, want %q", name, n.runpath, want)
		}
	}
}

// A member of a zip cannot be sought in.
func TestReadNativeFromAStream(t *testing.T) {
	content := sharedObject{runpath: "$ORIGIN/../b"}.bytes(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("x.so")
	check(t, err)
	_, err = io.WriteString(w, content)
	check(t, err)
	check(t, z.Close())
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	check(t, err)
	e := tree.Entry{Path: "x.so", Kind: tree.File, Size: int64(len(content)), Open: r.File[0].Open}
	if n, err := readNative(e); err != nil || !slices.Equal(n.runpath, []string{"/../b"}) {
		t.Errorf("%+v, %v", n, err)
	}
}

func FuzzReadNative(f *testing.F) {
	f.Add([]byte(sharedObject{runpath: "$ORIGIN/../b", interp: "/ld"}.bytes(f)))
	f.Add([]byte(sharedObject{rpath: "$ORIGIN"}.bytes(f)))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := readNative(tree.NewFile("x.so", 0o644, content)); err != nil {
			t.Errorf("broken headers are not an error: %v", err)
		}
	})
}
