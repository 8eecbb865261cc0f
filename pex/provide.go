package pex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pexko/pexko/internal/cas"
)

// Options says where the tool works and with what. Store and Env are needed.
type Options struct {
	// Store holds pex, its PEX_ROOT, the wheels and temporary files.
	Store *cas.Store
	// Env is the caller's environment, as os.Environ gives it: PATH, HOME, PIP_*, proxies.
	Env []string
	// Python is the host Python to use, a path or a name on PATH; "" looks for one.
	Python string
	// TargetMinor is the Python of the target, "3.11": a host of the same minor version is preferred, since
	// it alone can build compiled wheels from sdists.
	TargetMinor string
	// Jobs bounds what pex runs in parallel; 0 leaves it to pex.
	Jobs int
	// Warn is told what the user should know although the work goes on. It may be nil.
	Warn func(text string)
	// Line is told each line that the tools print, without credentials. It may be nil.
	Line func(text string)
}

// Tool is the pinned pex with a Python of this machine to run it. It is safe for concurrent use.
type Tool struct {
	o   Options
	env environment
	run *runner

	searching lazy[*pythons]
	python    lazy[Python]
	installed lazy[string]
}

// Stats counts what a Tool did.
type Stats struct {
	// Processes is how many processes were started, children of theirs not counted.
	Processes int
}

// Provide returns the tool. It starts and downloads nothing: Python is looked for, and pex and pip are
// fetched, when a stage first needs them.
func Provide(_ context.Context, o Options) (*Tool, error) {
	if o.Store == nil {
		return nil, errors.New("pex.Options without a Store")
	}
	env := cleanEnv(o.Env)
	run := &runner{line: o.Line}
	run.learn(newRedactor(env))
	return &Tool{o: o, env: env, run: run}, nil
}

// Stats says what was done so far.
func (t *Tool) Stats() Stats { return Stats{Processes: int(t.run.started.Load())} }

// Python is the host Python, which is looked for at the first call. The error is a *PythonError, or the
// context's.
func (t *Tool) Python(ctx context.Context) (Python, error) {
	return t.python.get(ctx, func(ctx context.Context) (Python, error) {
		p, err := t.find(ctx, hostWant, func(Python) string { return "" })
		if err != nil {
			return Python{}, err
		}
		var values []string
		for _, s := range p.settings {
			values = append(values, s.Value)
		}
		t.run.learn(newRedactor(t.env, values...))
		return p, nil
	})
}

// find looks for a Python that is fit for a purpose. Each Python is asked once in the life of the tool.
func (t *Tool) find(ctx context.Context, want string, fit func(Python) string) (Python, error) {
	search, err := t.searching.get(ctx, func(context.Context) (*pythons, error) {
		dir, _, err := t.o.Store.TempDir() // swept with the store
		return &pythons{
			explicit: t.o.Python, minor: t.o.TargetMinor, env: t.env, run: t.run, dir: dir, asked: map[string]answered{},
		}, err
	})
	if err != nil {
		return Python{}, err
	}
	return search.find(ctx, want, fit)
}

func (t *Tool) warn(format string, args ...any) {
	if t.o.Warn != nil {
		t.o.Warn(t.run.hide(fmt.Sprintf(format, args...)))
	}
}

// config is pip's configuration as the host's pip sees it.
func (t *Tool) config(p Python) pipConfig { return pipConfig{env: t.env, files: p.settings} }

// home is where the pinned wheels lie: the directory "pex" that is PYTHONPATH, and "wheels".
func (t *Tool) home(ctx context.Context, p Python) (string, error) {
	return t.installed.get(ctx, func(ctx context.Context) (string, error) {
		return t.o.Store.Dir(ctx, "pex", toolKey(), func(dir string) error { return t.fetch(ctx, p, dir) })
	})
}

// root is the PEX_ROOT for builds: a directory of the store that pex keeps in its own way, with its own locks.
// Its path is short, since it gets into the first lines of scripts, which some systems cut at 127 bytes. Its
// virtual environments hold absolute paths, so another place of the store is another root. So are other build
// constraints: pex keeps what it built from an sdist under the sdist's hash alone (cache/dirs.py, BuiltWheelDir).
func (t *Tool) root(constraints []byte) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%d\n%s", toolKey(), t.o.Store.Root(), len(constraints), constraints)
	root := filepath.Join(t.o.Store.Root(), "pex", hex.EncodeToString(sum.Sum(nil)[:6]))
	return root, os.MkdirAll(root, 0o755)
}

// pexCommand is the command line of a module of pex: "pex" itself or "pex.cli", which is pex3.
func (t *Tool) pexCommand(p Python, module string, args ...string) []string {
	argv := append([]string{p.Path, "-c", runProgram, module}, args...)
	if t.o.Jobs > 0 {
		argv = append(argv, "--jobs="+strconv.Itoa(t.o.Jobs))
	}
	return argv
}

// runPex runs c with pex importable and root as PEX_ROOT.
func (t *Tool) runPex(ctx context.Context, p Python, c command, root string) ([]byte, error) {
	home, err := t.home(ctx, p)
	if err != nil {
		return nil, err
	}
	if c.env == nil {
		c.env = t.env
	}
	c.env = c.env.with("PYTHONPATH=" + filepath.Join(home, "pex"))
	return t.runIn(ctx, p, c, root)
}

// runIn runs c with root as PEX_ROOT and a temporary directory that is gone afterwards, also when the process
// was killed.
func (t *Tool) runIn(ctx context.Context, p Python, c command, root string) ([]byte, error) {
	temp, remove, err := t.o.Store.TempDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	if c.env == nil {
		c.env = t.env
	}
	if file, ok := t.config(p).siteFile(); ok && c.env.get("PIP_CONFIG_FILE") == "" {
		c.env = c.env.with("PIP_CONFIG_FILE=" + file)
	}
	c.env = c.env.with("PEX_ROOT="+root, "TMPDIR="+temp)
	if c.dir == "" {
		c.dir = temp
	}
	return t.run.run(ctx, c)
}
