package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// outcome is a test that records how it ended, so that tests can see one fail.
type outcome struct {
	testing.TB
	name string
	text string
}

func (o *outcome) Helper()      {}
func (o *outcome) Name() string { return o.name }

func (o *outcome) Fatalf(format string, args ...any) {
	o.text = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (o *outcome) Errorf(format string, args ...any) {
	o.text = "failed: " + fmt.Sprintf(format, args...)
}

func (o *outcome) Skipf(format string, args ...any) {
	o.text = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// end runs f as a test would be run and tells how it ended.
func end(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	o := &outcome{TB: t, name: t.Name()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(o)
	}()
	<-done
	return o.text
}

const howUp = `run: eval "$(hack/testbed env)" after hack/testbed up`

func TestWithoutTestbedTestsFail(t *testing.T) {
	if testing.Short() {
		t.Skip("-short skips where this test sees failures")
	}
	for _, name := range []string{"PEXKO_TESTBED", "PEXKO_TESTBED_REGISTRY", "PEXKO_TESTBED_AUTH_REGISTRY", "PEXKO_TESTBED_AUTH", "PEXKO_TESTBED_BASES", "PEXKO_TESTBED_ARM64", "CONTAINERS_STORAGE_CONF"} {
		t.Setenv(name, "")
	}
	for name, f := range map[string]func(testing.TB){
		"Registry":     func(t testing.TB) { testenv.Registry(t) },
		"AuthRegistry": func(t testing.TB) { testenv.AuthRegistry(t) },
		"Base":         func(t testing.TB) { testenv.Base(t, "local") },
		"Arm64":        func(t testing.TB) { testenv.Arm64(t) },
		"Podman":       func(t testing.TB) { testenv.Podman(t) },
		"Wheelhouse":   func(t testing.TB) { testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11"}) },
	} {
		if got := end(t, f); !strings.HasPrefix(got, "failed: ") || !strings.HasSuffix(got, howUp) {
			t.Errorf("%s: %q", name, got)
		}
	}
	t.Setenv("PEXKO_TESTBED_REGISTRY", "127.0.0.1:1")
	if got := end(t, func(t testing.TB) { testenv.Registry(t) }); !strings.HasPrefix(got, "failed: ") || !strings.HasSuffix(got, howUp) {
		t.Errorf("registry down: %q", got)
	}
}

func TestWhatTheMachineLacksIsSkippedWithItsReason(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"arm64.why": "no binfmt\n", "local.why": "no CPython 3.12\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PEXKO_TESTBED", dir)
	t.Setenv("PEXKO_TESTBED_ARM64", "static")
	t.Setenv("PEXKO_TESTBED_BASES", "bookworm nopython")
	if testing.Short() {
		t.Skip("-short skips with another reason")
	}
	for want, f := range map[string]func(testing.TB){
		"skipped: arm64 containers do not run here: no binfmt":          func(t testing.TB) { testenv.NeedArm64(t) },
		"skipped: base local is not on this machine: no CPython 3.12":   func(t testing.TB) { testenv.Base(t, "local") },
		`failed: there is no base "sid" in ` + dir + "/bases; " + howUp: func(t testing.TB) { testenv.Base(t, "sid") },
	} {
		if got := end(t, f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	t.Chdir(t.TempDir())
	golden := func(got string) string {
		return end(t, func(t testing.TB) { testenv.Golden(t, "a/b.txt", got) })
	}
	if got := golden("one\n"); !strings.Contains(got, "PEXKO_UPDATE_GOLDEN=1 writes it") {
		t.Errorf("no file: %q", got)
	}
	t.Setenv("PEXKO_UPDATE_GOLDEN", "1")
	if got := golden("one\n"); got != "" {
		t.Errorf("update: %q", got)
	}
	t.Setenv("PEXKO_UPDATE_GOLDEN", "")
	if got := golden("one\n"); got != "" {
		t.Errorf("equal: %q", got)
	}
	if got := golden("two\n"); !strings.Contains(got, "one") || !strings.Contains(got, "two") {
		t.Errorf("different: %q", got)
	}
}
