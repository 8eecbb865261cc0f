package warm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

// shopImage is an image whose application prints a report, on a base without bytecode; the PEX has what r says.
func shopImage(t *testing.T, r pex.AssembleRequest, app App) (*testenv.Containers, string, *Tree, string) {
	t.Helper()
	podman := testenv.Podman(t)
	c := newChain(t, "trixie", amd64)
	dir := t.TempDir()
	reportWheel.write(t, dir)
	app.Files = append(app.Files, tree.NewFile("src/report.py", 0o644, read(t, "testdata/report.py")))
	app.Name, app.ImportRoots = "shop", []string{"src"}
	r.Code = below(app.Files, "src")
	f, loose := c.pex(r, append(oddWheels(t), openAll(t, dir)...))
	made, err := Make(t.Context(), f, c.variant, app, c.compiler(), Options{})
	check(t, err)
	check(t, made.all().Validate())
	return podman, c.image(made, podman), made, loose
}

// TestPexVariables has what pex's own venv honours, as the default user on a read-only file system.
func TestPexVariables(t *testing.T) {
	t.Parallel()
	podman, image, made, _ := shopImage(t, pex.AssembleRequest{}, App{Entry: EntryPoint{Module: "report"}, Files: tree.Tree{
		tree.NewFile("extra/elsewhere.py", 0o644, []byte("print('elsewhere')\n")),
	}})
	c := podman.Start(testenv.Container{Image: image, ReadOnly: true, Entrypoint: []string{"sleep", "300"}, Options: []string{"--tmpfs=/dev/shm"}})
	for _, test := range []struct {
		name  string
		env   []string
		start []string // "" is the image's entry point
		args  []string
		stdin string
		out   string // part of stdout
		err   string // part of stderr
	}{
		{name: "interpreter", env: []string{"PEX_INTERPRETER=1"}, args: []string{"-c", "import sys, report, odd_one; print(sys.path, sys.argv)", "a"}, out: "['', '/usr/lib/python313.zip', '/usr/lib/python3.13', '/usr/lib/python3.13/lib-dynload', '/pex/venv/lib/python3.13/site-packages'] ['-c', 'a']"},
		{name: "interpreter, module", env: []string{"PEX_INTERPRETER=1"}, args: []string{"-m", "odd_single"}},
		{name: "repl", env: []string{"PEX_INTERPRETER=1"}, stdin: "import odd_single; odd_single.single + 41", out: "42", err: "Pex 2.105.2 hermetic environment with"},
		{name: "repl's command", env: []string{"PEX_INTERPRETER=1"}, stdin: "pex()", out: "odd_two-2.0-py3-none-any.whl"},
		{name: "module", env: []string{"PEX_MODULE=odd_one:main"}, out: "odd-one"},
		{name: "script", env: []string{"PEX_SCRIPT=odd-two"}, out: "odd-two"},
		{name: "two of them", env: []string{"PEX_SCRIPT=odd-two", "PEX_MODULE=odd_one:main"}, err: "Can only specify one of PEX_INTERPRETER, PEX_SCRIPT, PEX_MODULE"},
		{name: "verbose", env: []string{"PEX_VERBOSE=1", "PEX_UNKNOWN=1"}, out: `"argv"`, err: "Ignoring the following environment variables"},
		{name: "extra path", env: []string{"PEX_EXTRA_SYS_PATH=/app/extra", "PEX_MODULE=elsewhere"}, out: "elsewhere"},
		{name: "extra path of a child", env: []string{"PEX_EXTRA_SYS_PATH=/app/extra", "PEX_INTERPRETER=1"}, args: []string{"-c", "import subprocess, sys; subprocess.run([sys.executable, '-m', 'elsewhere'])"}, out: "elsewhere"},
		{name: "path", env: []string{"PEX_VENV_BIN_PATH=append", "PEX_INTERPRETER=1"}, args: []string{"-c", "import os; print(os.environ['PATH'])"}, out: "/bin:/pex/venv/bin\n"},
		{name: "unbuffered", env: []string{"PYTHONUNBUFFERED=1", "PEX_INTERPRETER=1"}, args: []string{"-c", "import sys; print(sys.stdout.write_through)"}, out: "True"},
		{name: "second command", start: []string{"python"}, args: []string{"-c", "import report, sys; print(sys.prefix)"}, out: "/pex/venv"},
		{name: "script on PATH", start: []string{"odd-one"}, out: "odd-one"},
		{name: "shell script on PATH", start: []string{"sh-report"}, args: []string{"x"}, out: "sh x"},
		{name: "data script on PATH", start: []string{"data-tool"}, out: "data tool"},
		{name: "directory PEX", start: []string{"python", "/pex/shop.pex"}, args: []string{"a"}, out: `"argv": ["/pex/venv/lib/python3.13/site-packages/report.py", "a"]`},
		{name: "directory PEX, options", start: []string{"python", "-X", "utf8=0", "/pex/shop.pex"}, env: []string{"PEX_INTERPRETER=1"}, args: []string{"-c", "import sys; print(sys._xoptions, sys.argv)", "a b"}, out: "{'utf8': '0'} ['-c', 'a b']"},
		{name: "directory PEX as a program", start: []string{"/pex/shop.pex/__main__.py"}, out: `"argv"`},
		{name: "venv as a directory", start: []string{"python", "/pex/venv"}, out: `"argv"`},
		{name: "pex's venv script", start: []string{"/pex/venv/pex"}, out: `"argv"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := append([]string{"env"}, test.env...)
			if test.start == nil {
				test.start = made.Entrypoint
			}
			command = append(append(command, test.start...), test.args...)
			if test.stdin != "" {
				command = append([]string{"sh", "-c", `echo "$0" | "$@"`, test.stdin}, command...)
			}
			got := c.Exec(command...)
			if failed := got.Code != 0; failed != (test.out == "" && test.err != "") || !strings.Contains(got.Stdout, test.out) || !strings.Contains(got.Stderr, test.err) {
				t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
			}
		})
	}
	if changes := c.Diff(); len(changes) > 0 {
		t.Errorf("something wrote %v", changes)
	}
}

// TestStandardLibraryIsCompiled runs on a base that has no bytecode at all.
func TestStandardLibraryIsCompiled(t *testing.T) {
	t.Parallel()
	podman, image, made, _ := shopImage(t, pex.AssembleRequest{}, App{Entry: EntryPoint{Module: "report", Function: "main"}})
	if made.Units[0].Kind != Stdlib {
		t.Errorf("the first unit is %s", made.Units[0].Kind)
	}
	for _, args := range [][]string{nil, {"python", "/pex/shop.pex"}} {
		got := podman.Run(testenv.Container{Image: image, Entrypoint: args, ReadOnly: true, Env: []string{"PYTHONVERBOSE=1"}, Options: []string{"--tmpfs=/dev/shm"}})
		parse(t, got)
		for line := range strings.Lines(got.Stderr) {
			if strings.HasPrefix(line, "# code object from") && !strings.Contains(line, ".pyc") {
				t.Errorf("compiled: %s", line)
			}
		}
	}
}

// TestInjectedIsInTheStub has a PEX that injects what is known when it is built: the stub does so, and reads nothing of pex's, which is not there.
func TestInjectedIsInTheStub(t *testing.T) {
	t.Parallel()
	r := pex.AssembleRequest{InjectEnv: map[string]string{"USER": "nobody", "PEX_GREETING": "it's me", "VIRTUAL_ENV": "no"}, InjectArgs: []string{"--first", "it's"}}
	podman, image, made, _ := shopImage(t, r, App{Entry: EntryPoint{Script: "odd-report"}})
	main := "/pex/venv/__main__.py"
	got := podman.Run(testenv.Container{
		Image: image, ReadOnly: true, Args: []string{"last"}, Options: []string{"--tmpfs=/dev/shm"},
		Volumes: []string{"/dev/null:" + main + ":ro", "/dev/null:" + bytecode.CacheName(main, "cpython-313") + ":ro"},
	})
	p := parse(t, got)
	if want := []string{"/pex/venv/bin/odd-report", "--first", "it's", "last"}; !slices.Equal(p.Argv, want) {
		t.Errorf("argv %q, want %q", p.Argv, want)
	}
	if want := []string{"PEX_GREETING=it's me"}; !slices.Equal(p.Pex, want) || p.User != User || p.VirtualEnv != made.VenvDir {
		t.Errorf("environment: %q, user %s, venv %s", p.Pex, p.User, p.VirtualEnv)
	}
}

// TestPexInjects has a PEX whose settings make pex's own text run at every start.
func TestPexInjects(t *testing.T) {
	t.Parallel()
	r := pex.AssembleRequest{InjectEnv: map[string]string{"GREETING": "it's {me}"}, InjectArgs: []string{"--first", "{pex.env.GREETING}"}, InjectPythonArgs: []string{"-Xdev"}}
	podman, image, made, _ := shopImage(t, r, App{Entry: EntryPoint{Script: "odd-report"}, Hermetic: true, PythonArgs: []string{"-u"}})
	if want := []string{"/pex/venv/bin/python", "-Xdev", "-u", "-I", "/pex/venv/__pycache__/entry.cpython-313.pyc"}; !slices.Equal(made.Entrypoint, want) {
		t.Errorf("entry point %q", made.Entrypoint)
	}
	got := podman.Run(testenv.Container{Image: image, ReadOnly: true, Args: []string{"last"}, Env: []string{"PYTHONPATH=/app/data"}, Options: []string{"--tmpfs=/dev/shm"}})
	p := parse(t, got)
	if want := []string{"/pex/venv/bin/odd-report", "--first", "it's {me}", "last"}; !slices.Equal(p.Argv, want) {
		t.Errorf("argv %q, want %q", p.Argv, want)
	}
	if slices.Contains(p.Path, "/app/data") || p.Prog != "odd-report" {
		t.Errorf("path %q, program %s", p.Path, p.Prog)
	}
}

// TestPexAcceptsItsPexRoot boots the original PEX, in the modes that pex has for it, with the image's PEX_ROOT: it finds
// itself installed, and neither unpacks itself nor makes a venv.
func TestPexAcceptsItsPexRoot(t *testing.T) {
	t.Parallel()
	podman, image, _, loose := shopImage(t, pex.AssembleRequest{EntryPoint: "report:main"}, App{Entry: EntryPoint{Module: "report", Function: "main"}})
	check(t, os.Chmod(loose, 0o755))
	run := testenv.Container{Image: image, User: "0:0", Entrypoint: []string{"/usr/bin/python3", "/in/app.pex"}, Volumes: []string{filepath.Dir(loose) + ":/in:ro"}}
	run.Env = []string{"PEX_VENV=1", "PEX_VERBOSE=3", "PYTHONDONTWRITEBYTECODE=1"}
	got, changes := podman.RunDiff(run)
	p := parse(t, got)
	if p.Prefix != "/pex/venv" && !strings.HasPrefix(p.Prefix, "/pex/venvs/") {
		t.Errorf("prefix %s", p.Prefix)
	}
	for _, change := range changes {
		if strings.HasPrefix(change.Path, "/pex/") {
			t.Errorf("pex wrote %v", change)
		}
	}
	// The tools run pex's own code from the image, as root and as a user who cannot write.
	run = testenv.Container{Image: image, Entrypoint: []string{"python", "/pex/shop.pex"}, Args: []string{"info"}, Env: []string{"PEX_TOOLS=1"}}
	if got := podman.Run(run); got.Code != 0 || !strings.Contains(got.Stdout, `"odd_two-2.0-py3-none-any.whl"`) {
		t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
}
