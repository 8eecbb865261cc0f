package e2e

import (
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// start is how an example starts: ready is what it prints when it has done so.
type start struct {
	example
	ready string
}

var starts = []start{
	{example{"hello", "bookworm"}, "Hello, world!"},
	{example{"hello", "trixie"}, "Hello, world!"},
	{example{"api", "bookworm"}, "Uvicorn running on"},
	{example{"api", "trixie"}, "Uvicorn running on"},
	{example{"api", "local"}, "Uvicorn running on"},
	{example{"data", "bookworm"}, "harbour"},
	{example{"django", "bookworm"}, "Booting worker with pid"},
}

// TestFirstStartWritesAndCompilesNothing starts as root, who could write everywhere, on a file system that can be written.
// PYTHONVERBOSE has the interpreter tell where each module's code comes from; pycs are read in silence otherwise.
func TestFirstStartWritesAndCompilesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range starts {
		t.Run(test.name+"/"+test.base, func(t *testing.T) {
			t.Parallel()
			c := testenv.Podman(t).Start(testenv.Container{Image: test.image(t).ids[amd64], User: "0", Env: []string{"PYTHONVERBOSE=1"}})
			c.AwaitLog(test.ready)
			if changes := c.Diff(); len(changes) > 0 {
				t.Errorf("it wrote %v", changes)
			}
			c.Stop()
			compiled, loaded := codeObjects(c.Logs().Stderr)
			if len(compiled) > 0 || len(loaded) < 20 {
				t.Errorf("compiled from source: %q; %d modules from bytecode", compiled, len(loaded))
			}
		})
	}
}

// codeObjects reads what PYTHONVERBOSE=1 prints: importlib's "code object from PATH" for a module that it compiled, with
// quotes around the path of a pyc for one that it did not.
func codeObjects(log string) (compiled, loaded []string) {
	for line := range strings.Lines(log) {
		path, found := strings.CutPrefix(strings.TrimSpace(line), "# code object from ")
		switch {
		case found && strings.HasSuffix(path, ".pyc'"):
			loaded = append(loaded, path)
		case found:
			compiled = append(compiled, path)
		}
	}
	return compiled, loaded
}

// TestEditedSourceTakesEffect puts another text over a source of the application, as `kubectl cp` or a bind mount does: of what
// lies under /app as of what was installed as a wheel. The dependencies' bytecode is trusted instead.
func TestEditedSourceTakesEffect(t *testing.T) {
	t.Parallel()
	edited := t.TempDir()
	writeFiles(t, edited, map[string]string{"edited.py": "def main(): print('edited')\nif __name__ == '__main__': main()\n"})
	for _, test := range []struct {
		example
		source string
	}{
		{example{"hello", "bookworm"}, "/app/hello/__main__.py"},
		{example{"hello", "bookworm"}, site + "hello/__main__.py"},
		{example{"api", "bookworm"}, site + "api/cli.py"},
	} {
		got := testenv.Podman(t).Run(testenv.Container{
			Image: test.image(t).ids[amd64], ReadOnly: true, Volumes: []string{edited + "/edited.py:" + test.source + ":ro"},
		})
		if got.Code != 0 || got.Stdout != "edited\n" {
			t.Errorf("%s: %+v", test.source, got)
		}
	}
}
