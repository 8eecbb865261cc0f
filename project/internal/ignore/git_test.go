package ignore

import (
	"strings"
	"testing"
	"time"
)

func TestGitMatch(t *testing.T) {
	for _, c := range []struct {
		patterns, path string
		dir            bool
		want           Verdict
	}{
		{"*.log", "a/b/x.log", false, Out},
		{"*.log\n!keep.log", "a/keep.log", false, In},
		{"!keep.log\n*.log", "a/keep.log", false, Out},
		{"/todo", "todo", false, Out},
		{"/todo", "a/todo", false, Silent},
		{"doc/frotz", "doc/frotz", true, Out},
		{"doc/frotz", "a/doc/frotz", true, Silent},
		{"frotz/", "a/frotz", true, Out},
		{"frotz/", "a/frotz", false, Silent},
		{"**/foo", "foo", false, Out},
		{"**/foo/bar", "x/y/foo/bar", false, Out},
		{"abc/**", "abc/x/y", false, Out},
		{"abc/**", "abc", true, Silent},
		{"a/**/b", "a/b", false, Out},
		{"a/**/b", "a/x/y/b", false, Out},
		{"foo/*", "foo/test.json", false, Out},
		{"foo/*", "foo/bar/hello.c", false, Silent},
		{"# comment", "# comment", false, Silent},
		{`\#file`, "#file", false, Out},
		{`\!file`, "!file", false, Out},
		{"trail   ", "trail", false, Out},
		{`trail\ `, "trail ", false, Out},
		{"tab\t", "tab", false, Silent},
		{"crlf\r\n", "crlf", false, Out},
		{"\xef\xbb\xbfbom", "bom", false, Out},
		{"[a-c]x", "bx", false, Out},
		{"[!a-c]x", "bx", false, Silent},
		{"[]]x", "]x", false, Out},
		{"[[:digit:]]*", "7up", false, Out},
		{"[[:nope:]]", "n", false, Silent},
		{"[unclosed", "[unclosed", false, Silent},
		{`back\`, "back", false, Silent},
		{"a?c", "a/c", false, Silent},
		{"x/a[/]c", "x/a/c", false, Silent},
		{"foo**/bar", "foobar", false, Out},
		{"/", "x", false, Silent},
		{"//", "x", false, Silent},
		{"*", "any", true, Out},
		{"caf??", "café", false, Out}, // bytes, not letters
		{"caf?", "café", false, Silent},
	} {
		if got := ParseGit("", []byte(c.patterns)).Match(c.path, c.dir); got != c.want {
			t.Errorf("%q on %q (dir %v): %v, want %v", c.patterns, c.path, c.dir, got, c.want)
		}
	}
}

func TestGitListOfASubdirectory(t *testing.T) {
	g := ParseGit("a/b", []byte("/x\n*.o\n"))
	for path, want := range map[string]Verdict{
		"a/b/x": Out, "a/b/c/x": Silent, "x": Silent, "a/b/c/d.o": Out, "a/d.o": Silent, "a/bx": Silent,
	} {
		if got := g.Match(path, false); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestMatchOrParent(t *testing.T) {
	g := GitLines("", []string{"static/dist", "*.egg/"})
	for path, want := range map[string]Verdict{
		"static/dist/app.js": Out, "static/app.js": Silent, "x/y.egg/PKG-INFO": Out, "x/y.egg": Silent,
	} {
		if got := g.MatchOrParent(path, false); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestReaches(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{"static/dist/app.js", "static", true},
		{"static/dist/app.js", "static/dist", true},
		{"static/dist/app.js", "media", false},
		{"static/dist/app.js", "static/dist/x", false},
		{"/static/*/app.js", "static/x", true},
		{"/static/*/app.js", "other", false},
		{"*.js", "deep/down", true},
		{"**/x", "deep", true},
	} {
		if got := GitLines("", []string{c.pattern}).Reaches(c.dir); got != c.want {
			t.Errorf("%q below %q: %v", c.pattern, c.dir, got)
		}
	}
}

// Backtracking matchers need years for these.
func TestMatchingIsLinear(t *testing.T) {
	done := make(chan bool)
	go func() {
		for _, pattern := range []string{strings.Repeat("a*", 200) + "b", strings.Repeat("**/", 200) + "b", "/" + strings.Repeat("*a/**/", 100) + "b"} {
			done <- ParseGit("", []byte(pattern)).Match(strings.Repeat("a", 2000)+strings.Repeat("/a", 100), false) == Silent
		}
		close(done)
	}()
	for {
		select {
		case ok, more := <-done:
			if !more {
				return
			}
			if !ok {
				t.Error("matched")
			}
		case <-time.After(time.Minute):
			t.Fatal("not done after a minute")
		}
	}
}

func FuzzGit(f *testing.F) {
	f.Add("*.log\n!keep.log\n/a/**/b\n[[:alpha:]-z]\\", "a/b/c.log", true)
	f.Add("[!]-", "-", false)
	f.Fuzz(func(t *testing.T, text, path string, dir bool) {
		g := ParseGit("a", []byte(text))
		v := g.Match("a/"+path, dir)
		if v != Silent && !g.Reaches("a") {
			t.Errorf("%q: matches %q but does not reach a", text, path)
		}
		if w := g.MatchOrParent("a/"+path, dir); v != Silent && w != v {
			t.Errorf("%q on %q: %v alone, %v with parents", text, path, v, w)
		}
	})
}
