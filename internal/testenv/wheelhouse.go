package testenv

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Wheels says what pip downloads.
type Wheels struct {
	Python       string   // the target's minor version, "3.11"
	Platform     string   // "linux/amd64", the zero value, or "linux/arm64": glibc 2.36 and older, as Debian 12 has it
	Requirements []string // "idna==3.10"; each pinned, so that the same wheels come every time
	Locked       string   // instead: a requirements file with hashes
	Sources      bool     // source distributions instead of wheels; Platform does not matter then
}

// Wheelhouse returns a directory with exactly the files that the requirements name, downloaded by pip
// from the index that pip is configured for (PIP_INDEX_URL, pip.conf, netrc: as always with pip).
// Dependencies are not followed: name them. A set is downloaded once and kept in the testbed; the
// directory is shared, so copy what you want to change.
func Wheelhouse(t testing.TB, w Wheels) string {
	t.Helper()
	args := w.args(t)
	root := filepath.Join(need(t, dirVar), "wheels")
	dir := filepath.Join(root, w.key(t))
	unlock := lock(t, root, dir+".lock")
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	temp, err := os.MkdirTemp(root, "download-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	cmd := exec.CommandContext(t.Context(), hostPip(t, w), append([]string{"-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", temp}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pip download %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// args are the arguments of `pip download` that decide what comes.
func (w Wheels) args(t testing.TB) []string {
	t.Helper()
	args := []string{"--no-deps"}
	if w.Sources {
		args = append(args, "--no-binary=:all:")
	} else {
		args = append(args, "--only-binary=:all:", "--implementation=cp", "--python-version="+w.Python)
		for _, abi := range []string{"cp" + strings.ReplaceAll(w.Python, ".", ""), "abi3", "none"} {
			args = append(args, "--abi="+abi)
		}
		for _, platform := range platforms(t, w.Platform) {
			args = append(args, "--platform="+platform)
		}
	}
	if w.Locked != "" {
		return append(args, "--require-hashes", "-r", w.Locked)
	}
	for _, r := range w.Requirements {
		if !strings.Contains(r, "==") {
			t.Fatalf("testenv.Wheelhouse: %q is not pinned; write NAME==VERSION", r)
		}
	}
	return append(args, w.Requirements...)
}

// platforms are the platform tags that glibc 2.36 admits, best first. pip expands none of the newer names by itself.
func platforms(t testing.TB, platform string) []string {
	t.Helper()
	machine := map[string]string{"": "x86_64", "linux/amd64": "x86_64", "linux/arm64": "aarch64"}[platform]
	if machine == "" {
		t.Fatalf("testenv.Wheelhouse: unknown platform %q", platform)
	}
	var all []string
	for glibc := 36; glibc >= 5; glibc-- {
		all = append(all, fmt.Sprintf("manylinux_2_%d_%s", glibc, machine))
	}
	return append(all, "manylinux2014_"+machine, "manylinux2010_"+machine, "manylinux1_"+machine, "linux_"+machine)
}

// key names the set: equal keys, equal files.
func (w Wheels) key(t testing.TB) string {
	t.Helper()
	requirements := slices.Sorted(slices.Values(w.Requirements))
	if w.Locked != "" {
		text, err := os.ReadFile(w.Locked)
		if err != nil {
			t.Fatal(err)
		}
		requirements = []string{string(text)}
	}
	platform := w.Platform
	if platform == "" {
		platform = "linux/amd64"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "1 %s %s %t %q", w.Python, platform, w.Sources, requirements))
	return fmt.Sprintf("%x", sum[:12])
}

// hostPip is the interpreter whose pip downloads: the target's own version for source distributions, whose metadata pip builds.
func hostPip(t testing.TB, w Wheels) string {
	t.Helper()
	if w.Sources {
		return Python(t, w.Python)
	}
	for _, version := range []string{"3.13", "3.12", "3.11", "3.10"} {
		for _, path := range pythons(version) {
			if exact, pip := probe(t, path); pip && strings.HasPrefix(exact, version) {
				return path
			}
		}
	}
	return Python(t, w.Python)
}

// lock keeps processes from downloading the same set twice.
func lock(t testing.TB, dir, name string) (unlock func()) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return func() { f.Close() }
}
