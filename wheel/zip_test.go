package wheel

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"
)

// with returns the good members with one more.
func with(m member) []member { return append(good(), m) }

// bent returns the good members with the first one bent.
func bent(f func(*member)) []member {
	all := good()
	f(&all[0])
	return all
}

func descriptor(wide, signature bool) func(header) []byte {
	return func(h header) []byte {
		var s string
		if signature {
			s = signatureDescriptor
		}
		if wide {
			return le(s, h.crc, uint64(h.compressed), uint64(h.size))
		}
		return le(s, h.crc, h.compressed, h.size)
	}
}

func end64(bend func(directory, size, entries *uint64)) func(int, int, int) []byte {
	return func(d, s, n int) []byte {
		directory, size, entries := uint64(d), uint64(s), uint64(n)
		position := directory + size
		bend(&directory, &size, &entries)
		return le(signatureEnd64, uint64(sizeEnd64-12), uint16(45), uint16(45), uint32(0), uint32(0), entries, entries, size, directory,
			signatureLocator64, uint32(0), position, uint32(1))
	}
}

func saturate(limit int) func(int) int { return func(int) int { return limit } }

func TestArchivesThatAreRead(t *testing.T) {
	packed := good()[0].pack(t)
	zip64 := le(uint16(extraZip64), uint16(16), uint64(6), uint64(len(packed)))
	for name, c := range map[string]struct {
		end     end
		members []member
	}{
		"plain":       {end{}, good()},
		"comment":     {end{comment: "made by hand"}, good()},
		"directories": {end{}, with(member{name: "a/"})},
		"zstd":        {end{}, bent(func(m *member) { m.method = methodZstd })},
		"utf-8 name": {end{}, with(member{
			name: "é", local: func(h *header) { h.flags = flagUTF8 },
			central: func(h *header) { h.flags = flagUTF8 },
		})},
		"descriptor":                        {end{}, bent(func(m *member) { m.descriptor = descriptor(false, true) })},
		"descriptor without signature":      {end{}, bent(func(m *member) { m.descriptor = descriptor(false, false) })},
		"descriptor, wide":                  {end{}, bent(func(m *member) { m.descriptor = descriptor(true, true) })},
		"descriptor, wide, no signature":    {end{}, bent(func(m *member) { m.descriptor = descriptor(true, false) })},
		"descriptor of the last entry":      {end{}, with(member{name: "z", content: "z", descriptor: descriptor(false, true)})},
		"zip64 end record":                  {end{before64: end64(func(_, _, _ *uint64) {}), entries: saturate(0xffff), offset: saturate(math.MaxUint32), size: saturate(math.MaxUint32)}, good()},
		"zip64 end record for nothing":      {end{before64: end64(func(_, _, _ *uint64) {})}, good()},
		"the end record's offset saturated": {end{before64: end64(func(_, _, _ *uint64) {}), offset: saturate(math.MaxUint32)}, good()},
		"zip64 sizes": {end{}, bent(func(m *member) {
			wide := func(h *header) { h.size, h.compressed, h.extra = math.MaxUint32, math.MaxUint32, zip64 }
			m.local, m.central = wide, wide
		})},
		"unicode path that says the same": {end{}, with(member{name: "a", central: func(h *header) {
			h.extra = le(uint16(extraUnicodePath), uint16(6), uint8(1), crc32.ChecksumIEEE([]byte("a")), "a")
		}})},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Open(writeWheel(t, goodName, makeZip(t, c.end, c.members...)))
			if err != nil {
				t.Fatal(err)
			}
			a, err := OpenArchive(w.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			for _, m := range c.members {
				if content, err := a.read(m.name, 100); err != nil || string(content) != m.content {
					t.Errorf("%s: %q, %v", m.name, content, err)
				}
			}
		})
	}
}

func TestArchivesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		end     end
		members []member
		want    string
	}{
		"twice":               {end{}, with(good()[0]), `entry "demo.py": twice in the archive`},
		"file as directory":   {end{}, with(member{name: "demo.py/x"}), `entry "demo.py": a file where "demo.py/x" needs a directory`},
		"file and directory":  {end{}, with(member{name: "demo.py/"}), `entry "demo.py": a file where "demo.py/" needs a directory`},
		"climbs":              {end{}, with(member{name: "../evil"}), `entry "../evil": not a clean relative path`},
		"climbs inside":       {end{}, with(member{name: "a/../../evil"}), "not a clean relative path"},
		"absolute":            {end{}, with(member{name: "/etc/passwd"}), "not a clean relative path"},
		"dot":                 {end{}, with(member{name: "./a"}), "not a clean relative path"},
		"empty name":          {end{}, with(member{name: ""}), "not a clean relative path"},
		"slash alone":         {end{}, with(member{name: "/"}), "not a clean relative path"},
		"two slashes":         {end{}, with(member{name: "a//b"}), "not a clean relative path"},
		"backslash":           {end{}, with(member{name: `..\evil`}), "a backslash in its name"},
		"nul":                 {end{}, with(member{name: "a\x00b"}), "a control character in its name"},
		"newline":             {end{}, with(member{name: "a\nb"}), "a control character in its name"},
		"not utf-8":           {end{}, with(member{name: "\xff"}), "a name that is not UTF-8"},
		"cp437 or utf-8":      {end{}, with(member{name: "é"}), "a name beyond ASCII that is not marked as UTF-8"},
		"directory with data": {end{}, with(member{name: "a/", content: "x"}), "a directory with 1 bytes of content"},
		"unicode path": {end{}, with(member{name: "a", central: func(h *header) {
			h.extra = le(uint16(extraUnicodePath), uint16(6), uint8(1), crc32.ChecksumIEEE([]byte("a")), "b")
		}}), "an extra field that gives it another name"},
		"extra field too long": {end{}, with(member{name: "a", central: func(h *header) { h.extra = le(uint16(7), uint16(9), "x") }}), "longer than all extra fields"},
		"zip64 extra too short": {end{}, with(member{name: "a", central: func(h *header) {
			h.size, h.extra = math.MaxUint32, le(uint16(extraZip64), uint16(4), uint32(1))
		}}), "a zip64 extra field that is too short"},
		"negative size": {end{}, with(member{name: "a", central: func(h *header) {
			h.size, h.extra = math.MaxUint32, le(uint16(extraZip64), uint16(8), uint64(1)<<63)
		}}), "holds a negative size"},
		"two zip64 extras": {end{}, with(member{name: "a", central: func(h *header) {
			h.extra = le(uint16(extraZip64), uint16(0), uint16(extraZip64), uint16(0))
		}}), "two zip64 extra fields"},
		"another local name":      {end{}, bent(func(m *member) { m.local = func(h *header) { h.name = "evil.py" } }), `entry "demo.py": the local header has another name`},
		"another local size":      {end{}, bent(func(m *member) { m.local = func(h *header) { h.size++ } }), "the local header has another size or CRC"},
		"another compressed size": {end{}, bent(func(m *member) { m.local = func(h *header) { h.compressed-- } }), "the local header has another size or CRC"},
		"another local CRC":       {end{}, bent(func(m *member) { m.local = func(h *header) { h.crc++ } }), "the local header has another size or CRC"},
		"another local method":    {end{}, bent(func(m *member) { m.local = func(h *header) { h.method = 0 } }), "the local header has another method"},
		"no local header":         {end{}, bent(func(m *member) { m.central = func(h *header) { h.offset++ } }), `entry "demo.py": begins at byte 1 where the entry before it ends at 0`},
		"encrypted":               {end{}, bent(func(m *member) { m.central = func(h *header) { h.flags = 1 } }), "encrypted"},
		"encrypted locally":       {end{}, bent(func(m *member) { m.local = func(h *header) { h.flags = 1 } }), "or is encrypted"},
		"bzip2":                   {end{}, bent(func(m *member) { m.method = 12 }), "compression method 12; stored (0), deflate (8) and zstd (93) are read"},
		"another disk":            {end{}, bent(func(m *member) { m.central = func(h *header) { h.disk = 1 } }), "another part of the archive"},
		"stored with other sizes": {end{}, bent(func(m *member) { m.method, m.data = 0, []byte("xy") }), "stored, and yet 2 bytes in the archive for a file of 6"},
		"content from nothing":    {end{}, bent(func(m *member) { m.data = []byte{} }), "a file of 6 bytes from no data"},
		"before the first":        {end{}, bent(func(m *member) { m.padding = "#!/bin/sh\n" }), "begins at byte 10 where the entry before it ends at 0"},
		"between two":             {end{}, with(member{name: "a", padding: "hidden"}), "where the entry before it ends at"},
		"overlap": {
			end{},
			with(member{name: "demo.pyx", central: func(h *header) { h.offset = 0 }}),
			`entry "demo.py": overlaps what comes after it`,
		},
		"longer than the gap": {end{}, bent(func(m *member) {
			longer := func(h *header) { h.compressed += 10 }
			m.local, m.central = longer, longer
		}), "overlaps what comes after it"},
		"huge": {end{}, bent(func(m *member) {
			m.central = func(h *header) {
				h.size, h.extra = math.MaxUint32, le(uint16(extraZip64), uint16(8), uint64(1)<<40)
			}
		}), "the archive unpacks to more than the limit"},
		"bomb": {end{}, bent(func(m *member) { m.central = func(h *header) { h.size = 1 << 30 } }), "more than the limit of 250 times as much"},
		"descriptor that lies": {end{}, bent(func(m *member) {
			m.descriptor = func(h header) []byte { h.size++; return descriptor(false, true)(h) }
		}), "the data descriptor has another size or CRC"},
		"no descriptor":    {end{}, bent(func(m *member) { m.descriptor = func(header) []byte { return nil } }), "0 bytes after the data, which is no data descriptor"},
		"not a descriptor": {end{}, bent(func(m *member) { m.descriptor = func(header) []byte { return make([]byte, 16) } }), "16 bytes after the data, which are no data descriptor"},
		"local size and descriptor": {end{}, bent(func(m *member) {
			m.descriptor, m.local = descriptor(false, true), func(h *header) { h.size = 7 }
		}), "the local header has another size or CRC"},

		"trailing bytes":                {end{after: "x"}, good(), "bytes after the end record"},
		"a second end record":           {end{after: string(makeZip(t, end{}))}, good(), "the central directory is not right before the end record"},
		"an end record in the comment":  {end{comment: string(makeZip(t, end{}))}, good(), "the central directory is not right before the end record"},
		"an end record's head, comment": {end{comment: signatureEnd + strings.Repeat("x", 30)}, good(), "bytes after the end record"},
		"bytes before the end":          {end{before: "hidden"}, good(), "the central directory is not right before the end record"},
		"directory elsewhere":           {end{offset: func(n int) int { return n - 1 }}, good(), "the central directory is not right before the end record"},
		"too few entries":               {end{entries: func(n int) int { return n + 1 }}, good(), "4 entries where the end record says 5"},
		"too many entries":              {end{entries: func(n int) int { return n - 1 }}, good(), "4 entries where the end record says 3"},
		"a directory of other things":   {end{offset: func(n int) int { return n - 5 }, size: func(n int) int { return n + 5 }}, good(), "no list of entries after 0 of them"},
		"zip64 disagrees":               {end{before64: end64(func(_, _, n *uint64) { *n++ })}, good(), "the zip64 end record and the end record disagree"},
		"zip64 elsewhere":               {end{before64: func(d, s, n int) []byte { b := end64(func(_, _, _ *uint64) {})(d, s, n); b[56+8]++; return b }}, good(), "not where its locator says"},
		"zip64 of another length":       {end{before64: func(d, s, n int) []byte { b := end64(func(_, _, _ *uint64) {})(d, s, n); b[4]++; return b }}, good(), "a zip64 end record of an unknown kind"},
		"zip64 locator alone":           {end{before: string(le(signatureLocator64, uint32(0), uint64(0), uint32(1)))}, nil, "a zip64 locator without its end record"},
		"empty":                         {end{}, nil, "no .dist-info directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(writeWheel(t, goodName, makeZip(t, c.end, c.members...)))
			refused(t, err, goodName, c.want)
		})
	}
}

// refused checks that the error names the wheel and says what is wrong.
func refused(t *testing.T, err error, name, want string) {
	t.Helper()
	var format *FormatError
	if !errors.As(err, &format) || format.Wheel != name || format.Hint() == "" || !strings.HasPrefix(err.Error(), name+": ") || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant … %s", err, want)
	}
}

func TestNotAnArchive(t *testing.T) {
	whole := makeZip(t, end{}, good()...)
	for n := range len(whole) {
		if _, err := Open(writeWheel(t, goodName, whole[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(whole))
		}
	}
	_, err := Open(writeWheel(t, goodName, []byte("<html>not found</html>")))
	refused(t, err, goodName, "not a zip archive, or cut short: no end record")
	_, err = Open(writeWheel(t, goodName, nil))
	refused(t, err, goodName, "not a zip archive")
	if _, err := OpenArchive(t.TempDir()); err == nil {
		t.Error("a directory was accepted")
	}
}

func TestContentsThatAreRefused(t *testing.T) {
	packed := member{content: "x = 1\n", method: methodDeflate}.pack(t)
	zstd := member{content: "x = 1\n", method: methodZstd}.pack(t)
	both := func(m *member, f func(*header)) { m.local, m.central = f, f }
	for name, c := range map[string]struct {
		bend func(m *member)
		want string
	}{
		"longer":           {func(m *member) { both(m, func(h *header) { h.size-- }) }, "longer than the directory says"},
		"shorter":          {func(m *member) { both(m, func(h *header) { h.size++ }) }, "shorter than the directory says"},
		"another CRC":      {func(m *member) { both(m, func(h *header) { h.crc++ }) }, "does not match its CRC"},
		"a CRC of zero":    {func(m *member) { both(m, func(h *header) { h.crc = 0 }) }, "does not match its CRC"},
		"garbage":          {func(m *member) { m.data = []byte("\xff\xff\xff") }, "cannot be unpacked"},
		"cut":              {func(m *member) { m.data = packed[:len(packed)-3] }, "cannot be unpacked"},
		"hidden bytes":     {func(m *member) { m.data = append(packed[:len(packed):len(packed)], "more"...) }, "bytes behind the end of the compressed data"},
		"zstd, longer":     {func(m *member) { m.method = methodZstd; both(m, func(h *header) { h.size-- }) }, "longer than the directory says"},
		"zstd, garbage":    {func(m *member) { m.method, m.data = methodZstd, []byte("garbage") }, "cannot be unpacked"},
		"zstd, more bytes": {func(m *member) { m.method, m.data = methodZstd, append(zstd[:len(zstd):len(zstd)], "more"...) }, "cannot be unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := OpenArchive(writeWheel(t, goodName, makeZip(t, end{}, bent(c.bend)...)))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			_, err = a.read("demo.py", 100)
			refused(t, err, goodName, c.want)
			if !strings.Contains(err.Error(), `entry "demo.py"`) {
				t.Errorf("the entry is not named: %v", err)
			}
		})
	}
}

func TestTooManyEntries(t *testing.T) {
	archive := makeZip(t, end{before64: end64(func(_, _, n *uint64) { *n = MaxEntries + 1 }), entries: saturate(0xffff)}, good()...)
	_, err := Open(writeWheel(t, goodName, archive))
	refused(t, err, goodName, fmt.Sprintf("%d entries, more than the limit", MaxEntries+1))
}

func TestALargeMetadataIsRefusedUnread(t *testing.T) {
	members := good()
	members[1].content = strings.Repeat(" ", maxMetadata+1)
	members[1].method = methodDeflate
	_, err := Open(writeWheel(t, goodName, makeZip(t, end{}, members...)))
	refused(t, err, goodName, fmt.Sprintf(`entry "demo-1.0.dist-info/METADATA": %d bytes, more than the limit of %d`, maxMetadata+1, maxMetadata))
}

func TestEntriesAreReadInPieces(t *testing.T) {
	content := strings.Repeat("0123456789", 100_000)
	a, err := OpenArchive(writeWheel(t, goodName, makeZip(t, end{}, with(member{name: "big", content: content, method: methodDeflate})...)))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	e, _ := a.Lookup("big")
	r, err := a.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, 7)); err != nil || got.String() != content {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzArchive(f *testing.F) {
	t := &testing.T{}
	f.Add(makeZip(t, end{}, good()...))
	f.Add(makeZip(t, end{comment: "x"}, bent(func(m *member) { m.descriptor = descriptor(true, true) })...))
	f.Add(makeZip(t, end{before64: end64(func(_, _, _ *uint64) {}), offset: saturate(math.MaxUint32)}, bent(func(m *member) { m.method = methodZstd })...))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := writeWheel(t, goodName, content)
		Open(path)
		a, err := OpenArchive(path)
		if err != nil {
			return
		}
		defer a.Close()
		for _, e := range a.Entries() {
			if r, err := a.Open(e); err == nil {
				if n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20)); err == nil && n < min(e.Size, 1<<20) {
					t.Errorf("%q: %d bytes of %d and no error", e.Name, n, e.Size)
				}
				r.Close()
			}
		}
	})
}
