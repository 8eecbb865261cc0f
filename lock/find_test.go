package lock

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const (
	smallPylock = "lock-version = '1.0'\ncreated-by = 'hand'\npackages = []\n"
	smallPex    = `{"style": "universal", "pex_version": "2.105.2", "requirements": [], "locked_resolves": []}`
)

func TestFind(t *testing.T) {
	all := map[string]string{
		"pylock.toml": smallPylock, "pex.lock": smallPex, "lock.json": smallPex, "requirements.txt": "", "uv.lock": "version = 1\n",
		"poetry.lock": "", "pdm.lock": "", "Pipfile.lock": "{}",
	}
	for _, c := range []struct {
		name string
		kind Kind
		hint string
	}{
		{"pylock.toml", Pylock, ""},
		{"pex.lock", PexLock, ""},
		{"lock.json", PexLock, ""},
		{"requirements.txt", Requirements, ""},
		{"uv.lock", UV, "run: uv export --format pylock.toml --no-emit-project -o pylock.toml"},
		{"poetry.lock", Poetry, "run: poetry export -f requirements.txt -o requirements.txt"},
		{"pdm.lock", PDM, "run: pdm export --prod -f requirements -o requirements.txt"},
		{"Pipfile.lock", Pipfile, "run: pipenv requirements --hash > requirements.txt"},
	} {
		dir := write(t, all)
		path, kind, err := Find(dir)
		if path != filepath.Join(dir, c.name) || kind != c.kind {
			t.Errorf("found %s (%s), want %s (%s)", path, kind, c.name, c.kind)
		}
		for _, err := range []error{err, second(Read(path))} {
			var unsupported *Unsupported
			if found := errors.As(err, &unsupported); found != (c.hint != "") || !found && err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if found && (!strings.Contains(unsupported.Hint(), c.hint) || !strings.Contains(unsupported.Hint(), dir) || !strings.Contains(err.Error(), c.name)) {
				t.Errorf("%s: %v, %s", c.name, err, unsupported.Hint())
			}
		}
		delete(all, c.name)
	}
	if _, _, err := Find(write(t, all)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	if path, _, err := Find(write(t, map[string]string{"lock.json": `{"packages": {}}`, "pylock.toml/x": ""})); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("some other tool's lock.json, and a directory: %s, %v", path, err)
	}
}

func second(_ *Lock, err error) error { return err }

func TestKindGoesByNameAndContent(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          Kind
	}{
		{"pylock.dev.toml", "", Pylock},
		{"pylock.a.b.toml", "", Pylock}, // by its ending alone
		{"prod.toml", "", Pylock},
		{"base.lock", smallPex, PexLock},
		{"base.lock", "idna==3.10\n", Requirements},
		{"default.lock", "// --- BEGIN PANTS LOCKFILE METADATA\n// {}\n" + smallPex, PexLock},
		{"x.json", "", PexLock},
		{"requirements-prod.txt", "", Requirements},
		{"requirements.in", "{", Requirements},
	} {
		if got := kindOf(c.name, []byte(c.content)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestReadNeedsAFile(t *testing.T) {
	if _, err := Read(filepath.Join(t.TempDir(), "pylock.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}
