package warm

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
)

// Two wheels whose libraries find each other by $ORIGIN, loaded in a container.
func TestLibrariesFindOtherWheels(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	c := newChain(t, "bookworm", amd64)
	lib := func(soname, runpath string, needed ...string) string {
		return sharedObject{machine: elf.EM_X86_64, soname: soname, runpath: runpath, needed: needed}.bytes(t)
	}
	wheels := made(t,
		oddWheel{name: "vendor_blas-1.0", platform: true, files: map[string]string{"vendor/blas/lib/libblas.so.1": lib("libblas.so.1", "$ORIGIN"), "vendor/blas/include/blas.h": ""}},
		oddWheel{name: "vendor_solve-1.0", platform: true, files: map[string]string{
			"vendor/solve/lib/libsolve.so.1":       lib("libsolve.so.1", "$ORIGIN/../../blas/lib:$ORIGIN", "libblas.so.1", "libhelp.so.1"),
			"vendor/solve/lib/libhelp.so.1":        lib("libhelp.so.1", ""),
			"vendor/solve/include/deep/solve.h":    "",
			"vendor_solve-1.0.data/data/lib/x.txt": "",
		}},
		oddWheel{name: "consumer-1.0", platform: true, files: map[string]string{
			"consumer/__init__.py":     "",
			"consumer/sub/native.so":   lib("native.so", "$ORIGIN/../../vendor/solve/lib", "libsolve.so.1"),
			"consumer/sub/own.so":      lib("own.so", "$ORIGIN/../../consumer.libs", "libown.so"),
			"consumer.libs/libown.so":  lib("libown.so", ""),
			"consumer/data/readme.txt": "",
		}},
		oddWheel{name: "alone-1.0", platform: true, files: map[string]string{
			"alone/native.so":        lib("native.so", "$ORIGIN/../alone.libs:$ORIGIN/../../../../lib64:$ORIGIN/../nowhere", "libalone.so"),
			"alone.libs/libalone.so": lib("libalone.so", ""),
		}},
	)
	all := c.mustLay(shop(), wheels)
	const site = "pex/venv/lib/python3.11/site-packages/"
	for name, dir := range map[string]bool{
		site + "vendor/solve": true, site + "vendor/solve/lib": true, site + "vendor/solve/include": false, site + "vendor/blas": false,
		site + "consumer": true, site + "consumer/sub": true, site + "consumer/data": false, site + "consumer.libs": false,
		site + "alone": false, site + "alone.libs": false,
	} {
		if e, ok := all.find(name); !ok || (e.Kind == tree.Dir) != dir {
			t.Errorf("%s: %v %s", name, e.Kind, e.Link)
		}
	}
	image := c.image(all, podman)
	got := podman.Run(testenv.Container{Image: image, Entrypoint: []string{"python", "-c"}, Args: []string{strings.Join([]string{
		"import ctypes, site", "lib = site.getsitepackages()[0]",
		"for name in ('consumer/sub/native.so', 'consumer/sub/own.so', 'vendor/solve/lib/libsolve.so.1', 'alone/native.so'): ctypes.CDLL(lib + '/' + name); print(name)",
	}, "\n")}})
	if got.Code != 0 || strings.Count(got.Stdout, "\n") != 4 {
		t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
}

// A program that looks into another wheel is a copy, since $ORIGIN follows the link to it.
func TestProgramsThatLookElsewhereAreCopies(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	program := sharedObject{machine: elf.EM_X86_64, interp: "/lib64/ld-linux-x86-64.so.2", runpath: "$ORIGIN/../lib"}.bytes(t)
	all := c.mustLay(shop(), made(t,
		oddWheel{name: "tool-1.0", platform: true, files: map[string]string{"tool-1.0.data/scripts/tool": program}},
		oddWheel{name: "toolkit-1.0", platform: true, files: map[string]string{"toolkit-1.0.data/data/lib/libkit.so": sharedObject{}.bytes(t)}},
		oddWheel{name: "whole-1.0", platform: true, files: map[string]string{"whole-1.0.data/data/bin/whole": program, "whole-1.0.data/data/lib/libwhole.so": sharedObject{}.bytes(t)}, modes: nil},
	))
	if e, _ := all.find("pex/venv/bin/tool"); e.Kind != tree.File || e.Mode != 0o755 || e.Size != int64(len(program)) {
		t.Errorf("tool: %+v", e)
	}
}
