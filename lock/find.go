package lock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Find returns the lock that counts in a project directory, by the rule in the package's documentation. If the directory has
// only locks of tools that Read does not read, the error is *Unsupported for the first of them; if it has none, the error
// is fs.ErrNotExist.
func Find(dir string) (path string, kind Kind, err error) {
	for _, name := range []string{"pylock.toml", "pex.lock", "lock.json", "requirements.txt", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if name == "lock.json" {
			if content, err := readFile(path); err != nil || !isPexLock(content) {
				continue // some other tool's
			}
		}
		kind := kindOf(name, nil)
		if hints()[kind] != "" {
			return path, kind, &Unsupported{path, kind}
		}
		return path, kind, nil
	}
	return "", "", fmt.Errorf("%s: no pylock.toml, pex.lock or requirements.txt: %w", dir, fs.ErrNotExist)
}

// pylockName is the pattern of PEP 751: pylock.toml, pylock.NAME.toml.
var pylockName = regexp.MustCompile(`^pylock\.([^.]+\.)?toml$`)

// kindOf goes by the name, and by the content for names that say nothing.
func kindOf(name string, content []byte) Kind {
	switch {
	case hints()[Kind(name)] != "":
		return Kind(name)
	case pylockName.MatchString(name):
		return Pylock
	case name == "pex.lock", strings.HasSuffix(name, ".json"), isPexLock(content):
		return PexLock
	case strings.HasSuffix(name, ".toml"):
		return Pylock
	}
	return Requirements
}

// isPexLock reports whether content is JSON with pex's locked resolves, Pants's comment lines before it or not.
func isPexLock(content []byte) bool {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(withoutComments(content), &top); err != nil {
		return false
	}
	_, ok := top["locked_resolves"]
	return ok
}

// withoutComments drops the lines of "//" that Pants writes before the JSON of its locks.
func withoutComments(content []byte) []byte {
	for bytes.HasPrefix(content, []byte("//")) {
		_, content, _ = bytes.Cut(content, []byte("\n"))
	}
	return content
}

// Unsupported says that a lock is of a tool whose format is not read.
type Unsupported struct {
	Path string
	Kind Kind
}

// Error names the file and the kinds that are read.
func (e *Unsupported) Error() string {
	return fmt.Sprintf("%s: this kind of lock is not read; %s, %s and a %s are", e.Path, Pylock, Requirements, PexLock)
}

// Hint is the command that makes a lock that is read.
func (e *Unsupported) Hint() string {
	return fmt.Sprintf("in %s run: %s", filepath.Dir(e.Path), hints()[e.Kind])
}

// hints are the commands that turn the locks of other tools into one that is read.
func hints() map[Kind]string {
	return map[Kind]string{
		UV:      "uv export --format pylock.toml --no-emit-project -o pylock.toml",
		Poetry:  "poetry export -f requirements.txt -o requirements.txt   (with the plugin poetry-plugin-export)",
		PDM:     "pdm export --prod -f requirements -o requirements.txt",
		Pipfile: "pipenv requirements --hash > requirements.txt",
	}
}
