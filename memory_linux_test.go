package pexko_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pexko/pexko/internal/testenv"
)

// mostMemory is what a build may hold at once, in bytes, whatever the size of its wheels: the promise of the project.
const mostMemory = 300 << 20

// TestMemoryOfTheLargestExample builds examples/data, with the wheels of numpy and pandas, for two platforms at once.
func TestMemoryOfTheLargestExample(t *testing.T) {
	r := run{
		args: []string{
			"examples/data", "--base=oci:" + testenv.Base(t, "bookworm"), "--platform=linux/amd64,linux/arm64", "--host-python=" + testenv.Python(t, "3.11"),
			"--oci-layout=" + filepath.Join(t.TempDir(), "layout"), "--jobs=4",
		},
		env: os.Environ(), dir: ".",
		cache: filepath.Join(os.Getenv("PEXKO_TESTBED"), "e2e-cache"), // the examples' wheels are there
	}
	checkMemory(t, r)
}

// TestMemoryOfAHugeFile builds with a wheel that holds one file of a gigabyte.
func TestMemoryOfAHugeFile(t *testing.T) {
	wheels := t.TempDir()
	huge := hugeWheel(t, wheels, 150<<20, 874<<20)
	copyTo(t, wheels, tools(t)...)
	dir := writeProject(t, t.TempDir(), map[string]string{
		"pyproject.toml": "[project]\nname = \"huge\"\nversion = \"1\"\n", "main.py": "",
		"requirements.txt": hashed(t, []string{"huge==1.0"}, []string{huge}),
	})
	r := run{
		args: []string{
			dir, "--base=oci:" + testenv.Base(t, "bookworm"), "--host-python=" + testenv.Python(t, "3.11"),
			"--oci-archive=" + filepath.Join(t.TempDir(), "out.tar"), "--push=" + testenv.Registry(t) + "/huge", "--jobs=4",
		},
		env: []string{"HOME=" + t.TempDir(), "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + wheels},
	}
	checkMemory(t, r)
}

// checkMemory runs a build to its end and looks at the most memory that the command itself, not what it started, had
// resident. (ru_maxrss would count the processes that it waited for, and what Go had before it became the command.)
func checkMemory(t *testing.T, r run) {
	t.Helper()
	b := start(t, r)
	most := int64(0)
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-b.ended:
			tick.Stop()
			t.Logf("%d MB at most\n%s", most>>20, b.log())
			if code := b.wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if most == 0 || most > mostMemory {
				t.Errorf("%d bytes of memory, more than %d", most, mostMemory)
			}
			return
		case <-tick.C:
			most = max(most, peak(b.cmd.Process.Pid))
		}
	}
}

// peak is VmHWM of a process, in bytes; 0 if it has ended.
func peak(id int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte("VmHWM:"))
	fields := strings.Fields(string(rest))
	if len(fields) == 0 {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10
}

// hugeWheel writes a wheel with one file of random bytes and zeros behind them.
func hugeWheel(t *testing.T, dir string, random, zeros int64) string {
	t.Helper()
	name := filepath.Join(dir, "huge-1.0-py3-none-any.whl")
	file, err := os.Create(name)
	check(t, err)
	archive := zip.NewWriter(file)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	sum := sha256.New()
	w, err := archive.Create("huge.bin")
	check(t, err)
	content := io.MultiReader(io.LimitReader(rand.NewChaCha8([32]byte{}), random), io.LimitReader(zeroes{}, zeros))
	_, err = io.Copy(io.MultiWriter(w, sum), content)
	check(t, err)
	texts := [][2]string{
		{"huge-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: huge\nVersion: 1.0\n"},
		{"huge-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{"huge-1.0.dist-info/RECORD", fmt.Sprintf("huge.bin,sha256=%s,%d\nhuge-1.0.dist-info/METADATA,,\nhuge-1.0.dist-info/WHEEL,,\nhuge-1.0.dist-info/RECORD,,\n",
			base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), random+zeros)},
	}
	for _, text := range texts {
		w, err := archive.Create(text[0])
		check(t, err)
		_, err = io.WriteString(w, text[1])
		check(t, err)
	}
	check(t, archive.Close())
	check(t, file.Close())
	return name
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
