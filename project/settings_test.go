package project

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lookup(env map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func parsed(t testing.TB, text string) *document {
	t.Helper()
	d, err := parseDocument("dir/pyproject.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sample is one setting, said at each level by another value, and what becomes of it.
type sample struct {
	flag       Flags
	env, file  string
	fromFlag   string
	fromEnv    string
	fromFile   string
	standard   string
	settingKey string // field of Settings
}

func samples() map[string]sample {
	yes, no := true, false
	one := func(s string) []string { return []string{s} }
	return map[string]sample{
		"name":                {Flags{Name: "a"}, "b", "'c'", "a", "b", "c", "dir", "Name"},
		"entry-point":         {Flags{EntryPoint: "a"}, "b", "'c:d'", "a", "b", "c:d", "", "EntryPoint"},
		"script":              {Flags{Script: "a"}, "b", "'c'", "a", "b", "c", "", "Script"},
		"python-args":         {Flags{PythonArgs: []string{"-X", "dev"}}, "", "['-Werror']", "[-X dev]", "", "[-Werror]", "[]", "PythonArgs"},
		"args":                {Flags{Args: []string{"a", ""}}, "", "['b,c']", "[a ]", "", "[b,c]", "[]", "Args"},
		"hermetic":            {Flags{Hermetic: &no}, "1", "true", "false", "true", "true", "false", "Hermetic"},
		"base":                {Flags{Base: "a:1"}, "b", "'oci:../c:x'", "a:1", "b", "oci:c:x", DefaultBase, "Base"},
		"platforms":           {Flags{Platforms: one("linux/arm64,linux/amd64")}, "linux/aarch64, linux/x86_64", "['all']", "[linux/arm64 linux/amd64]", "[linux/arm64 linux/amd64]", "[all]", "[linux/amd64]", "Platforms"},
		"python":              {Flags{Python: "/a"}, "/b", "'/c/../d'", "/a", "/b", "/d", "", "Python"},
		"user":                {Flags{User: "a:b"}, "1:0", "65532", "a:b", "1:0", "65532", DefaultUser, "User"},
		"workdir":             {Flags{WorkDir: "/a"}, "/b", "'/c'", "/a", "/b", "/c", DefaultWorkDir, "WorkDir"},
		"expose":              {Flags{Expose: []string{"1", "1/tcp", "1/udp"}}, "2,3", "[80, '81/sctp']", "[1/tcp 1/udp]", "[2/tcp 3/tcp]", "[80/tcp 81/sctp]", "[]", "Expose"},
		"stop-signal":         {Flags{StopSignal: "int"}, "SIGTERM", "'9'", "SIGINT", "SIGTERM", "9", "", "StopSignal"},
		"lock":                {Flags{Lock: "a"}, "b", "'locks/c'", "a", "b", "dir/locks/c", "", "Lock"},
		"extras":              {Flags{Extras: []string{"A", "a"}}, "b,B_c", "['d']", "[a]", "[b b-c]", "[d]", "[]", "Extras"},
		"groups":              {Flags{Groups: one("a")}, "b", "['c']", "[a]", "[b]", "[c]", "[]", "Groups"},
		"roots":               {file: "['.', 'lib/']", fromFile: "[. lib]", standard: "[]", settingKey: "Roots"},
		"include":             {file: "['*.so']", fromFile: "[*.so]", standard: "[]", settingKey: "Include"},
		"exclude":             {file: "['/tests/']", fromFile: "[/tests/]", standard: "[]", settingKey: "Exclude"},
		"max-layers":          {Flags{MaxLayers: 10}, "11", "12", "10", "11", "12", "20", "MaxLayers"},
		"compression":         {Flags{Compression: "zstd"}, "gzip", "'zstd'", "zstd", "gzip", "zstd", "gzip", "Compression"},
		"bytecode":            {Flags{Bytecode: "none"}, "host", "'all'", "none", "host", "all", "all", "Bytecode"},
		"repo":                {Flags{}, "ghcr.io/b/", "'localhost:5000'", "", "ghcr.io/b", "localhost:5000", "", "Repo"},
		"tags":                {Flags{Tags: []string{"a", "a"}}, "b,c", "['d']", "[a]", "[b c]", "[d]", "[latest]", "Tags"},
		"--push":              {Flags{Push: []string{"r/a:1", "r/b"}}, "", "", "[r/a:1 r/b]", "", "", "[]", "Push"},
		"--oci-layout":        {Flags{OCILayout: "a"}, "", "", "a", "", "", "", "OCILayout"},
		"--oci-archive":       {Flags{OCIArchive: "a"}, "", "", "a", "", "", "", "OCIArchive"},
		"--tarball":           {Flags{Tarball: "a"}, "", "", "a", "", "", "", "Tarball"},
		"--pex":               {Flags{PexFile: "a"}, "", "", "a", "", "", "", "PexFile"},
		"--load":              {Flags{Load: "auto"}, "", "", "auto", "", "", "", "Load"},
		"--insecure-registry": {Flags{Insecure: &yes}, "true", "", "true", "true", "", "false", "Insecure"},
		"--cache-dir":         {Flags{CacheDir: "a"}, "b", "", "a", "b", "", "/home/u/.cache/pexko", "CacheDir"},
		"--host-python":       {Flags{HostPython: "a"}, "b", "", "a", "b", "", "", "HostPython"},
		"--jobs":              {Flags{Jobs: 3}, "4", "", "3", "4", "", "0", "Jobs"},
	}
}

// TestPrecedence sets every setting at every level that it has, and takes the levels away one by one.
func TestPrecedence(t *testing.T) {
	all := samples()
	for _, row := range settings() {
		name := row.key
		if name == "" {
			name = row.flag
		}
		if row.kind == table {
			continue // TestTablesMergeByName
		}
		s, ok := all[name]
		if !ok {
			t.Errorf("no sample for %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) { s.try(t, row) })
	}
}

func (s sample) try(t *testing.T, row setting) {
	flags, env, file := s.flag, map[string]string{"HOME": "/home/u", row.variable: s.env}, "[tool.pexko]\n"+row.key+" = "+s.file+"\n"
	if row.key == "" {
		file = ""
	}
	check := func(want string, from string) {
		t.Helper()
		got, err := resolve(flags, lookup(env), parsed(t, file), "dir")
		if err != nil {
			t.Fatal(err)
		}
		field := reflect.ValueOf(got).FieldByName(s.settingKey)
		if value := fmt.Sprint(field.FieldByName("Value").Interface()); value != want {
			t.Errorf("%s: %s, want %s", from, value, want)
		}
		if origin := field.FieldByName("From").Interface().(Origin).String(); !strings.HasPrefix(origin, from) {
			t.Errorf("from %s, want %s", origin, from)
		}
	}
	if row.flag != "" {
		check(s.fromFlag, row.flag)
	}
	flags = Flags{}
	if row.variable != "" {
		check(s.fromEnv, row.variable)
	}
	env[row.variable] = ""
	if row.key != "" {
		check(s.fromFile, "dir/pyproject.toml:2:")
	}
	file = ""
	check(s.standard, "default")
}

func TestTablesMergeByName(t *testing.T) {
	file := parsed(t, "[tool.pexko]\nlabels = {a = 'file', b = 'file'}\nannotations = {x = 'y'}\nfiles = {'conf/' = 'etc'}\n[tool.pexko.env]\nA = 'file'\nB = 'file = 2'\n")
	s, err := resolve(Flags{Env: []string{"A=1", "C=", "A=2"}, Labels: []string{"a=flag"}}, nil, file, "dir")
	if err != nil {
		t.Fatal(err)
	}
	flat := func(m map[string]Setting[string]) map[string]string {
		all := map[string]string{}
		for k, v := range m {
			all[k] = v.Value + " from " + v.From.String()
		}
		return all
	}
	got := []map[string]string{flat(s.Env), flat(s.Labels), flat(s.Annotations), flat(s.Files)}
	want := []map[string]string{
		{"A": "2 from --env", "B": "file = 2 from dir/pyproject.toml:7:5: tool.pexko.env.B", "C": " from --env"},
		{"a": "flag from --label", "b": "file from dir/pyproject.toml:2:27: tool.pexko.labels.b"},
		{"x": "y from dir/pyproject.toml:3:20: tool.pexko.annotations.x"},
		{"conf": "etc from dir/pyproject.toml:4:20: tool.pexko.files.\"conf/\""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneEntryWins(t *testing.T) {
	file := parsed(t, "[tool.pexko]\nentry-point = 'a'\n")
	s, err := resolve(Flags{Script: "c"}, nil, file, "dir")
	if err != nil || s.Script.Value != "c" || s.EntryPoint.Value != "" {
		t.Errorf("flag over file: %v, %v, %v", s.Script, s.EntryPoint, err)
	}
	s, err = resolve(Flags{}, lookup(map[string]string{"PEXKO_SCRIPT": "c"}), file, "dir")
	if err != nil || s.Script.Value != "c" || s.EntryPoint.Value != "" {
		t.Errorf("environment over file: %v, %v, %v", s.Script, s.EntryPoint, err)
	}
	s, err = resolve(Flags{EntryPoint: "m"}, lookup(map[string]string{"PEXKO_SCRIPT": "c"}), file, "dir")
	if err != nil || s.Script.Value != "" || s.EntryPoint.Value != "m" {
		t.Errorf("flag over environment: %v, %v, %v", s.Script, s.EntryPoint, err)
	}
	file = parsed(t, "[tool.pexko]\nscript = 'gunicorn'\nargs = ['mysite.wsgi']\n")
	for _, c := range []struct {
		flags Flags
		want  string
	}{
		{Flags{}, "[mysite.wsgi]"},
		{Flags{Script: "celery"}, "[]"},
		{Flags{Script: "celery", Args: []string{"worker"}}, "[worker]"},
		{Flags{Args: []string{"other.wsgi"}}, "[other.wsgi]"},
	} {
		if s, err = resolve(c.flags, nil, file, "dir"); err != nil || fmt.Sprint(s.Args.Value) != c.want {
			t.Errorf("%+v: args %v, %v", c.flags, s.Args.Value, err)
		}
	}
	_, err = resolve(Flags{Script: "c", EntryPoint: "e"}, nil, nil, "dir")
	if err == nil || err.Error() != "--script: an entry point is given too (--entry-point); there can be only one" {
		t.Errorf("both: %v", err)
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct{ file, want, hint string }{
		{"plattforms = []", `dir/pyproject.toml:2:1: tool.pexko.plattforms: unknown key (did you mean "platforms"?)`, "knows annotations, args, base"},
		{"zzz = 1", "tool.pexko.zzz: unknown key", "knows"},
		{"push = 'x'", "tool.pexko.push: unknown key", ""},
		{"base = 3", "dir/pyproject.toml:2:8: tool.pexko.base: must be a string, not a whole number", ""},
		{"base = ''", `tool.pexko.base: "" is not a repository`, ""},
		{"base = 'https://r.example/x'", `"https://r.example/x" holds a scheme`, "write r.example/x without https://"},
		{"base = 'r.example/X'", `"r.example/X" is not a repository`, "lower case: r.example/x"},
		{"base = 'a b'", `"a b" is not a repository`, "HOST/PATH"},
		{"base = 'x@sha256:12'", `"sha256:12" is not a digest`, ""},
		{"base = 'x:'", `"" is not a tag`, ""},
		{"platforms = 'linux/amd64'", "tool.pexko.platforms: must be a list of strings, not a string", `write platforms = ["linux/amd64"]`},
		{"platforms = ['linux/amd64', 'windows/amd64']", `dir/pyproject.toml:2:29: tool.pexko.platforms[1]: "windows/amd64": pexko makes images for linux`, ""},
		{"platforms = ['amd64']", `"amd64" is not a platform; write os/arch`, ""},
		{"platforms = ['linux/amd46']", `unknown architecture (did you mean "amd64"?)`, ""},
		{"platforms = ['all', 'linux/amd64']", "name it alone", ""},
		{"python = 'python3'", `"python3" is not an absolute path in the image`, ""},
		{"entry-point = 'src/app/main.py'", `"src/app/main.py" is a file, not a module`, "write the module's name: app.main"},
		{"entry-point = 'a-b'", `"a-b" is not an entry point`, ""},
		{"script = '../x'", `"../x" is not the name of a console script`, ""},
		{"python-args = ['-m', 'x']", `"-m" would replace the application`, ""},
		{"hermetic = 'yes'", "must be true or false, not a string", ""},
		{"env = {'A B' = 'x'}", `"A B" is not the name of an environment variable`, ""},
		{"env = {PORT = 8080}", "tool.pexko.env.PORT: must be a string, not a whole number", `write PORT = "8080"`},
		{"env = {PEX_ROOT = '/x'}", "PEX_ROOT is pexko's", ""},
		{"env = ['A=1']", "must be a table of strings, not a list", ""},
		{"labels = {'a b' = 'x'}", `"a b" cannot name a label`, ""},
		{"labels = {'a=b' = 'x'}", "cannot hold an equals sign", ""},
		{"user = 'root user'", `"root user" is not a user`, ""},
		{"user = -1", `"-1" is not a user`, ""},
		{"workdir = 'app'", `"app" is not an absolute path`, ""},
		{"expose = [0]", `tool.pexko.expose[0]: "0" is not a port`, ""},
		{"expose = ['80/http']", `"80/http" is not a port`, ""},
		{"stop-signal = 'SIGFOO'", `"SIGFOO" is not a signal`, ""},
		{"extras = ['a b']", `"a b" is not a valid name`, ""},
		{"roots = ['/abs']", `"/abs" is absolute`, ""},
		{"roots = ['../x']", `"../x" leaves the directory`, ""},
		{"include = ['!x']", `"!x": exceptions have a setting of their own`, "include brings back"},
		{"exclude = [' ']", `" " is not a pattern`, ""},
		{"files = {'a' = '../b'}", `tool.pexko.files.a: "../b" leaves the directory`, ""},
		{"max-layers = 500", `"500" is not a whole number from 5 to 120`, ""},
		{"max-layers = 1.5", "must be a whole number, not a fraction", ""},
		{"compression = 'zst'", `"zst" is none of gzip, zstd (did you mean "zstd"?)`, ""},
		{"bytecode = 1979-05-27", "must be a string, not a date or time", ""},
		{"repo = 'ghcr.io/org/app:v1'", "holds a tag or digest", ""},
		{"tags = ['a/b']", `"a/b" is not a tag`, ""},
		{"name = 'My App'", `"My App" cannot be the name of an image`, ""},
	} {
		_, err := resolve(Flags{}, nil, parsed(t, "[tool.pexko]\n"+c.file+"\n"), "dir")
		var config *ConfigError
		if !errors.As(err, &config) || !strings.Contains(err.Error(), c.want) || !strings.Contains(config.Hint(), c.hint) {
			t.Errorf("%s: %v, want %s", c.file, err, c.want)
		}
	}
}

func TestWrongToolTable(t *testing.T) {
	_, err := resolve(Flags{}, nil, parsed(t, "tool.pexko = 'x'\n"), "dir")
	if err == nil || err.Error() != "dir/pyproject.toml:1:14: tool.pexko: must be a table, not a string" {
		t.Error(err)
	}
}

func TestWrongFlagsAndVariables(t *testing.T) {
	for want, f := range map[string]Flags{
		`--env: "HOME" has no value`:                               {Env: []string{"HOME"}},
		`--push: "r/x@sha256:1" holds a digest`:                    {Push: []string{"r/x@sha256:1"}},
		`--tag: "-x" is not a tag`:                                 {Tags: []string{"-x"}},
		`--max-layers: "-1" is not a whole number`:                 {MaxLayers: -1},
		`--load: "dokcer" is none of auto, podman, docker (did`:    {Load: "dokcer"},
		`--platform: names no platform`:                            {Platforms: []string{","}},
		`--base: "https://r.example/x" holds a scheme`:             {Base: "https://r.example/x"},
		`--annotation: "" cannot name a label or annotation`:       {Annotations: []string{"=x"}},
		`--expose: "99999" is not a port`:                          {Expose: []string{"99999"}},
		`--python-arg: "-c" would replace the application; python`: {PythonArgs: []string{"-c"}},
	} {
		if _, err := resolve(f, nil, nil, "dir"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := resolve(Flags{}, lookup(map[string]string{"PEXKO_HERMETIC": "maybe", "PEXKO_JOBS": "many"}), nil, "dir")
	if want := "PEXKO_HERMETIC: \"maybe\" is neither true nor false\nPEXKO_JOBS: \"many\" is not a whole number from 1 to 256"; err == nil || err.Error() != want {
		t.Error(err)
	}
}

// An error about a variable must not show what may be a secret.
func TestErrorsAboutEnvHideValues(t *testing.T) {
	_, err := resolve(Flags{Env: []string{"A B=hunter2", "C=hunter2\x00"}}, nil, nil, "dir")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func TestCacheDir(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"/x/pexko":        {"XDG_CACHE_HOME": "/x", "HOME": "/h"},
		"/h/.cache/pexko": {"XDG_CACHE_HOME": "relative", "HOME": "/h"},
		"":                {},
	} {
		if s, err := resolve(Flags{}, lookup(env), nil, "dir"); err != nil || s.CacheDir.Value != want {
			t.Errorf("%v: %q, %v", env, s.CacheDir.Value, err)
		}
	}
}

func TestPushReferences(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags Flags
		env   map[string]string
		file  string
		want  []string
	}{
		{"tag latest", Flags{Push: []string{"r.example/a"}}, nil, "", []string{"r.example/a:latest"}},
		{"tag given", Flags{Push: []string{"r.example:5000/a:v1"}}, nil, "", []string{"r.example:5000/a:v1"}},
		{"more tags", Flags{Push: []string{"r.example/a:v1"}, Tags: []string{"v2", "v1"}}, nil, "", []string{"r.example/a:v1", "r.example/a:v2"}},
		{"tags of the file yield to a tag in the destination", Flags{Push: []string{"r.example/a:v1", "r.example/b"}}, nil, "tags = ['stable']", []string{"r.example/a:v1", "r.example/b:stable"}},
		{"repository of the environment", Flags{}, map[string]string{"PEXKO_REPO": "ghcr.io/org"}, "", []string{"ghcr.io/org/app:latest"}},
		{"repository of the file", Flags{Tags: []string{"x", "y"}}, nil, "repo = 'ghcr.io/org'\nname = 'web'", []string{"ghcr.io/org/web:x", "ghcr.io/org/web:y"}},
		{"a destination replaces the repository", Flags{Tarball: "x.tar"}, map[string]string{"PEXKO_REPO": "ghcr.io/org"}, "", nil},
		{"none", Flags{}, nil, "", nil},
	} {
		s, err := resolve(c.flags, lookup(c.env), parsed(t, "[tool.pexko]\n"+c.file), "app")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, s.PushReferences()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestLocalReferences(t *testing.T) {
	s, err := resolve(Flags{Tarball: "x.tar", Tags: []string{"a", "b"}}, nil, nil, "app")
	if diff := cmp.Diff([]string{"app:a", "app:b"}, s.LocalReferences()); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	s, err = resolve(Flags{Tarball: "x.tar", Push: []string{"r.example/app:v1"}}, nil, nil, "app")
	if diff := cmp.Diff([]string{"r.example/app:v1"}, s.LocalReferences()); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestPlatformSpellings(t *testing.T) {
	for in, want := range map[string]string{"linux/arm64/v8": "linux/arm64", "Linux/AMD64": "linux/amd64", "linux/arm": "linux/arm/v7", "linux/i686": "linux/386"} {
		if got, err := checkPlatform(in); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for word, want := range map[string]string{"evn": "env", "workdri": "workdir", "entrypoint": "entry-point", "Base": "base", "completely-else": ""} {
		got := didYouMean(word, keys())
		if want == "" && got != "" || want != "" && got != fmt.Sprintf(" (did you mean %q?)", want) {
			t.Errorf("%s: %s", word, got)
		}
	}
}

func TestEveryFlagIsASetting(t *testing.T) {
	var known []string
	for _, row := range settings() {
		if row.flag != "" {
			known = append(known, row.flag)
		}
	}
	yes := true
	full := Flags{Insecure: &yes, Hermetic: &yes, MaxLayers: 9, Jobs: 9}
	for v, i := reflect.ValueOf(&full).Elem(), 0; i < v.NumField(); i++ {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"x"}))
		}
	}
	got := slices.Sorted(maps.Keys(full.given()))
	slices.Sort(known)
	if diff := cmp.Diff(known, got); diff != "" {
		t.Error(diff)
	}
}
