package warm

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// scriptLimit is the size in bytes of the largest Python script that is rewritten.
const scriptLimit = 16 << 20

// pythonShebang is what pex takes for the first line of a Python script, without its "#!"
// (pex/venv/virtualenv.py, _is_python_script).
var pythonShebang = regexp.MustCompile(`\W(?:python|pypy)(?:\d+(?:\.\d+)*)?(?:[^.a-zA-Z0-9]|$)`)

// isScript tells whether a first line, with its end, starts a Python script.
func isScript(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("#!"))
	return ok && (string(rest) == "python\n" || pythonShebang.Match(rest))
}

// script returns a file of a wheel's bin as it stands in the venv's, with the venv's Python in its first line, and
// false if it is something other than a Python script, which is linked.
func script(e tree.Entry, shebang string) (tree.Entry, bool, error) {
	line, err := firstLine(e)
	if err != nil || !isScript(line) {
		return tree.Entry{}, false, err
	}
	text, err := e.Read(scriptLimit)
	if err != nil {
		return tree.Entry{}, false, err
	}
	_, body, _ := bytes.Cut(text, []byte("\n"))
	text = append([]byte(shebang+"\n"), body...)
	return tree.NewFile(e.Path, 0o755, text), true, nil
}

// firstLine reads the first line of a file with its end, at most as much of it as a kernel looks at.
func firstLine(e tree.Entry) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	defer r.Close()
	line := make([]byte, 512)
	n, err := io.ReadFull(r, line)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	line = line[:n]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	}
	return line, nil
}

// inBin tells whether a path below the venv is a script or program: pex looks at no directory below bin.
func inBin(venv string) bool { return path.Dir(venv) == "bin" }

// executable tells whether a file of a chroot is one in the image. What a wheel installs as a script always is;
// of the rest, what pex extracted as executable (common.py, ZipFileEx).
func (c *chroot) executable(name string) bool {
	return c.files[name].Mode&0o111 != 0 || strings.HasPrefix(name, c.bin())
}

// bin is where the chroot's scripts are.
func (c *chroot) bin() string {
	if c.layout.Stash == "" {
		return "bin/"
	}
	return c.layout.Stash + "/bin/"
}
