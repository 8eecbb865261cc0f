package tree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilesFollowsLinks(t *testing.T) {
	file := func(path string) Entry { return NewFile(path, 0o644, nil) }
	for name, c := range map[string]struct {
		tree Tree
		want string
	}{
		"to a file":                        {Tree{file("d/f"), NewLink("l", "d/f"), NewLink("d/m", "../l")}, "d/f d/m l"},
		"to a directory":                   {Tree{file("d/e/f"), file("d/g"), NewLink("l", "d")}, "d/e/f d/g l/e/f l/g"},
		"to a directory with an entry":     {Tree{NewDir("d"), file("d/f"), NewLink("x/l", "../d/")}, "d/f x/l/f"},
		"to an empty directory":            {Tree{NewDir("d"), NewLink("l", "d")}, ""},
		"through a linked directory":       {Tree{file("d/e/f"), NewLink("l", "d/e"), NewLink("m", "l/f"), NewLink("n", "l/../g"), file("d/g")}, "d/e/f d/g l/f m n"},
		"links below a linked directory":   {Tree{file("a/f"), file("b/g"), NewLink("a/b", "../b"), NewLink("l", "a")}, "a/b/g a/f b/g l/b/g l/f"},
		"to nothing":                       {Tree{file("f"), NewLink("l", "nowhere"), NewLink("m", "l"), NewLink("n", "f/x")}, "f"},
		"to the directory itself":          {Tree{file("d/f"), NewLink("d/l", "."), NewLink("d/m", "../d")}, "d/f"},
		"to the top":                       {Tree{file("d/f"), NewLink("d/l", ".."), NewLink("l", ".")}, "d/f"},
		"to an ancestor, through a link":   {Tree{file("d/e/f"), NewLink("d/e/up", ".."), NewLink("l", "d/e")}, "d/e/f l/f"},
		"directories that link each other": {Tree{file("a/f"), NewLink("a/b", "../b"), file("b/g"), NewLink("b/a", "../a")}, "a/b/g a/f b/a/f b/g"},
	} {
		files, err := c.tree.Files()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, strings.Join(paths(files), " ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestFilesRefuses(t *testing.T) {
	var bomb Tree // 2^30 ways to one file
	for i := range 30 {
		next := fmt.Sprintf("../d%d", i+1)
		bomb = append(bomb, NewLink(fmt.Sprintf("d%d/a", i), next), NewLink(fmt.Sprintf("d%d/b", i), next))
	}
	for want, bad := range map[string]Tree{
		"a link to ../x, which leads out": {NewLink("l", "../x")},
		"a link to /etc, which leads out": {NewLink("l", "/etc")},
		"links to follow":                 {NewLink("a", "b"), NewLink("b", "a")},
		"l: not a directory":              {NewLink("l", "d"), NewFile("l/f", 0o644, nil), NewDir("d")},
		"links to directories add more":   append(bomb, NewFile("d30/f", 0o644, nil)),
	} {
		if _, err := bad.Files(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
