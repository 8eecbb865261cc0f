package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestWheelhouseIsForItsTarget(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wheels testenv.Wheels
		want   string
	}{
		{testenv.Wheels{Python: "3.11", Requirements: []string{"MarkupSafe==3.0.2"}}, "MarkupSafe-3.0.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"},
		{testenv.Wheels{Python: "3.13", Platform: "linux/arm64", Requirements: []string{"MarkupSafe==3.0.2"}}, "MarkupSafe-3.0.2-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"},
		{testenv.Wheels{Python: "3.11", Sources: true, Requirements: []string{"idna==3.10"}}, "idna-3.10.tar.gz"},
	} {
		dir := testenv.Wheelhouse(t, test.wheels)
		if got := names(t, dir); !strings.EqualFold(got, test.want) {
			t.Errorf("%+v: %s", test.wheels, got)
		}
		if again := testenv.Wheelhouse(t, test.wheels); again != dir {
			t.Errorf("%s, then %s", dir, again)
		}
	}
}

func TestWheelhouseOfALock(t *testing.T) {
	t.Parallel()
	locked := filepath.Join(t.TempDir(), "requirements.txt")
	text := "idna==3.10 --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3\n"
	if err := os.WriteFile(locked, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := names(t, testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Locked: locked})); got != idna {
		t.Error(got)
	}
}

func TestPythonIsTheVersionAskedFor(t *testing.T) {
	t.Parallel()
	path := testenv.Python(t, "3.11")
	out, err := exec.Command(path, "-c", "import platform, pip; print(platform.python_version())").Output()
	if err != nil || !strings.HasPrefix(string(out), "3.11.") {
		t.Fatalf("%s: %v %s", path, err, out)
	}
	if exact := testenv.Python(t, strings.TrimSpace(string(out))); exact != path {
		t.Errorf("%s, and %s by its exact version", path, exact)
	}
}
