package pep

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// packagingVersion is the library whose answers testdata/packaging.json holds; pex 2.105.2 vendors it.
const packagingVersion = "26.3"

// TestAnswersOfPackagingLive asks the library itself about random inputs beside those of testdata.
func TestAnswersOfPackagingLive(t *testing.T) {
	dir := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"packaging==" + packagingVersion}})
	wheels, err := filepath.Glob(filepath.Join(dir, "packaging-*.whl"))
	if err != nil || len(wheels) != 1 {
		t.Fatalf("%v, %v", wheels, err)
	}
	ask := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), testenv.Python(t, "3.11"), append([]string{"-S", "testdata/generate.py"}, args...)...)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+wheels[0])
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	kept, err := os.ReadFile("testdata/packaging.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(ask()) != string(kept) {
		t.Error("testdata/packaging.json is not what testdata/generate.py writes; run it again")
	}
	checkAnswers(t, ask("40", "751"))
}
