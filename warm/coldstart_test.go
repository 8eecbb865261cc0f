package warm

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

// TestPexRootEqualsAColdStart compares the PEX_ROOT of a tree with what a zipapp of the same wheels and code leaves in an
// empty one when it is started.
func TestPexRootEqualsAColdStart(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	wheels := append(c.wheels("idna==3.20", "six==1.17.0"), oddWheels(t)...)
	app := shop(tree.NewFile("src/store/data/x.txt", 0o644, []byte("x")))
	r := pex.AssembleRequest{Code: below(app.Files, "src"), EntryPoint: "shop"}
	f, _ := c.pex(r, wheels)
	root := t.TempDir()
	made, err := Make(t.Context(), f, c.variant, app, nil, Options{Root: root, App: filepath.Join(root, "app"), Home: filepath.Join(root, "home")})
	check(t, err)
	check(t, made.all().WriteTo("/"))

	zipapp, cold := filepath.Join(t.TempDir(), "app.pex"), t.TempDir()
	r.Sets, r.IncludeTools, r.Exclude = []pex.Set{{Target: c.target, Wheels: wheels}}, true, absent(wheels)
	check(t, c.tool.Write(t.Context(), r, pex.Zipapp, zipapp))
	cmd := exec.CommandContext(t.Context(), testenv.Python(t, "3.11"), zipapp)
	cmd.Env = append(os.Environ(), "PEX_ROOT="+cold, "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "shop\n" {
		t.Fatalf("%v\n%s", err, out)
	}
	ours, theirs := nodes(t, root), nodes(t, cold)
	for name := range theirs {
		if _, ok := ours[name]; !ok && !left.MatchString(name) {
			t.Errorf("only pex has %s", name)
		}
	}
	for name, n := range ours {
		other, ok := theirs[name]
		switch {
		case strings.HasPrefix(name, "venv") || strings.HasPrefix(name, "app/") || strings.HasPrefix(name, "shop.pex/") || strings.HasPrefix(name, "run/"):
			// pexko's own, and pex's venv, which no boot of a PEX without --venv makes
		case strings.HasPrefix(name, "user_code/"):
			// a link to the application's files, where pex has copies
		case strings.HasSuffix(name, "/.last-access"):
			// a link to nowhere, where pex has the time of the last start
		case !ok:
			t.Errorf("only pexko has %s", name)
		case n.mode != other.mode && !executableForGood.MatchString(name):
			t.Errorf("%s: mode %v, pex %v", name, n.mode, other.mode)
		case !bytes.Equal(n.content, other.content):
			t.Errorf("%s: %.100q, pex %.100q", name, n.content, other.content)
		}
	}
}

// left are what pex leaves behind and no image has: locks, what it found out about this machine, pex's copy of the user's code.
var left = regexp.MustCompile(`^(access\.lck|interpreters/.*|isolated/.*|user_code/.*|.*\.lck|.*/\.last-access)$`)

// executableForGood are files that a wheel installs as scripts, which pex extracts as the wheel's zip has them.
var executableForGood = regexp.MustCompile(`/\.prefix/bin/`)

// node is a file or link below a PEX_ROOT.
type fileNode struct {
	mode    fs.FileMode
	content []byte
}

// nodes lists what is no directory; contents of links are their targets.
func nodes(t *testing.T, root string) map[string]fileNode {
	t.Helper()
	all := map[string]fileNode{}
	check(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(name, root+"/")
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(name)
			all[rel] = fileNode{info.Mode(), []byte(path.Clean(target))}
			return err
		}
		content, err := os.ReadFile(name)
		all[rel] = fileNode{info.Mode(), content}
		return err
	}))
	return all
}
