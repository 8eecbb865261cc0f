package lock

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pylockHead = "lock-version = \"1.0\"\ncreated-by = \"hand\"\n"

// pkg is one [[packages]] table.
func pkg(name, version, rest string) string {
	return fmt.Sprintf("[[packages]]\nname = %q\nversion = %q\n%s\n", name, version, rest)
}

// files makes the key wheels, and sdist for names that end in .tar.gz.
func files(names ...string) string {
	var wheels []string
	sdist := ""
	for _, name := range names {
		f := fmt.Sprintf("{ url = %q, hashes = { sha256 = %q } }", "https://files.example/"+strings.ReplaceAll(name, "+", "%2B"), hashA[7:])
		if strings.HasSuffix(name, ".tar.gz") {
			sdist = "sdist = " + f + "\n"
			continue
		}
		wheels = append(wheels, f)
	}
	if wheels == nil {
		return sdist
	}
	return sdist + "wheels = [" + strings.Join(wheels, ", ") + "]\n"
}

func TestSelectFromPylock(t *testing.T) {
	env, tags := linux(t, "linux-aarch64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
	for name, c := range map[string]struct {
		text           string
		extras, groups []string
		want           string // by lines
		err            string
	}{
		"rank": {
			text: pkg("a", "1", files("a-1-py3-none-any.whl", "a-1-cp311-abi3-manylinux_2_17_aarch64.whl", "a-1-cp312-cp312-manylinux_2_17_aarch64.whl")),
			want: "a==1 wheel a-1-cp311-abi3-manylinux_2_17_aarch64.whl",
		},
		"build tag":     {text: pkg("a", "1", files("a-1-py3-none-any.whl", "a-1-2-py3-none-any.whl")), want: "a==1 wheel a-1-2-py3-none-any.whl"},
		"sdist":         {text: pkg("a", "1", files("a-1-cp311-cp311-win_amd64.whl", "a-1.tar.gz")), want: "a==1 sdist "},
		"local version": {text: pkg("a", "1+cu128", files("a-1+cu128-py3-none-any.whl")), want: "a==1+cu128 wheel a-1+cu128-py3-none-any.whl"},
		"marker":        {text: pkg("a", "1", "marker = \"sys_platform == 'win32'\"\n"+files("a-1-py3-none-any.whl")) + pkg("a", "2", "marker = \"sys_platform != 'win32'\"\n"+files("a-2-py3-none-any.whl")), want: "a==2 wheel a-2-py3-none-any.whl"},
		"extras and groups": {
			text: "extras = ['x']\ndependency-groups = ['dev', 'doc']\ndefault-groups = ['main']\n" +
				pkg("a", "1", "marker = \"'main' in dependency_groups\"\n"+files("a-1-py3-none-any.whl")) + pkg("b", "1", "marker = \"'X' in extras\"\n"+files("b-1-py3-none-any.whl")) +
				pkg("c", "1", "marker = \"'dev' in dependency_groups\"\n"+files("c-1-py3-none-any.whl")) + pkg("d", "1", "marker = \"'doc' in dependency_groups\"\n"+files("d-1-py3-none-any.whl")),
			extras: []string{"X"}, groups: []string{"dev"}, want: "a==1 wheel a-1-py3-none-any.whl\nb==1 wheel b-1-py3-none-any.whl\nc==1 wheel c-1-py3-none-any.whl",
		},
		"origins": {
			text: pkg("a", "1", "vcs = { type = 'git', url = 'https://git.example/a', commit-id = 'abc' }") + "[[packages]]\nname = 'b'\ndirectory = { path = './b' }\n" +
				pkg("c", "1", "archive = { url = 'https://files.example/c-1.zip', hashes = { sha256 = 'x' } }") + pkg("d", "1", "archive = { path = 'd-1-py3-none-any.whl', hashes = { sha256 = 'x' } }"),
			want: "a==1 vcs \nb directory \nc==1 archive \nd==1 wheel d-1-py3-none-any.whl",
		},
		"all missing": {
			text: pkg("a", "1", files("a-1-cp311-cp311-win_amd64.whl", "a-1-cp312-cp312-manylinux_2_17_aarch64.whl")) + pkg("b", "2", files("b-2-py2-none-any.whl")),
			err:  "a 1: no wheel for CPython 3.11.2, linux aarch64, cp311-cp311-manylinux_2_36_aarch64; the lock offers\n  a-1-cp311-cp311-win_amd64.whl\n  a-1-cp312-cp312-manylinux_2_17_aarch64.whl\nb 2: no wheel for CPython 3.11.2, linux aarch64, cp311-cp311-manylinux_2_36_aarch64; the lock offers\n  b-2-py2-none-any.whl",
		},
		"ambiguous":         {text: pkg("a", "1", files("a-1-py3-none-any.whl")) + pkg("A", "2", files("a-2-py3-none-any.whl")), err: "packages[0] and packages[1] are both a and both apply to"},
		"python":            {text: "requires-python = '>=3.12'\n", err: "the lock requires Python >=3.12, and the target has 3.11.2"},
		"package's python":  {text: pkg("a", "1", "requires-python = '<3.11'\n"+files("a-1-py3-none-any.whl")), err: "a 1 requires Python <3.11, and the target has 3.11.2"},
		"environment":       {text: "environments = [\"sys_platform == 'win32'\", \"platform_machine == 'x86_64'\"]\n", err: "the lock is for sys_platform == 'win32' or platform_machine == 'x86_64', and the target is CPython"},
		"right environment": {text: "environments = [\"sys_platform == 'win32'\", \"platform_machine == 'aarch64'\"]\n"},
		"unknown extra":     {text: "extras = ['x', 'y']\n", extras: []string{"z"}, err: `the lock knows no extra "z"; it has x, y`},
		"unknown group":     {text: "", groups: []string{"dev"}, err: `the lock knows no group "dev"; it has none`},
		"undecidable":       {text: pkg("a", "1", "marker = \"platform_version == 'x' or sys_platform == 'win32'\"\n"+files("a-1-py3-none-any.whl")), err: `packages[0] (a): marker "platform_version == \"x\" or sys_platform == \"win32\"": platform_version is not known for this target`},
		"decidable":         {text: pkg("a", "1", "marker = \"platform_version == 'x' or sys_platform == 'linux'\"\n"+files("a-1-py3-none-any.whl")), want: "a==1 wheel a-1-py3-none-any.whl"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := readText(t, "pylock.toml", pylockHead+c.text)
			if err != nil {
				t.Fatal(err)
			}
			delete(env, "platform_version")
			pins, err := l.Select(env, tags, c.extras, c.groups)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "pylock.toml: ") {
					t.Errorf("got  %v\nwant … %s", err, c.err)
				}
				return
			}
			var got []string
			for _, p := range pins {
				got = append(got, strings.Join([]string{p.Requirement(), string(p.From), p.Wheel.Name}, " "))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestPylocksThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no TOML":           {"lock-version = \"1.0\"\ncreated-by = hand\n", "pylock.toml:2:14: "},
		"another type":      {pylockHead + "requires-python = 3\n", "pylock.toml:3:19: a value of type integer, which the format does not have here"},
		"a deeper type":     {pylockHead + "[[packages]]\nname = \"a\"\nwheels = [\n  { url = 7 }]\n", "pylock.toml:6:11: "},
		"no version":        {"created-by = \"x\"\n", `no lock-version; a lock by PEP 751 begins with lock-version = "1.0"`},
		"version 2":         {"lock-version = \"2.0\"\npackages = 3\n", `lock-version is "2.0" and 1.x is known`},
		"version 10":        {"lock-version = \"10\"\n", `lock-version is "10" and 1.x is known`},
		"requires-python":   {pylockHead + "requires-python = '3'\n", `requires-python: "3": not a version specifier`},
		"environments":      {pylockHead + "environments = ['x']\n", "environments: \"x\": expected a variable"},
		"name":              {pylockHead + pkg("../a", "1", files("a-1-py3-none-any.whl")), `packages[0] (../a): "../a" is no distribution's name`},
		"marker":            {pylockHead + pkg("a", "1", "marker = 'x'\n"), "packages[0] (a): marker: "},
		"version":           {pylockHead + pkg("a", "x", files("a-1-py3-none-any.whl")), `packages[0] (a): version: "x": not a version`},
		"nothing":           {pylockHead + pkg("a", "1", ""), "packages[0] (a): needs exactly one of vcs, directory, archive, or sdist and wheels"},
		"two origins":       {pylockHead + pkg("a", "1", "directory = { path = '.' }\n"+files("a-1.tar.gz")), "needs exactly one of"},
		"no commit":         {pylockHead + pkg("a", "1", "vcs = { type = 'git', url = 'x' }\n"), "vcs: no commit-id"},
		"no hashes":         {pylockHead + pkg("a", "1", "wheels = [{ url = 'https://x/a-1-py3-none-any.whl', hashes = {} }]\n"), "wheels[0]: a-1-py3-none-any.whl has no hashes"},
		"no url":            {pylockHead + pkg("a", "1", "sdist = { hashes = { sha256 = 'x' } }\n"), "sdist: neither url nor path"},
		"no file name":      {pylockHead + pkg("a", "1", "sdist = { url = 'https://x/', hashes = { sha256 = 'x' } }\n"), "sdist: no file name"},
		"another's wheel":   {pylockHead + pkg("a", "1", files("b-1-py3-none-any.whl")), "wheels[0]: b-1-py3-none-any.whl is a wheel of b"},
		"another version's": {pylockHead + pkg("a", "1", files("a-2-py3-none-any.whl")), "wheels[0]: a-2-py3-none-any.whl is a wheel of version 2, and the package's is 1"},
		"no wheel's name":   {pylockHead + pkg("a", "1", files("a.whl")), `wheels[0]: "a.whl": not a wheel's file name`},
	} {
		_, err := readText(t, "pylock.toml", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "pylock.toml:") {
			t.Errorf("%s: got  %v\nwant … %s", name, err, c.want)
		}
	}
}

func TestPylock(t *testing.T) {
	l, err := readText(t, "pylock.toml", "lock-version = \"1.7\"\ncreated-by = \"later\"\nnew-key = 1\n"+
		pkg("Foo_Bar", "1.0", "wheels = [{ name = 'foo_bar-1.0-py3-none-any.whl', url = 'https://u:p@files.example/Foo.Bar-1.0-py3-none-any.whl', size = 7, hashes = { sha512 = '"+strings.Repeat("c", 128)+"' } }]\n")+
		pkg("b", "1", "wheels = [{ name = 'b-1-py3-none-any.whl', url = 'https://files.example/download?id=1', hashes = { md5 = 'x' } }]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "lock-version is 1.7; what it adds to 1.0 is ignored") {
		t.Errorf("warnings %q", l.Warnings)
	}
	if l.Hashed {
		t.Error("a file with a weak hash alone counts as hashed")
	}
	f := l.Packages[0].Wheels[0]
	if l.Packages[0].Name != "foo-bar" || f.Name != "Foo.Bar-1.0-py3-none-any.whl" || f.Size != 7 || f.SHA256() != "" || !f.isPinned() || !strings.HasSuffix(l.Packages[0].Line, "pylock.toml: packages[0]") {
		t.Errorf("%+v", l.Packages[0])
	}
	if diff := cmp.Diff([]string{"b-1-py3-none-any.whl"}, l.Wheels("B")); diff != "" {
		t.Error(diff)
	}
	if l.Wheels("c") != nil {
		t.Error("wheels of what the lock does not hold")
	}
}

func TestMissingWheel(t *testing.T) {
	err := error(&MissingWheel{"numpy", "1.26.4", "CPython 3.13.5, linux x86_64, cp313-cp313-manylinux_2_41_x86_64", nil})
	if want := "numpy 1.26.4: no wheel for CPython 3.13.5, linux x86_64, cp313-cp313-manylinux_2_41_x86_64; the lock offers none"; err.Error() != want {
		t.Errorf("%v", err)
	}
	var missing *MissingWheel
	if joined := fmt.Errorf("x: %w", errors.Join(errors.New("y"), err)); !errors.As(joined, &missing) || !strings.Contains(missing.Hint(), "numpy") {
		t.Error(joined)
	}
}

func TestPinRequirement(t *testing.T) {
	for want, pin := range map[string]Pin{"a==1.0": {Name: "a", Version: "1.0"}, "a===2004d-x": {Name: "a", Version: "2004d-x"}, "a": {Name: "a"}} {
		if got := pin.Requirement(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzPylock(f *testing.F) {
	f.Add([]byte(pylockHead + pkg("a", "1", "marker = \"'x' in extras\"\n"+files("a-1-py3-none-any.whl", "a-1.tar.gz"))))
	f.Add([]byte(pylockHead + pkg("a", "1", "vcs = { type = 'git', url = 'https://git.example/a', commit-id = 'abc' }")))
	f.Fuzz(func(t *testing.T, content []byte) {
		l := &Lock{Path: "pylock.toml"}
		if err := l.readPylock(content); err == nil {
			env, tags := linux(t, "linux-x86_64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
			l.Select(env, tags, nil, nil)
		}
	})
}
