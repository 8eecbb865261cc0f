package pex

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
)

// toolIndex is a package index that holds what is pinned, and nothing else.
func toolIndex(t *testing.T, o testenv.IndexOptions) *testenv.IndexServer {
	t.Helper()
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home, err := tool.home(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return testenv.Index(t, filepath.Join(home, "wheels"), o)
}

func TestProvideStartsNothing(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	if wheels, err := tool.Wheels(t.Context(), WheelsRequest{Target: linux("3.11.2", "x86_64")}); err != nil || wheels != nil {
		t.Errorf("nothing was asked for: %v, %v", wheels, err)
	}
	if n := tool.Stats().Processes; n != 0 {
		t.Errorf("%d processes were started", n)
	}
}

// A private index, its password in PIP_INDEX_URL or in netrc, serves pex, its pip and the wheels alike. The
// password is in no line.
func TestThePinnedToolComesFromAPrivateIndex(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-index"
	index := toolIndex(t, testenv.IndexOptions{User: "me", Password: secret})
	home := t.TempDir()
	writeText(t, filepath.Join(home, ".netrc"), "machine 127.0.0.1\nlogin me\npassword "+secret+"\n")
	if err := os.Chmod(filepath.Join(home, ".netrc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, setup := range map[string]func(*Options){
		"in the URL": from(index.AuthURL()),
		"in netrc":   from(index.URL, "HOME="+home),
		"in pip.conf": func(o *Options) {
			from(index.URL, "PIP_CONFIG_FILE="+writeText(t, filepath.Join(t.TempDir(), "pip.conf"), "[global]\nindex-url = "+index.AuthURL()+"\n"))(o)
			o.Env = environment(o.Env).without("PIP_INDEX_URL")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			tool := provide(t, func(o *Options) {
				setup(o)
				if name != "in pip.conf" { // the tool itself, too
					o.Store = openStore(t, t.TempDir())
				}
				o.Line = func(l string) { said = append(said, l) }
				o.Env = environment(o.Env).with("PIP_VERBOSE=3")
			})
			wheels, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"packaging==26.3"}, Target: linux("3.13.5", "aarch64")})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"packaging-26.3-py3-none-any.whl"}, fileNames(wheels)); diff != "" {
				t.Error(diff)
			}
			if text := strings.Join(said, "\n"); strings.Contains(text, secret) {
				t.Errorf("the password was printed:\n%s", text)
			}
		})
	}
}

func TestAPasswordThatIsRefused(t *testing.T) {
	t.Parallel()
	index := toolIndex(t, testenv.IndexOptions{User: "me", Password: "right-password"})
	tool := provide(t, func(o *Options) {
		from(strings.Replace(index.AuthURL(), "right", "wrong", 1))(o)
		o.Store = openStore(t, t.TempDir())
	})
	_, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"packaging"}, Target: linux("3.11.2", "x86_64")})
	var refused *IndexError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "PIP_INDEX_URL") || !strings.Contains(text, "401") || strings.Contains(text, "wrong-password") {
		t.Errorf("the error is\n%s", text)
	}
}

func TestAnIndexThatServesAnotherPex(t *testing.T) {
	t.Parallel()
	index := toolIndex(t, testenv.IndexOptions{})
	index.Fail(pinned[0].file, testenv.Fault{Corrupt: true})
	dir := t.TempDir()
	tool := provide(t, func(o *Options) {
		from(index.URL)(o)
		o.Store = openStore(t, dir)
	})
	_, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"packaging"}, Target: linux("3.11.2", "x86_64")})
	var other *HashError
	if !errors.As(err, &other) || other.File != pinned[0].file || other.Want != pinned[0].sha256 {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "dirs", "pex", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestThePinIsCheckedHereToo(t *testing.T) {
	t.Parallel()
	file := writeText(t, filepath.Join(t.TempDir(), pinned[1].file), "not that wheel")
	var other *HashError
	if err := pinned[1].check(file); !errors.As(err, &other) || other.By != "pexko" {
		t.Errorf("got %v", err)
	}
	if err := pinned[1].check(file + "x"); err == nil || !strings.Contains(err.Error(), pinned[1].file) {
		t.Errorf("got %v", err)
	}
}

func TestUnreachableIndexNamesTheSetting(t *testing.T) {
	t.Parallel()
	tool := provide(t, from("http://127.0.0.1:9/simple/", "PIP_RETRIES=0"))
	_, err := tool.Wheels(t.Context(), WheelsRequest{Requirements: []string{"six"}, Target: linux("3.11.2", "x86_64")})
	var unreachable *IndexError
	if !errors.As(err, &unreachable) {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "http://127.0.0.1:9/simple/ (PIP_INDEX_URL)") || !strings.Contains(text, "refused") {
		t.Errorf("the error is\n%s", text)
	}
}

func TestWhichPython(t *testing.T) {
	t.Parallel()
	// PATH of one directory: python3 is too old, python3.12 and 3.13 will do.
	dir := t.TempDir()
	for name, version := range map[string]string{"python3": "3.9", "python3.12": "3.12", "python3.13": "3.13"} {
		if err := os.Symlink(testenvPython(t, version), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	for _, c := range []struct {
		minor, explicit string
		want            string
		processes       int
	}{
		{"3.11", "", "3.13", 1},
		{"3.12", "", "3.12", 1},
		{"3.9", "", "3.13", 1},
		{"", "python3.12", "3.12", 1},
		{"", filepath.Join(dir, "python3.12"), "3.12", 1},
	} {
		tool := provide(t, func(o *Options) {
			o.Env = []string{"PATH=" + dir, "HOME=" + home}
			o.TargetMinor, o.Python = c.minor, c.explicit
			if c.explicit == "" {
				o.Python = "-" // provide would choose one
			}
		})
		if c.explicit == "" {
			tool.o.Python = ""
		}
		p, err := tool.Python(t.Context())
		if err != nil || p.Minor() != c.want {
			t.Errorf("%+v: %v, %v", c, p, err)
		}
		if again, err := tool.Python(t.Context()); err != nil || again.Path != p.Path || tool.Stats().Processes != c.processes {
			t.Errorf("%+v: asked again: %v, %v, %+v", c, again, err, tool.Stats())
		}
	}
}

// testenvPython is testenv.Python for versions that cannot be hosts.
func testenvPython(t *testing.T, version string) string {
	t.Helper()
	if version != "3.9" {
		return hostPython(t, version)
	}
	found, _ := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/3.[6-9].*/bin/python"))
	if len(found) == 0 {
		return hostPython(t, "3.9")
	}
	return found[len(found)-1]
}

func TestNoPythonWillDo(t *testing.T) {
	t.Parallel()
	bare := filepath.Join(t.TempDir(), "venv") // as Debian's python3 without python3-pip
	if out, err := exec.CommandContext(t.Context(), hostPython(t, "3.11"), "-m", "venv", "--without-pip", bare).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct {
		python string
		want   []string
	}{
		"no pip":       {filepath.Join(bare, "bin", "python"), []string{"without a working pip", "No module named 'pip'"}},
		"too old":      {testenvPython(t, "3.9"), []string{"is Python 3.", ">=3.10"}},
		"not a Python": {"/bin/echo", []string{"does not answer as a Python does"}},
		"not there":    {"/nowhere/python", []string{"does not run"}},
		"not on PATH":  {"python3.99", []string{"python3.99 is not on PATH"}},
	} {
		t.Run(name, func(t *testing.T) {
			tool := provide(t, func(o *Options) { o.Python = c.python })
			_, err := tool.Python(t.Context())
			var none *PythonError
			if !errors.As(err, &none) || !strings.Contains(none.Hint(), "python3-pip") {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

func TestSettingsOfPip(t *testing.T) {
	t.Parallel()
	files := []setting{
		{"global", "/etc/pip.conf", "global", "timeout", "10"},
		{"user", "/home/me/pip.conf", "global", "default-timeout", "20"},
		{"user", "/home/me/pip.conf", "download", "retries", "1"},
		{"user", "/home/me/pip.conf", "global", "retries", "2"},
		{"site", "/venv/pip.conf", "global", "index-url", "https://me:secret-word@site.example/"},
	}
	c := pipConfig{environment{"PIP_RETRIES=7", "PIP_EXTRA_INDEX_URL=https://a.example https://t:0@b.example", "https_proxy=http://u:p@proxy.example"}, files}
	if diff := cmp.Diff([]string{"--retries=7", "--timeout=20"}, c.networkArgs()); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"index https://****@site.example/ (/venv/pip.conf [global])",
		"extra-index-url https://a.example https://****@b.example (PIP_EXTRA_INDEX_URL)",
		"proxy http://****@proxy.example (https_proxy)",
	}
	if diff := cmp.Diff(want, c.indexes(redactor{})); diff != "" {
		t.Error(diff)
	}
	if o, _ := (pipConfig{nil, files}).lookup("retries"); o.Value != "1" {
		t.Errorf("retries is %q; the command's own section counts before [global]", o.Value)
	}
	if file, ok := c.siteFile(); !ok || file != "/venv/pip.conf" {
		t.Errorf("the environment's own file is %q", file)
	}
}
