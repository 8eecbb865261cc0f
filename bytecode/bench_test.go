package bytecode

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkCompile is a cold and a warm run over 300 files of the standard library, and compileall over the
// same files with as many processes.
func BenchmarkCompile(b *testing.B) {
	i := anyPython(b)
	sources := sample(b, i)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			benchmark(b, New(i, Options{Store: store(b, b.TempDir()), Jobs: 2}), sources)
		}
	})
	b.Run("warm", func(b *testing.B) {
		s := store(b, b.TempDir())
		benchmark(b, New(i, Options{Store: s}), sources)
		for b.Loop() {
			benchmark(b, New(i, Options{Store: s}), sources)
		}
	})
	b.Run("compileall", func(b *testing.B) {
		first, _, _ := strings.Cut(onDisk(b, sources), "\t")
		dir := filepath.Dir(first)
		for b.Loop() {
			cmd := exec.Command(i.Argv[0], "-m", "compileall", "-q", "-f", "-j", "2", "--invalidation-mode", "unchecked-hash", dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}

func benchmark(b *testing.B, c *Compiler, sources []Source) {
	b.Helper()
	if _, err := c.Compile(b.Context(), sources); err != nil {
		b.Fatal(err)
	}
}
