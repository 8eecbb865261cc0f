package wheel

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustName(t *testing.T, file string) Name {
	t.Helper()
	n, err := ParseName(file)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNamesThatCouldLeaveTheirDirectory(t *testing.T) {
	for _, file := range []string{"../foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any/x.whl", "foo-1.0-py3-none-a\\b.whl", "foo-1.0-py3-none-\x00.whl", "foo-1.0-py3-none-\n.whl"} {
		if n, err := ParseName(file); err == nil {
			t.Errorf("%q was accepted: %+v", file, n)
		}
	}
	if _, err := ParseName("foo-1.0-" + strings.Repeat("a.", 100) + "a-" + strings.Repeat("a.", 100) + "a-any.whl"); err == nil || !strings.Contains(err.Error(), "more than the limit of 4096") {
		t.Errorf("ten thousand tags: %v", err)
	}
}

func TestRankAndBest(t *testing.T) {
	var best []Tag
	for _, text := range []string{"cp311-cp311-linux_x86_64", "cp311-abi3-linux_x86_64", "py3-none-linux_x86_64", "py3-none-any", "py2-none-any", "py3-none-any"} {
		tags, err := ParseTags(text)
		if err != nil {
			t.Fatal(err)
		}
		best = append(best, tags...)
	}
	set := NewTagSet(best)
	for file, want := range map[string]int{
		"a-1-cp311-cp311-linux_x86_64.whl":        0,
		"a-1-py2.py3-none-any.whl":                3,
		"a-1-py2-none-any.whl":                    4,
		"a-1-cp312.cp311-abi3.x-linux_x86_64.whl": 1,
		"a-1-cp312-cp312-linux_x86_64.whl":        -1,
	} {
		rank, ok := set.Rank(mustName(t, file))
		if !ok {
			rank = -1
		}
		if rank != want {
			t.Errorf("%s: rank %d, want %d", file, rank, want)
		}
	}
	for name, c := range map[string]struct {
		files []string
		want  int
	}{
		"rank":         {[]string{"a-1-py3-none-any.whl", "a-1-cp311-abi3-linux_x86_64.whl", "a-1-cp312-cp312-linux_x86_64.whl"}, 1},
		"build":        {[]string{"a-1-py3-none-any.whl", "a-1-1-py3-none-any.whl", "a-1-10-py3-none-any.whl", "a-1-2x-py3-none-any.whl"}, 2},
		"build's rest": {[]string{"a-1-1b-py3-none-any.whl", "a-1-01c-py3-none-any.whl", "a-1-1a-py3-none-any.whl"}, 1},
		"build zero":   {[]string{"a-1-py3-none-any.whl", "a-1-0-py3-none-any.whl"}, 1},
		"first":        {[]string{"a-1-py2.py3-none-any.whl", "a-1-py3-none-any.whl"}, 0},
		"none":         {[]string{"a-1-cp312-cp312-linux_x86_64.whl"}, -1},
		"nothing":      {nil, -1},
	} {
		var names []Name
		for _, file := range c.files {
			names = append(names, mustName(t, file))
		}
		if got := set.Best(names); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if _, ok := (TagSet{}).Rank(mustName(t, "a-1-py3-none-any.whl")); ok {
		t.Error("the zero set runs something")
	}
}

func TestOpen(t *testing.T) {
	content := makeZip(t, end{}, with(member{
		name:    "demo-1.0.dist-info/entry_points.txt",
		content: "[console_scripts]\ndemo = demo:main\n[gui_scripts]\ndemo-gui=demo.gui : App.run [extra]\n[other]\nx = y\n",
	})...)
	path := writeWheel(t, goodName, content)
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	want := &Wheel{
		Path: path, Name: mustName(t, goodName), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), DistInfo: "demo-1.0.dist-info",
		Metadata: Metadata{Name: "demo", Version: "1.0"},
		Info:     Info{RootIsPurelib: true, Tags: []Tag{{"py3", "none", "any"}}},
		Record:   &Record{Rows: []Row{{"demo.py", "", -1}, {"demo-1.0.dist-info/RECORD", "", -1}}},
		Console:  []EntryPoint{{"demo", "demo", []string{"main"}}},
		GUI:      []EntryPoint{{"demo-gui", "demo.gui", []string{"App", "run"}}},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Error(diff)
	}
}

// TestWheelsThatAreRefused replaces, adds or removes members of the good wheel.
func TestWheelsThatAreRefused(t *testing.T) {
	const info = "demo-1.0.dist-info/"
	for name, c := range map[string]struct {
		change map[string]string // "-" removes
		want   string
	}{
		"no METADATA":        {map[string]string{info + "METADATA": "-"}, `entry "demo-1.0.dist-info/METADATA": missing`},
		"no WHEEL":           {map[string]string{info + "WHEEL": "-"}, `entry "demo-1.0.dist-info/WHEEL": missing`},
		"another name":       {map[string]string{info + "METADATA": "Name: other\nVersion: 1.0\n"}, "Name is other, and demo in the file name"},
		"another version":    {map[string]string{info + "METADATA": "Name: demo\nVersion: 1.1\n"}, "Version is 1.1, and 1.0 in the file name"},
		"no name":            {map[string]string{info + "METADATA": "Version: 1.0\n"}, `"" is no distribution's name`},
		"a name of slashes":  {map[string]string{info + "METADATA": "Name: ../demo\nVersion: 1.0\n"}, `"../demo" is no distribution's name`},
		"no version":         {map[string]string{info + "METADATA": "Name: demo\n"}, `"" is no version`},
		"a version of paths": {map[string]string{info + "METADATA": "Name: demo\nVersion: ../1\n"}, `"../1" is no version`},
		"latin-1":            {map[string]string{info + "METADATA": "Name: demo\nVersion: 1.0\nRequires-Dist: \xe9\n"}, "is not UTF-8"},
		"two dist-infos":     {map[string]string{"demo-2.0.dist-info/METADATA": "x"}, "two .dist-info directories: demo-1.0.dist-info and demo-2.0.dist-info"},
		"another's":          {map[string]string{info + "METADATA": "-", info + "WHEEL": "-", info + "RECORD": "-", "evil-1.0.dist-info/METADATA": "x"}, `entry "evil-1.0.dist-info": does not belong to demo`},
		"a wheel of 2.0":     {map[string]string{info + "WHEEL": "Wheel-Version: 2.0\n"}, `Wheel-Version is "2.0"; version 1 is known`},
		"no Wheel-Version":   {map[string]string{info + "WHEEL": "Root-Is-Purelib: true\n"}, `Wheel-Version is ""`},
		"RECORD of 2 fields": {map[string]string{info + "RECORD": "demo.py,,\nx,\n"}, "line 2: 2 fields where path, hash and size are expected"},
		"RECORD's sizes":     {map[string]string{info + "RECORD": "demo.py,,x\n"}, `"x" is no size in bytes`},
		"RECORD's quotes":    {map[string]string{info + "RECORD": "\"demo.py,,\n"}, "a quote that is not closed"},
		"entry point":        {map[string]string{info + "entry_points.txt": "[console_scripts]\na = b = c\n"}, `line 2: "a = b = c" is not NAME = MODULE[:ATTRIBUTE]`},
		"entry point's path": {map[string]string{info + "entry_points.txt": "[console_scripts]\n../a = b\n"}, `line 2: "../a" cannot be the name of a script`},
	} {
		t.Run(name, func(t *testing.T) {
			var members []member
			for _, m := range good() {
				content, ok := c.change[m.name]
				if ok {
					m.content = content
					delete(c.change, m.name)
				}
				if content != "-" {
					members = append(members, m)
				}
			}
			for name, content := range c.change {
				members = append(members, member{name: name, content: content})
			}
			_, err := Open(writeWheel(t, goodName, makeZip(t, end{}, members...)))
			refused(t, err, goodName, c.want)
		})
	}
	if _, err := Open(writeWheel(t, "demo.whl", nil)); err == nil || !strings.Contains(err.Error(), `"demo.whl": not a wheel's file name`) {
		t.Error(err)
	}
	if _, err := Open(t.TempDir() + "/" + goodName); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestAWheelWithoutRecord(t *testing.T) {
	w, err := Open(writeWheel(t, goodName, makeZip(t, end{}, good()[:3]...)))
	if err != nil || w.Record != nil {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestMemoryDoesNotGrowWithTheWheel(t *testing.T) {
	path := writeWheel(t, goodName, makeZip(t, end{}, with(member{name: "large", content: strings.Repeat("\x00", 64<<20)})...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Open(path); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("%d bytes allocated for a wheel of %d", n, 64<<20)
	}
}

func TestInfo(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Info
	}{
		"blank lines":        {"Wheel-Version: 1.9\n\nRoot-Is-Purelib: true\n\n\nTag: py3-none-any\n", Info{true, []Tag{{"py3", "none", "any"}}}},
		"True is not true":   {"Wheel-Version: 1.0\nRoot-Is-Purelib: True\n", Info{}},
		"true, blank":        {"Wheel-Version: 1.0\nRoot-Is-Purelib: true \n", Info{}},
		"compressed":         {"Wheel-Version: 1.0\nTag: py3.py2-none-any\nTag:\nTag: cp39-abi3-x\n", Info{false, []Tag{{"py2", "none", "any"}, {"py3", "none", "any"}, {"cp39", "abi3", "x"}}}},
		"one malformed":      {"Wheel-Version: 1.0\nTag: py3-none-any\nTag: py3\n", Info{}},
		"carriage returns":   {"Wheel-Version: 1.0\r\nRoot-Is-Purelib: true\r\n", Info{RootIsPurelib: true}},
		"the first one wins": {"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nRoot-Is-Purelib: false\n", Info{RootIsPurelib: true}},
	} {
		got, err := ParseInfo([]byte(c.text))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestRecordKeepsItsLineEnd(t *testing.T) {
	for text, want := range map[string]bool{"a,,\r\nb,,\n": true, "a,,\nb,,\r\n": false, "a,,": false, "": false, "\n": false} {
		r, err := ParseRecord([]byte(text))
		if err != nil || r.CRLF != want {
			t.Errorf("%q: %v, %v", text, r.CRLF, err)
		}
	}
}

func TestEntryPoints(t *testing.T) {
	type points = []EntryPoint
	for name, c := range map[string]struct {
		text         string
		console, gui points
		err          string
	}{
		"nothing":             {"", nil, nil, ""},
		"module alone":        {"[console_scripts]\na=b.c\n", points{{"a", "b.c", nil}}, nil, ""},
		"the later one wins":  {"[console_scripts]\na=b:c\nx=y\n[gui_scripts]\na=q\n[console_scripts]\na = d : e.f \n", points{{"a", "d", []string{"e", "f"}}, {"x", "y", nil}}, points{{"a", "q", nil}}, ""},
		"comments and blanks": {"# first\n\n  [console_scripts]  \r\n\t a = b:c # not a comment \n;x\n", nil, nil, `line 5: ";x" is not NAME = MODULE[:ATTRIBUTE]`},
		"extras":              {"[console_scripts]\na = b:c [x,y]\n", points{{"a", "b", []string{"c"}}}, nil, ""},
		"other groups count":  {"[x]\na/b = c\n[console_scripts]\n", nil, nil, ""},
		"bad in other groups": {"[x]\nabc\n", nil, nil, `line 2: "abc" is not NAME = MODULE[:ATTRIBUTE]`},
		"no module":           {"[x]\na = :b\n", nil, nil, "is not NAME = MODULE[:ATTRIBUTE]"},
		"no attribute":        {"[x]\na = b:\n", nil, nil, "is not NAME = MODULE[:ATTRIBUTE]"},
		"no group":            {"a = b\n", nil, nil, `line 1: "a = b" stands before the first [group]`},
		"no name":             {"[console_scripts]\n = b\n", nil, nil, `line 2: "" cannot be the name of a script`},
		"a directory":         {"[gui_scripts]\n.. = b\n", nil, nil, `line 2: ".." cannot be the name of a script`},
		"not UTF-8":           {"[x]\n\xff = b\n", nil, nil, "not UTF-8"},
		"too long":            {strings.Repeat("#", maxEntryPoints+1), nil, nil, "more than the limit"},
	} {
		console, gui, err := ParseEntryPoints(strings.NewReader(c.text))
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
			continue
		}
		if diff := cmp.Diff([2]points{c.console, c.gui}, [2]points{console, gui}); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{goodName, "a-1-1x-py2.py3-none-any.whl", "a-1!2+x-cp3-abi3-a.b.c.whl"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		n, err := ParseName(file)
		if err == nil && (n.File != file || len(n.Tags) == 0 || n.Normalized() == "" || strings.ContainsAny(file, "/\\\x00")) {
			t.Errorf("%q: %+v", file, n)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte("Name: demo\nVersion: 1\nRequires-Dist: a\n b\nTag: py3-none-any\nWheel-Version: 1.0\n\nbody"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if m, err := ParseMetadata(content); err == nil && (m.Name == "" || strings.ContainsAny(m.Name+m.Version, "/\n")) {
			t.Errorf("%+v", m)
		}
		ParseInfo(content)
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("a,sha256=x,1\r\n\"b,\"\"c\",,\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := ParseRecord(content)
		for _, row := range r.Rows {
			if err == nil && row.Size < -1 {
				t.Errorf("%+v", row)
			}
		}
	})
}

func FuzzEntryPoints(f *testing.F) {
	f.Add("[console_scripts]\na = b:c.d [x]\n[gui_scripts]\ne=f\n#x\n")
	f.Fuzz(func(t *testing.T, text string) {
		console, gui, err := ParseEntryPoints(strings.NewReader(text))
		for _, p := range append(console, gui...) {
			if err == nil && (p.Module == "" || checkScriptName(p.Name) != nil) {
				t.Errorf("%+v", p)
			}
		}
	})
}
