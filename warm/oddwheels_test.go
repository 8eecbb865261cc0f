package warm

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pexko/pexko/wheel"
)

// oddWheel is a wheel that is made for a test: names of files and their content.
type oddWheel struct {
	name     string // "odd_one-1.0"
	platform bool   // Root-Is-Purelib: false
	crlf     bool
	files    map[string]string
	modes    map[string]fs.FileMode
	unlisted map[string]string // files that RECORD does not list
}

func (w oddWheel) write(t *testing.T, dir string) {
	t.Helper()
	name, version, _ := strings.Cut(w.name, "-")
	info := w.name + ".dist-info/"
	all := map[string]string{
		info + "METADATA": fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version),
		info + "WHEEL":    fmt.Sprintf("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: %t\nTag: py3-none-any\n", !w.platform),
	}
	for file, content := range w.files {
		all[file] = content
	}
	r := wheel.Record{CRLF: w.crlf}
	for _, file := range sorted(all) {
		r.Rows = append(r.Rows, rowOf(file, []byte(all[file])))
	}
	r.Rows = append(r.Rows, wheel.Row{Path: info + "RECORD", Size: -1})
	all[info+"RECORD"] = string(recordBytes(r))
	for file, content := range w.unlisted {
		all[file] = content
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range sorted(all) {
		h := &zip.FileHeader{Name: file, Method: zip.Deflate}
		h.SetMode(0o644)
		if m, ok := w.modes[file]; ok {
			h.SetMode(m)
		}
		entry, err := z.CreateHeader(h)
		check(t, err)
		_, err = entry.Write([]byte(all[file]))
		check(t, err)
	}
	check(t, z.Close())
	check(t, os.WriteFile(filepath.Join(dir, w.name+"-py3-none-any.whl"), b.Bytes(), 0o644))
}

// oddWheels hold what real wheels hold seldom.
func oddWheels(t *testing.T) []*wheel.Wheel {
	t.Helper()
	dir := t.TempDir()
	for _, w := range []oddWheel{
		{
			name: "odd_one-1.0", crlf: true,
			files: map[string]string{
				"odd/__init__.py":                              "",
				"odd/one.py":                                   "one = 1\n",
				"odd_one/__init__.py":                          "def main(): print('odd-one')\n",
				"odd_one/deep/er/mod.py":                       "x = 1\n",
				"odd_one/with, comma/é.txt":                    "é",
				"odd_one/template/{{name}}.py":                 "{{ not python }}",
				"odd_single.py":                                "single = 1\n",
				"tests/test_one.py":                            "\n",
				"tests/__init__.py":                            "# one\n",
				"odd_one.pth":                                  "odd_elsewhere\n",
				"odd_one-1.0.data/platlib/odd/native.py":       "native = 1\n",
				"odd_one-1.0.data/platlib/odd_plat/mod.py":     "\n",
				"odd_one-1.0.data/data/share/odd/both.txt":     "one",
				"odd_one-1.0.data/data/share/odd/one/a.txt":    "a",
				"odd_one-1.0.data/data/share/one-alone/b.txt":  "b",
				"odd_one-1.0.data/data/etc/odd/one.conf":       "1",
				"odd_one-1.0.data/data/lib64/odd.pc":           "pc",
				"odd_one-1.0.data/data/bin/data-tool":          "#!/usr/bin/env python3\nprint('data tool')\n",
				"odd_one-1.0.data/headers/odd/one.h":           "#define ONE\n",
				"odd_one-1.0.data/scripts/py-tool":             "#!python\n# -*- coding: utf-8 -*-\nprint('py tool')\n",
				"odd_one-1.0.data/scripts/sh-tool":             "#!/bin/sh\necho sh tool \"$@\"\n",
				"odd_one-1.0.data/scripts/plain-data":          "no script at all\n",
				"odd_one-1.0.dist-info/entry_points.txt":       "[console_scripts]\nodd-one = odd_one:main\nodd-both = odd_one:main\n[gui_scripts]\nodd-gui = odd_one\n",
				"odd_one-1.0.dist-info/licenses/deep/LICENSE":  "free",
				"odd_one-1.0.dist-info/licenses/deep/LICENSE2": "free too",
			},
			modes:    map[string]fs.FileMode{"odd_one-1.0.data/data/bin/data-tool": 0o755, "odd_one/deep/er/mod.py": 0o755},
			unlisted: map[string]string{"odd_one/deep/hidden.py": "hidden = 1\n"},
		},
		{
			name: "odd_two-2.0", platform: true,
			files: map[string]string{
				"odd/__init__.py":                               "# two\n",
				"odd/two.py":                                    "two = 2\n",
				"odd_two/__init__.py":                           "def main(): print('odd-two')\n",
				"tests/__init__.py":                             "# two\n",
				"tests/test_two.py":                             "\n",
				"odd_two-2.0.data/purelib/odd_pure.py":          "\n",
				"odd_two-2.0.data/data/share/odd/both.txt":      "two",
				"odd_two-2.0.data/data/share/odd/two.txt":       "2",
				"odd_two-2.0.data/data/etc/odd/two.conf":        "2",
				"odd_two-2.0.data/scripts/py-tool":              "#!python\nprint('the other')\n",
				"odd_two-2.0.data/data/share/odd/one/also2.txt": "2",
				"odd_two-2.0.dist-info/entry_points.txt":        "[console_scripts]\nodd-both = odd_two:main\nodd-two = odd_two:main\n",
			},
		},
	} {
		w.write(t, dir)
	}
	return openAll(t, dir)
}
