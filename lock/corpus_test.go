package lock

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/wheel"
)

// expectation is an expected.json beside a real lock: what uv installed from it on a target. Its README lies in the
// corpus; testdata/locks has a part of it, the rest is read where it lies beside the checkout.
type expectation struct {
	Lock    string
	Pythons map[string]string
	Options []struct {
		Name    string
		Targets map[string]struct {
			Packages []struct{ Name, Version, Wheel, Source string }
			None     string
			Package  string
		}
	}
}

func TestRealLocks(t *testing.T) {
	var dirs []string
	for _, root := range []string{"testdata/locks", "../../shared/data/locks"} {
		for _, kind := range []string{"pylock_*", "pex_*"} {
			found, err := filepath.Glob(filepath.Join(root, kind))
			if err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, found...)
		}
	}
	if len(dirs) < 4 {
		t.Fatalf("only %v", dirs)
	}
	for _, dir := range dirs {
		t.Run(dir, func(t *testing.T) { checkReal(t, dir) })
	}
}

func checkReal(t *testing.T, dir string) {
	var want expectation
	if err := json.Unmarshal(gunzip(t, filepath.Join(dir, "expected.json.gz")), &want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), want.Lock)
	if err := os.WriteFile(path, gunzip(t, filepath.Join(dir, want.Lock+".gz")), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Hashed || len(l.Packages) == 0 || len(l.SHA256) != 64 {
		t.Errorf("hashed %v, %d packages, %q", l.Hashed, len(l.Packages), l.SHA256)
	}
	for _, option := range want.Options {
		for key, expected := range option.Targets {
			env, tags := linux(t, key, want.Pythons)
			pins, err := l.Select(env, tags, nil, nil)
			if expected.None != "" {
				checkNone(t, key, expected.None, expected.Package, err)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			var names []string
			for _, p := range expected.Packages {
				names = append(names, fmt.Sprint(p.Name, " ", p.Version, " ", p.Wheel))
			}
			var got []string
			for _, pin := range pins {
				file := pin.Wheel.Name
				if pin.From != FromWheel {
					file = map[From]string{FromSdist: "sdist", FromArchive: "sdist", FromVCS: "git", FromDirectory: "path"}[pin.From]
				} else if pin.Wheel.SHA256() == "" {
					t.Errorf("%s has no digest", file)
				}
				got = append(got, fmt.Sprint(pin.Name, " ", pin.Version, " ", file))
			}
			slices.Sort(names)
			slices.Sort(got)
			if diff := cmp.Diff(names, got); diff != "" {
				t.Errorf("%s (-uv +ours):\n%s", key, diff)
			}
		}
	}
}

func checkNone(t *testing.T, key, none, distribution string, err error) {
	t.Helper()
	var missing *MissingWheel
	switch {
	case err == nil:
		t.Errorf("%s: no error, and uv said %s", key, none)
	case none == "requires-python" && !strings.Contains(err.Error(), "requires Python"):
		t.Errorf("%s: %v", key, err)
	case none == "no-candidate" && (!errors.As(err, &missing) || !strings.Contains(err.Error(), distribution+" ") || len(missing.Available) == 0 || missing.Hint() == ""):
		t.Errorf("%s: %v", key, err)
	}
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// linux makes the variables and tags of a target such as "linux-x86_64-glibc2.36-cp311".
func linux(t testing.TB, key string, pythons map[string]string) (map[string]string, wheel.TagSet) {
	t.Helper()
	parts := strings.Split(key, "-")
	machine, cp := parts[1], parts[3]
	var glibc, minor int
	if _, err := fmt.Sscanf(parts[2]+" "+cp, "glibc2.%d cp3%d", &glibc, &minor); err != nil {
		t.Fatal(key, err)
	}
	env := map[string]string{
		"implementation_name": "cpython", "implementation_version": pythons[cp], "os_name": "posix", "platform_machine": machine,
		"platform_python_implementation": "CPython", "platform_system": "Linux", "python_full_version": pythons[cp],
		"python_version": fmt.Sprintf("3.%d", minor), "sys_platform": "linux", "platform_release": "", "platform_version": "",
	}
	var tags []wheel.Tag
	for _, text := range linuxTags(machine, glibc, minor) {
		parsed, err := wheel.ParseTags(text)
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, parsed...)
	}
	return env, wheel.NewTagSet(tags)
}

// linuxTags are packaging's tags of a CPython 3.minor on glibc 2.glibc, best first.
func linuxTags(machine string, glibc, minor int) []string {
	oldest, legacy := 17, map[int]string{17: "manylinux2014_"}
	if machine == "x86_64" {
		oldest, legacy = 5, map[int]string{17: "manylinux2014_", 12: "manylinux2010_", 5: "manylinux1_"}
	}
	var platforms, tags []string
	for n := glibc; n >= oldest; n-- {
		platforms = append(platforms, fmt.Sprintf("manylinux_2_%d_%s", n, machine))
		if name := legacy[n]; name != "" {
			platforms = append(platforms, name+machine)
		}
	}
	platforms = append(platforms, "linux_"+machine)
	each := func(prefix string) {
		for _, platform := range platforms {
			tags = append(tags, prefix+platform)
		}
	}
	cp := fmt.Sprintf("cp3%d-", minor)
	for _, abi := range []string{cp, "abi3-", "none-"} {
		each(cp + abi)
	}
	for n := minor - 1; n >= 2; n-- {
		each(fmt.Sprintf("cp3%d-abi3-", n))
	}
	pythons := []string{fmt.Sprintf("py3%d-none-", minor), "py3-none-"}
	for n := minor - 1; n >= 0; n-- {
		pythons = append(pythons, fmt.Sprintf("py3%d-none-", n))
	}
	for _, python := range pythons {
		each(python)
	}
	tags = append(tags, cp+"none-any")
	for _, python := range pythons {
		tags = append(tags, python+"any")
	}
	return tags
}
