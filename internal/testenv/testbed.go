package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The variables that `hack/testbed env` prints.
const (
	dirVar          = "PEXKO_TESTBED"
	registryVar     = "PEXKO_TESTBED_REGISTRY"
	authRegistryVar = "PEXKO_TESTBED_AUTH_REGISTRY"
	authVar         = "PEXKO_TESTBED_AUTH"
	basesVar        = "PEXKO_TESTBED_BASES"
	arm64Var        = "PEXKO_TESTBED_ARM64"
)

const howUp = `run: eval "$(hack/testbed env)" after hack/testbed up`

// need returns a variable of the testbed. Without it the test fails, under -short it is skipped.
func need(t testing.TB, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("-short leaves out what needs the testbed (%s)", name)
	}
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set; %s", name, howUp)
	}
	return value
}

// why reads the testbed's reason for leaving something out.
func why(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(need(t, dirVar), name+".why"))
	if err != nil {
		return "see hack/testbed status"
	}
	return strings.TrimSpace(string(text))
}

// Arm64 tells whether arm64 containers run on this machine. Where they do not, a test of an arm64 image
// checks the image without running it (every ELF file's machine), rather than nothing.
func Arm64(t testing.TB) bool {
	t.Helper()
	return need(t, arm64Var) == "run"
}

// NeedArm64 skips, with the testbed's reason, a test that has nothing to check without running arm64.
func NeedArm64(t testing.TB) {
	t.Helper()
	if !Arm64(t) {
		t.Skipf("arm64 containers do not run here: %s", why(t, "arm64"))
	}
}
