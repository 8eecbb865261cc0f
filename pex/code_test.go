package pex

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pexko/pexko/internal/tree"
)

// Links stay links below /app; a PEX holds files alone.
func TestALinkedDirectoryInTheCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := writeCode(dir, tree.Tree{
		tree.NewFile("shared/static/x.css", 0o644, []byte("a{}")), tree.NewFile("shared/__pycache__/x.pyc", 0o644, nil),
		tree.NewLink("shared/up", ".."), tree.NewLink("app", "shared"), tree.NewLink("dangling", "made/at/run/time"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app/static/x.css", "shared/static/x.css"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != "a{}" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if entries := all(t, dir); len(entries) != 7 {
		t.Errorf("there are %v", entries)
	}
}
