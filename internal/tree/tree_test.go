package tree

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func paths(t Tree) []string {
	var p []string
	for _, e := range t {
		p = append(p, e.Path)
	}
	return p
}

func TestSortPutsADirectoryBeforeWhatItHolds(t *testing.T) {
	tr := Tree{NewDir("a-c"), NewDir("a/b"), NewDir("a"), NewDir("a.d")}
	tr.Sort()
	if diff := cmp.Diff([]string{"a", "a/b", "a-c", "a.d"}, paths(tr)); diff != "" {
		t.Error(diff)
	}
}

func TestWithParents(t *testing.T) {
	tr := Tree{NewFile("x/y/z", 0o644, nil), NewDir("x")}
	if diff := cmp.Diff([]string{"x", "x/y", "x/y/z"}, paths(tr.WithParents(NewDir))); diff != "" {
		t.Error(diff)
	}
}

func TestValidate(t *testing.T) {
	for name, bad := range map[string]Tree{
		"absolute":      {NewDir("/a")},
		"escape":        {NewDir("../a")},
		"unclean":       {NewDir("a//b")},
		"root":          {NewDir(".")},
		"nul":           {NewDir("a\x00b")},
		"twice":         {NewDir("a"), NewLink("a", "b")},
		"no target":     {NewLink("a", "")},
		"no content":    {{Path: "a", Kind: File}},
		"no kind":       {{Path: "a"}},
		"setuid":        {{Path: "a", Kind: Dir, Mode: 0o4755 | 1<<23}},
		"dir with link": {{Path: "a", Kind: Dir, Link: "b"}},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good := Tree{NewDir("a"), NewLink("a/l", "../x"), NewFile("a/f", 0o644, []byte("x"))}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestReadRefusesWhatChanged(t *testing.T) {
	e := NewFile("f", 0o644, []byte("abc"))
	if b, err := e.Read(3); err != nil || string(b) != "abc" {
		t.Errorf("got %q, %v", b, err)
	}
	e.Size = 2
	if _, err := e.Read(3); err == nil {
		t.Error("a file longer than announced was accepted")
	}
	if _, err := NewFile("f", 0o644, []byte("abc")).Read(2); err == nil {
		t.Error("a file over the limit was accepted")
	}
}

func TestWriteTo(t *testing.T) {
	dir := t.TempDir()
	tr := Tree{NewDir("a"), NewFile("a/f", 0o755, []byte("x")), NewFile("b/c/d", 0o644, []byte("new")), NewLink("a/l", "../b/c/d")}
	tr[0].Mode = 0o775
	if err := os.MkdirAll(filepath.Join(dir, "b/c"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b/c/d"), []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tr.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"a": 0o775 | os.ModeDir, "a/f": 0o755, "b/c/d": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "a/l")); err != nil || string(text) != "new" {
		t.Errorf("through the link: %q, %v", text, err)
	}
}

func TestWriteToStaysBelowItsDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, bad := range []Tree{
		{NewLink("out", outside), NewFile("out/f", 0o644, nil)},
		{NewLink("up", ".."), NewFile("up/f", 0o644, nil)},
	} {
		if err := bad.WriteTo(dir); err == nil {
			t.Errorf("%v was written", bad)
		}
	}
}
