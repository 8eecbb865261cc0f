package lock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pexko/pexko/wheel"
)

const (
	hashA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// write makes files below a directory of its own and returns the directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readText(t *testing.T, name, content string) (*Lock, error) {
	t.Helper()
	return Read(filepath.Join(write(t, map[string]string{name: content}), name))
}

// brief leaves out what the tests of requirements do not look at.
var brief = cmp.Options{cmpopts.IgnoreUnexported(Package{}, File{}), cmpopts.IgnoreFields(Package{}, "Line"), cmpopts.EquateEmpty()}

func TestRequirements(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		hashed bool
		want   []Package
	}{
		"empty":                 {"# nothing\n\n", true, nil},
		"pinned":                {"idna==3.10\n", false, []Package{{Name: "idna", Version: "3.10"}}},
		"range":                 {"Foo.Bar >=1, <2 ; python_version < '4' # why\n", false, []Package{{Name: "foo-bar", Marker: `python_version < "4"`}}},
		"hashed":                {"idna==3.10 \\\n    --hash=" + hashA + " \\\n    --hash " + hashB + "\n", true, []Package{{Name: "idna", Version: "3.10", Hashes: []string{hashA, hashB}}}},
		"windows":               {"\ufeffidna==3.10 \\\r\n  --hash=" + hashA + "\r\n", true, []Package{{Name: "idna", Version: "3.10", Hashes: []string{hashA}}}},
		"utf-16":                {"\xff\xfei\x00d\x00n\x00a\x00\n\x00", false, []Package{{Name: "idna"}}},
		"marker with hash sign": {"a==1 ; os_name == 'x#y'\n", false, []Package{{Name: "a", Version: "1", Marker: `os_name == "x#y"`}}},
		"wheel at a URL": {
			"a @ https://example.com/a-1.0%2Bx-py3-none-any.whl#" + strings.Replace(hashA, ":", "=", 1) + "\n", true,
			[]Package{{Name: "a", Version: "1.0+x", Wheels: []File{{Name: "a-1.0+x-py3-none-any.whl", URL: "https://example.com/a-1.0%2Bx-py3-none-any.whl#" + strings.Replace(hashA, ":", "=", 1), Hashes: map[string]string{"sha256": hashA[7:]}}}}},
		},
		"bare wheel": {
			"https://example.com/A_b-1.0-py3-none-any.whl ; os_name == 'posix'\n", false,
			[]Package{{Name: "a-b", Version: "1.0", Marker: `os_name == "posix"`, Wheels: []File{{Name: "A_b-1.0-py3-none-any.whl", URL: "https://example.com/A_b-1.0-py3-none-any.whl"}}}},
		},
		"archive": {
			"a @ https://example.com/x/a-1.0.tar.gz\n", false,
			[]Package{{Name: "a", Sdist: &File{Name: "a-1.0.tar.gz", URL: "https://example.com/x/a-1.0.tar.gz"}, Source: &Source{From: FromArchive, URL: "https://example.com/x/a-1.0.tar.gz"}}},
		},
		"commit": {
			"a @ git+https://example.com/a.git@0123456789012345678901234567890123456789#subdirectory=x\n", true,
			[]Package{{Name: "a", Source: &Source{FromVCS, "git+https://example.com/a.git@0123456789012345678901234567890123456789#subdirectory=x", "0123456789012345678901234567890123456789", "x", false}}},
		},
		"branch": {
			"-e git+ssh://git@example.com/a.git@main#egg=A_b[x]\n", false,
			[]Package{{Name: "a-b", Source: &Source{FromVCS, "git+ssh://git@example.com/a.git@main#egg=A_b[x]", "", "", true}}},
		},
		"directories": {
			"./lib\n-e ..[dev]\n--editable=sub/dir\nfile:///srv/app\n", true,
			[]Package{
				{Source: &Source{FromDirectory, "./lib", "", "", false}},
				{Source: &Source{FromDirectory, "..", "", "", true}},
				{Source: &Source{FromDirectory, "sub/dir", "", "", true}},
				{Source: &Source{FromDirectory, "file:///srv/app", "", "", false}},
			},
		},
		"local files": {
			"vendor/a-1-py3-none-any.whl\na-2.zip\n", false,
			[]Package{{Name: "a", Version: "1", Wheels: []File{{Name: "a-1-py3-none-any.whl", URL: "vendor/a-1-py3-none-any.whl"}}}, {Sdist: &File{Name: "a-2.zip", URL: "a-2.zip"}, Source: &Source{From: FromArchive, URL: "a-2.zip"}}},
		},
		"variables":                {"a @ https://${USER}:${TOKEN}@example.com/a-1-py3-none-any.whl\n${NAME}==1\nhttps://example.com/${FILE}\n", false, []Package{{Name: "a", Version: "1", Wheels: []File{{Name: "a-1-py3-none-any.whl", URL: "https://${USER}:${TOKEN}@example.com/a-1-py3-none-any.whl"}}}, {}, {}}},
		"an ending that is a name": {"foo.zip==1\n", false, []Package{{Name: "foo-zip", Version: "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := readText(t, "requirements.txt", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, l.Packages, brief); diff != "" || l.Hashed != c.hashed || l.Kind != Requirements || len(l.Options) != 0 {
				t.Errorf("hashed %v, options %q\n%s", l.Hashed, l.Options, diff)
			}
		})
	}
}

func TestAHashThatPipIgnores(t *testing.T) {
	l, err := readText(t, "requirements.txt", "a==1 \\\n # a comment ends the line\n--hash="+hashA+"\n")
	if err != nil || l.Hashed || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "requirements.txt:3: --hash without a requirement") {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestIncludes(t *testing.T) {
	dir := write(t, map[string]string{
		"requirements.txt":   "--index-url https://u:p@index.example/simple\n-r reqs/base.txt\nc\n-c constraints.txt\n",
		"reqs/base.txt":      "a==1\n--requirement=more.txt\n",
		"reqs/more.txt":      "--pre\nb\n",
		"constraints.txt":    "b==2 --hash=" + hashA + "\n-creqs/deep.txt\n",
		"reqs/deep.txt":      "c==3 --hash=" + hashB + "\n",
		"same.txt":           "a==1\n",
		"same-from-here.txt": "-r same.txt\n-r same.txt\n",
	})
	l, err := Read(filepath.Join(dir, "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, file := range l.Files {
		rel, _ := filepath.Rel(dir, file)
		files = append(files, filepath.ToSlash(rel))
	}
	if diff := cmp.Diff([]string{"requirements.txt", "reqs/base.txt", "reqs/more.txt", "constraints.txt", "reqs/deep.txt"}, files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"--index-url https://u:p@index.example/simple", "--pre"}, l.Options); diff != "" {
		t.Error(diff)
	}
	env, tags := linux(t, "linux-x86_64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
	pins, err := l.Select(env, tags, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Pin{{Name: "a", Version: "1", From: FromIndex}, {Name: "b", Version: "2", From: FromIndex}, {Name: "c", Version: "3", From: FromIndex}}, pins, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Error(diff)
	}
	if l.Hashed {
		t.Error("hashed, and a has no hash")
	}

	before := l.SHA256
	if err := os.WriteFile(filepath.Join(dir, "reqs/deep.txt"), []byte("c==4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err = Read(filepath.Join(dir, "requirements.txt")); err != nil || l.SHA256 == before {
		t.Errorf("the digest does not cover what is included; %v", err)
	}
	if l, err = Read(filepath.Join(dir, "same-from-here.txt")); err != nil || len(l.Packages) != 2 {
		t.Errorf("twice the same file is no cycle: %v", err)
	}
	alone, err := Read(filepath.Join(dir, "same.txt"))
	if err != nil || alone.SHA256 != digest([]byte("a==1\n")) {
		t.Errorf("a file alone has its own digest: %v", err)
	}
}

func TestRequirementsThatAreRefused(t *testing.T) {
	deep := map[string]string{"requirements.txt": "-r a.txt", "a.txt": "\n-r sub/../b.txt", "b.txt": "-c a.txt"}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"syntax":           {map[string]string{"requirements.txt": "a==1\n\nidna=3\n"}, []string{`requirements.txt:3: "idna=3": expected the end, or a marker after ';', at column 5`}},
		"after joining":    {map[string]string{"requirements.txt": "a==1 \\\n  --hash=" + hashA + "\nb c\n"}, []string{"requirements.txt:3: "}},
		"included":         {map[string]string{"requirements.txt": "-r x/a.txt\n", "x/a.txt": "\nb c\n"}, []string{"x/a.txt:2: "}},
		"missing":          {map[string]string{"requirements.txt": "a\n-r gone.txt\n"}, []string{"requirements.txt:2: gone.txt cannot be included: ", "no such file"}},
		"cycle":            {deep, []string{"b.txt:1: a.txt cannot be included: it includes itself, by way of ", "a.txt → ", "b.txt → "}},
		"itself":           {map[string]string{"requirements.txt": "-r ./requirements.txt"}, []string{"requirements.txt:1: ./requirements.txt cannot be included: it includes itself"}},
		"from a URL":       {map[string]string{"requirements.txt": "-r https://u:p@example.com/r.txt"}, []string{"requirements.txt:1: a file at a URL cannot be included: save it beside this file"}},
		"by a variable":    {map[string]string{"requirements.txt": "-c ${DIR}/r.txt"}, []string{"requirements.txt:1: ${DIR}/r.txt cannot be included: pip alone fills in environment variables"}},
		"no value":         {map[string]string{"requirements.txt": "-r"}, []string{"requirements.txt:1: -r needs a value"}},
		"quote":            {map[string]string{"requirements.txt": "a --hash='x"}, []string{"requirements.txt:1: a quote or backslash that nothing follows"}},
		"no hash":          {map[string]string{"requirements.txt": "a==1 --hash=md5:00"}, []string{"requirements.txt:1: --hash=md5:00 is no hash"}},
		"short hash":       {map[string]string{"requirements.txt": "a==1 --hash=sha256:00"}, []string{"--hash=sha256:00 is no hash"}},
		"some hashed":      {map[string]string{"requirements.txt": "a==1 --hash=" + hashA + "\nb==2\n./c\n"}, []string{"requirements.txt:2: b has no --hash", "requirements.txt:3: a requirement without a name is no file that a hash could pin"}},
		"hashes required":  {map[string]string{"requirements.txt": "--require-hashes\na==1\n"}, []string{"requirements.txt:2: a has no --hash"}},
		"hash, no version": {map[string]string{"requirements.txt": "a>=1 --hash=" + hashA}, []string{"requirements.txt:1: a has a --hash and no version: pip wants a==VERSION"}},
		"credentials":      {map[string]string{"requirements.txt": "a @ https://user:secret@example.com/a.whl nonsense\n"}, []string{"https://***@example.com"}},
		"latin-1":          {map[string]string{"requirements.txt": "a # caf\xe9\n"}, []string{"requirements.txt: not UTF-8"}},
		"a wheel's name":   {map[string]string{"requirements.txt": "https://example.com/a.whl\n"}, []string{`requirements.txt:1: "a.whl": not a wheel's file name`}},
		"another's wheel":  {map[string]string{"requirements.txt": "b @ https://example.com/a-1-py3-none-any.whl\n"}, []string{"requirements.txt:1: a-1-py3-none-any.whl is a wheel of a"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(filepath.Join(write(t, c.files), "requirements.txt"))
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got  %v\nwant … %s", err, want)
				}
			}
		})
	}
}

func TestSelectFromRequirements(t *testing.T) {
	env, tags := linux(t, "linux-x86_64-glibc2.36-cp311", map[string]string{"cp311": "3.11.2"})
	for name, c := range map[string]struct {
		text, want string // "name version from", by lines
		err        string
	}{
		"markers":     {text: "a==1 ; python_version < '3.11'\na==2 ; python_version >= '3.11'\nb==1 ; sys_platform == 'win32'\n", want: "a 2 index"},
		"twice":       {text: "a==1\na[x]==1\na\n", want: "a 1 index"},
		"conflict":    {text: "a==1\n\na==2\n", err: "requirements.txt:3: a 2, and 1 on "},
		"origins":     {text: "git+https://example.com/x.git#egg=x\n./y\nhttps://example.com/z-1-py3-none-any.whl\n", want: "x  vcs\n  directory\nz 1 wheel"},
		"wrong wheel": {text: "https://example.com/z-1-cp312-cp312-win_amd64.whl\n", err: "z 1: no wheel for CPython 3.11.2, linux x86_64, cp311-cp311-manylinux_2_36_x86_64; the lock offers\n  z-1-cp312-cp312-win_amd64.whl"},
		"unknown":     {text: "a ; platform_release >= '1'\n", err: "requirements.txt:1: marker \"platform_release >= \\\"1\\\"\": platform_release is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := readText(t, "requirements.txt", c.text)
			if err != nil {
				t.Fatal(err)
			}
			delete(env, "platform_release")
			pins, err := l.Select(env, tags, nil, nil)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got  %v\nwant … %s", err, c.err)
				}
				return
			}
			var got []string
			for _, p := range pins {
				got = append(got, strings.Join([]string{p.Name, p.Version, string(p.From)}, " "))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	l, err := readText(t, "requirements.txt", "a==1\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Select(env, tags, []string{"dev"}, nil)
	if err == nil || !strings.Contains(err.Error(), `the lock knows no extra "dev"; it has none`) {
		t.Error(err)
	}
}

func FuzzRequirements(f *testing.F) {
	for _, seed := range []string{
		"a==1 \\\n --hash=" + hashA + "\n-c x\n-r y.txt", "-e git+https://u:p@example.com/x@main#egg=y ; os_name == 'z'", "./a[b] ; os_name=='x'",
		"https://example.com/a-1-py3-none-any.whl#sha256=00", "a --hash='x\" \\", "${X}", "--requ\n-e\n-\n",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		l := &Lock{Kind: Requirements, Path: filepath.Join(dir, "requirements.txt")}
		if err := l.readRequirements(content); err == nil {
			l.Select(map[string]string{"os_name": "posix"}, wheel.TagSet{}, nil, nil)
		}
	})
}
