package lock

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPexLocksThatAreRefused(t *testing.T) {
	one := func(requirement string) string { return pexLockOf(nil, "", resolve("", requirement)) }
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":        {"{\n \"style\": universal}", "pex.lock:2:11: invalid character"},
		"cut short":      {"{\n \"style\": ", "pex.lock:2:10: unexpected end of JSON input"},
		"another type":   {"{\"style\": \"universal\",\n \"requirements\": 7}", "pex.lock:2:18: requirements: a value of type number, which the format does not have here"},
		"another tool's": {"{}", "pex.lock: not a pex lock: no locked_resolves; pex3 lock create writes one"},
		"style":          {strings.Replace(pexLockOf(nil, "", ""), `"universal"`, `"quantum"`, 1), `pex.lock: a pex lock of style "quantum", written by pex 2.105.2; strict, sources, universal are known`},
		"requirement":    {pexLockOf([]string{"a @ https://u:secret@example.com/x y"}, "", ""), `requirements: "a @ https://***@example.com/x y": expected the end`},
		"override":       {pexLockOf(nil, `"overridden": ["a=b c"],`, ""), `overridden: "b c": expected the end`},
		"excluded":       {pexLockOf(nil, `"excluded": ["="],`, ""), `excluded: "=": expected a distribution's name`},
		"marker":         {pexLockOf(nil, "", resolve("x")), "locked_resolves[0]: marker: "},
		"name":           {one(locked("../a", "1", "", nil, "a-1.tar.gz")), "locked_resolves[0]: locked_requirements[0] (../a): no name or no version"},
		"python":         {one(locked("a", "1", "3", nil, "a-1.tar.gz")), "locked_requirements[0] (a): requires_python: "},
		"dependency":     {one(locked("a", "1", "", []string{"b c"}, "a-1.tar.gz")), "(a): requires_dists: "},
		"no artifacts":   {one(locked("a", "1", "", nil)), "(a): no artifacts"},
		"another's":      {one(locked("a", "1", "", nil, "a-1.tar.gz", "b-1-py3-none-any.whl")), "(a): artifacts[1]: b-1-py3-none-any.whl is a wheel of b"},
		"no file":        {one(locked("a", "1", "", nil, "")), "(a): artifacts[0]: a URL without a file name"},
	} {
		_, err := readText(t, "pex.lock", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got  %v\nwant … %s", name, err, c.want)
		}
	}
}

func TestALockOfPants(t *testing.T) {
	_, err := readText(t, "default.lock", "// --- BEGIN PANTS LOCKFILE METADATA: DO NOT EDIT OR REMOVE ---\n// {\n// }\n"+smallPex)
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(err.Error(), "default.lock: a pex lock of Pants") || !strings.Contains(hint.Hint(), "grep -v '^//' ") {
		t.Error(err)
	}
}

func TestPexLock(t *testing.T) {
	vcs := `{"project_name": "v", "version": "1", "requires_python": null, "requires_dists": [], "artifacts": [{"algorithm": "sha256", "hash": "x", "commit_id": "abc", "url": "git+https://git.example/v.git@main#subdirectory=s"}]}`
	local := `{"project_name": "l", "version": "1", "requires_python": null, "requires_dists": [], "artifacts": [{"algorithm": "sha256", "hash": "x", "editable": true, "url": "file:///srv/l"}]}`
	l, err := readText(t, "pex.lock", pexLockOf([]string{"a", "v", "l"}, "",
		resolve("", locked("A_x", "1", "", nil, "a_x-1-py3-none-any.whl"), vcs, local),
		resolve("", locked("a-x", "1", "", nil, "a_x-1.tar.gz", "a_x-1-py3-none-any.whl", "a_x-1-1-py3-none-any.whl"), locked("a-x", "2", "", nil, "a_x-2.tar.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range l.Packages {
		line := p.Name + " " + p.Version + " " + strings.Join(fileNames(p.files()), " ")
		if p.Source != nil {
			line += string(p.Source.From) + " " + p.Source.Commit + p.Source.Subdirectory
		}
		got = append(got, line)
	}
	want := []string{"a-x 1 a_x-1-py3-none-any.whl a_x-1-1-py3-none-any.whl a_x-1.tar.gz", "v 1 vcs abcs", "l 1 directory ", "a-x 2 a_x-2.tar.gz"}
	if diff := cmp.Diff(want, got); diff != "" || !l.Hashed {
		t.Errorf("hashed %v\n%s", l.Hashed, diff)
	}
	if !strings.HasSuffix(l.Packages[0].Line, "pex.lock: locked_resolves[0].locked_requirements[0]") {
		t.Error(l.Packages[0].Line)
	}
}

func TestMissingFromPexLocks(t *testing.T) {
	env, tags := linux(t, "linux-aarch64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
	for name, want := range map[string][]string{
		"no wheel":          {"a 1: no wheel for CPython 3.11.2, linux aarch64, cp311-cp311-manylinux_2_36_aarch64; the lock offers\n  a-1-cp311-cp311-manylinux2014_x86_64.whl\n  a-1-cp313-cp313-win_amd64.whl"},
		"not in the lock":   {"gone, asked for by a, is not in the lock; lock again"},
		"a version too low": {"b 1 does not satisfy b>=2 (asked for by the lock's requirements)"},
	} {
		l, err := readText(t, "pex.lock", oddLocks()[name])
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Select(env, tags, nil, nil)
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got  %v\nwant … %s", name, err, text)
			}
		}
		var missing *MissingWheel
		if errors.As(err, &missing) != (name == "no wheel") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzPexLock(f *testing.F) {
	for _, content := range oddLocks() {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		l := &Lock{Path: "pex.lock"}
		if err := l.readPexLock(content); err == nil {
			env, tags := linux(t, "linux-x86_64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
			l.Select(env, tags, nil, nil)
		}
	})
}
