package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Python returns the path of a host CPython with pip: version is a minor ("3.11", the newest patch
// level wins) or exact ("3.11.7"). It looks at ~/.pyenv/versions, the tool cache of CI runners,
// /usr/local/bin, /usr/bin and PATH. Where there is none the test fails with what was found.
func Python(t testing.TB, version string) string {
	t.Helper()
	var found []string
	for _, path := range pythons(version) {
		exact, pip := probe(t, path)
		if pip && (exact == version || strings.HasPrefix(exact, version+".")) {
			return path
		}
		found = append(found, path+" ("+describe(exact, pip)+")")
	}
	t.Fatalf("no CPython %s with pip on this machine; looked at %v; install one with pyenv, or put python%s on PATH", version, found, minor(version))
	return ""
}

func describe(exact string, pip bool) string {
	switch {
	case exact == "":
		return "does not run"
	case !pip:
		return exact + " without pip"
	}
	return exact
}

// pythons lists where an interpreter may be, in the order of preference.
func pythons(version string) []string {
	tools := os.Getenv("RUNNER_TOOL_CACHE")
	if tools == "" {
		tools = "/opt/hostedtoolcache"
	}
	home, _ := os.UserHomeDir()
	name := "python" + minor(version)
	var all []string
	for _, pattern := range []string{
		filepath.Join(home, ".pyenv/versions", minor(version)+".*", "bin", name),
		filepath.Join(tools, "Python", minor(version)+".*", "x64/bin", name),
	} {
		matches, _ := filepath.Glob(pattern) // the only error is a bad pattern
		slices.SortFunc(matches, func(a, b string) int { return patch(b) - patch(a) })
		all = append(all, matches...)
	}
	for _, dir := range append([]string{"/usr/local/bin", "/usr/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	return all
}

// minor is the first two numbers of a version.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// patch is the last number of the version in a path like …/3.11.7/bin/python3.11; 0 for a release like 3.13.0rc1.
func patch(path string) int {
	for path != "/" && path != "." {
		dir := filepath.Base(path)
		path = filepath.Dir(path)
		if parts := strings.Split(dir, "."); len(parts) == 3 {
			n, _ := strconv.Atoi(parts[2])
			return n
		}
	}
	return 0
}

// probe asks an interpreter for its version and whether it has pip; version is empty if it is no CPython that runs.
func probe(t testing.TB, path string) (version string, pip bool) {
	t.Helper()
	const ask = `import platform, importlib.util as u
print(platform.python_implementation(), platform.python_version(), u.find_spec("pip") is not None)`
	out, err := exec.CommandContext(t.Context(), path, "-c", ask).Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) != 3 || fields[0] != "CPython" {
		return "", false
	}
	return fields[1], fields[2] == "True"
}
