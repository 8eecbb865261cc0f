package testenv

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// updateVar, set to anything, makes Golden write what it is given.
const updateVar = "PEXKO_UPDATE_GOLDEN"

// Golden fails the test unless got equals the file testdata/NAME of the package under test, and shows
// the difference. With PEXKO_UPDATE_GOLDEN=1 in the environment it writes the file instead; the diff of
// the commit is then what a reviewer reads, and a changed digest wants its line in CHANGELOG.md.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if os.Getenv(updateVar) != "" {
		update(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; %s=1 writes it", err, updateVar)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it should, %s=1 writes it:\n%s", file, updateVar, diff)
	}
}

func update(t testing.TB, file, got string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
}
