package bytecode

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// link puts a Python where a tool would.
func link(t *testing.T, i Interpreter, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nexec " + i.Argv[0] + ` "$@"` + "\n"
	if err := os.WriteFile(name, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestHostInterpreterLooksWhereToolsPutPythons(t *testing.T) {
	i := anyPython(t)
	minor, home := "python"+minorOf(i.Version), t.TempDir()
	for name, place := range map[string]struct {
		path []string // below home
		env  []string
	}{
		"path":       {[]string{"bin", minor}, []string{"PATH=/nonexistent:" + home + "/bin"}},
		"python3":    {[]string{"bin", "python3"}, []string{"PATH=/ignored", "PATH=" + home + "/bin"}},
		"python":     {[]string{"b[i]n*", "python"}, []string{"PATH=relative:" + home + "/b[i]n*"}},
		"pyenv":      {[]string{".pyenv/versions", i.Version, "bin", minor}, []string{"HOME=" + home}},
		"pyenv root": {[]string{"pyenv/versions", i.Version, "bin", minor}, []string{"PYENV_ROOT=" + home + "/pyenv"}},
		"uv":         {[]string{".local/share/uv/python/cpython-" + i.Version + "-linux-x86_64-gnu/bin", minor}, []string{"HOME=" + home}},
		"uv xdg":     {[]string{"xdg/uv/python/cpython-" + i.Version + "-macos-aarch64-none/bin", minor}, []string{"XDG_DATA_HOME=" + home + "/xdg"}},
		"uv own":     {[]string{"uvp/cpython-" + i.Version + "-linux-x86_64-gnu/bin", minor}, []string{"UV_PYTHON_INSTALL_DIR=" + home + "/uvp"}},
		"tool cache": {[]string{"tc/Python", i.Version, "x64/bin", minor}, []string{"RUNNER_TOOL_CACHE=" + home + "/tc"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := link(t, i, append([]string{home}, place.path...)...)
			defer os.Remove(program)
			h := host{place.env}
			if got := h.candidates(minorOf(i.Version), i.Version); !slices.Contains(got, program) {
				t.Errorf("candidates %q, want %s among them", got, program)
			}
			if _, err := HostInterpreter(t.Context(), i.Version, place.env); err != nil {
				t.Error(err)
			}
			if got, err := AnyHostInterpreter(t.Context(), minorOf(i.Version), place.env); err != nil || minorOf(got.Version) != minorOf(i.Version) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestHostInterpreterIsUsable(t *testing.T) {
	want := anyPython(t)
	i, err := HostInterpreter(t.Context(), want.Version, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if r := compile(t, New(i, Options{Store: store(t, t.TempDir())}), text("/app/a.py", "x = 1\n"))[0]; r.Skipped != "" {
		t.Error(r.Skipped)
	}
}

func TestNoHostInterpreter(t *testing.T) {
	i := anyPython(t)
	bin := t.TempDir()
	link(t, i, bin, "python3")
	broken := filepath.Join(bin, "python")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	wanted := minorOf(i.Version) + ".99"
	_, err := HostInterpreter(t.Context(), wanted, []string{"PATH=" + bin})
	var missing *NoInterpreterError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{wanted, "only " + i.Version} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	for _, part := range []string{wanted, "--bytecode=host", "--bytecode=none", "uv python install " + wanted, "any " + minorOf(wanted)} {
		if !strings.Contains(missing.Hint(), part) {
			t.Errorf("hint %q does not say %q", missing.Hint(), part)
		}
	}
	_, err = AnyHostInterpreter(t.Context(), "3.99", nil)
	if !errors.As(err, &missing) || !strings.Contains(missing.Hint(), "--bytecode=none") || strings.Contains(missing.Hint(), "=host") {
		t.Errorf("got %v", err)
	}
}

func TestVersionsThatAreNone(t *testing.T) {
	for _, bad := range []string{"", "3", "3.11", "3.11.2.1", "../3.11.2", "3.11.*", "3.11.2 "} {
		if _, err := HostInterpreter(t.Context(), bad, nil); err == nil || errors.As(err, new(*NoInterpreterError)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "3", "3.11.2", "3.*"} {
		if _, err := AnyHostInterpreter(t.Context(), bad, nil); err == nil || errors.As(err, new(*NoInterpreterError)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"3.14.0rc2", "3.13.0t", "3.15.0a1"} {
		if !releaseName.MatchString(good) {
			t.Errorf("%q refused", good)
		}
	}
}
