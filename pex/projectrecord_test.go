package pex

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProjectKeyFollowsWhatABackendSees(t *testing.T) {
	dir, repository := t.TempDir(), t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	keys := map[string]string{}
	note := func(step string, p Python, r ProjectRequest) {
		t.Helper()
		key, err := projectKey(dir, p, r)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := keys[key]; ok {
			t.Errorf("%s: the key is that of %q", step, before)
		}
		keys[key] = step
	}
	p := Python{Executable: "/usr/bin/python3", Version: "3.11.2"}
	put(filepath.Join(dir, "a.py"), "x = 1\n", 0o644)
	note("as it is", p, ProjectRequest{})
	note("another builder", Python{Executable: p.Executable, Version: "3.12.1"}, ProjectRequest{})
	note("a constraint", p, ProjectRequest{Constraints: []string{"setuptools==84.2.1"}})
	put(filepath.Join(dir, "a.py"), "x = 2\n", 0o644)
	note("an edit", p, ProjectRequest{})
	put(filepath.Join(dir, "a.py"), "x = 2\n", 0o755)
	note("a mode", p, ProjectRequest{})
	put(filepath.Join(dir, ".git"), "gitdir: "+repository+"\n", 0o644)
	put(filepath.Join(repository, "HEAD"), "ref: refs/heads/main\n", 0o644)
	note("a repository", p, ProjectRequest{})
	if err := os.MkdirAll(filepath.Join(repository, "refs", "tags"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(filepath.Join(repository, "refs", "tags", "v1"), "0123\n", 0o644)
	note("a tag", p, ProjectRequest{})
	again, err := projectKey(dir, p, ProjectRequest{})
	if err != nil || keys[again] != "a tag" {
		t.Errorf("the same again has another key: %v", err)
	}
}
