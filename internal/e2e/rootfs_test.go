package e2e

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// rootfs is an image's file system, mounted read-only until the test ends.
func rootfs(t *testing.T, image string) string {
	t.Helper()
	testenv.Podman(t)
	mount := exec.CommandContext(t.Context(), "podman", "image", "mount", image)
	out, err := mount.Output()
	if err != nil {
		t.Fatalf("podman image mount: %v %s", err, stderrOf(err))
	}
	// An image is mounted as often as it is asked for; the last unmount counts.
	t.Cleanup(func() { _ = exec.Command("podman", "image", "unmount", image).Run() })
	return strings.TrimSpace(string(out))
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// TestProgramsAreOfTheirPlatform looks at every ELF file of every image, the base's too.
func TestProgramsAreOfTheirPlatform(t *testing.T) {
	t.Parallel()
	machines := map[string]elf.Machine{amd64: elf.EM_X86_64, arm64: elf.EM_AARCH64}
	for _, test := range matrix {
		t.Run(test.name+"/"+test.base, func(t *testing.T) {
			t.Parallel()
			for _, platform := range test.platforms() {
				found := programs(t, rootfs(t, test.image(t).ids[platform]))
				ours := 0
				for file, machine := range found {
					if machine != machines[platform] {
						t.Errorf("%s: %s is for %s", platform, file, machine)
					}
					if strings.HasPrefix(file, "/pex/") {
						ours++
					}
				}
				// hello has none; each of the others has compiled wheels.
				if (ours > 0) != (test.name != "hello") {
					t.Errorf("%s: %d of the ELF files are of wheels", platform, ours)
				}
			}
		})
	}
}

// programs are the ELF files below root by path in the image.
func programs(t *testing.T, root string) map[string]elf.Machine {
	t.Helper()
	found := map[string]elf.Machine{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		machine, err := machineOf(path)
		if err == nil && machine != elf.EM_NONE {
			found[strings.TrimPrefix(path, root)] = machine
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// machineOf reads the machine in an ELF header; EM_NONE for another kind of file.
func machineOf(path string) (elf.Machine, error) {
	f, err := os.Open(path)
	if err != nil {
		return elf.EM_NONE, err
	}
	defer f.Close()
	header := make([]byte, 20)
	if n, _ := f.Read(header); n < len(header) || string(header[:4]) != elf.ELFMAG {
		return elf.EM_NONE, nil
	}
	return elf.Machine(uint16(header[18]) | uint16(header[19])<<8), nil // both platforms are little-endian
}
