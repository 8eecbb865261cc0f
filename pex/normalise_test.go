package pex

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkNormal sees that a wheel is in the form that does not depend on who built it.
func checkNormal(t *testing.T, path string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, e := range archive.File {
		mode := e.ExternalAttrs >> 16
		if mode != 0o100644 && mode != 0o100755 && mode != 0o40755 || e.Method != zip.Store || !e.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: mode %o, method %d, time %s", e.Name, mode, e.Method, e.Modified)
		}
		if len(e.Extra) > 0 {
			t.Errorf("%s: an extra field", e.Name)
		}
		if !strings.Contains(e.Name, ".dist-info/") {
			names = append(names, e.Name)
		}
	}
	if last := archive.File[len(archive.File)-1].Name; !strings.HasSuffix(last, ".dist-info/RECORD") || !slices.IsSorted(names) {
		t.Errorf("the order is %q, and %s last", names, last)
	}
}

// Two builds that differ in times, modes, order and compression become the same file.
func TestNormaliseForgetsWhoBuiltIt(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"b.py": "b = 1\n", "a/__init__.py": "", "run.sh": "#!/bin/sh\n", "d/": "",
		"x-1.dist-info/WHEEL":    "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		"x-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: x\nVersion: 1\n",
	}
	write := func(order []string, when time.Time, mode os.FileMode, method uint16) string {
		path := filepath.Join(t.TempDir(), "x-1-py3-none-any.whl")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(file)
		record := ""
		for _, name := range order {
			h := &zip.FileHeader{Name: name, Modified: when, Method: method}
			h.SetMode(mode)
			if name == "run.sh" {
				h.SetMode(mode | 0o100)
			}
			if strings.HasSuffix(name, "/") {
				h.Method = zip.Store
				h.SetMode(mode | os.ModeDir | 0o111)
			} else {
				record += name + ",,\n"
			}
			w, err := archive.CreateHeader(h)
			if err == nil {
				_, err = w.Write([]byte(files[name]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w, err := archive.Create("x-1.dist-info/RECORD")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(record + "x-1.dist-info/RECORD,,\n")); err != nil {
			t.Fatal(err)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	order := []string{"x-1.dist-info/WHEEL", "b.py", "d/", "a/__init__.py", "run.sh", "x-1.dist-info/METADATA"}
	one := write(order, time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), 0o644, zip.Deflate)
	slices.Reverse(order)
	two := write(order, time.Date(2001, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), 0o600, zip.Store)
	var sums []string
	for _, path := range []string{one, two} {
		w, err := normalise(path, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		checkNormal(t, w.Path)
		sums = append(sums, w.SHA256)
		again, err := normalise(w.Path, t.TempDir())
		if err != nil || again.SHA256 != w.SHA256 {
			t.Errorf("normalised again it is %v, %v", again, err)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("%s and %s", sums[0], sums[1])
	}
}
