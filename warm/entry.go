package warm

import (
	_ "embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/bytecode"
)

// start is what an image starts, found in the tree.
type start struct {
	module   string // run as python -m does, unless there is a function
	function string // dotted
	script   string // path of the console script below the venv that stands for it, "" for a module
	foreign  bool   // with a script and no module: it is no Python
}

//go:embed entry.py.tmpl
var entryTemplate string

// asking are the variables that make pex's venv script do more than start the entry point (venv/venv_pex.py,
// boot). PEX_INTERPRETER_HISTORY has no say without PEX_INTERPRETER.
var asking = [...]string{
	"PEX_INTERPRETER", "PEX_MODULE", "PEX_SCRIPT", "PEX_VERBOSE", "PEX_VENV_BIN_PATH", "PEX", "__PEX_EXE__",
	"_PEX_ROOT_FALLBACK", "_PEX_CACHE_SET_LAST_ACCESS",
}

// entryText is the source of the entry stub.
func (b *build) entryText(s start) (string, error) {
	pexPyc := b.cached(mainSource)
	values := map[string]any{
		"shebang": b.p.shebang(b.app.Hermetic),
		"venv":    b.p.venv(),
		"cached":  path.Join(b.p.venv(), "__pycache__"),
		"argv0":   b.argv0(s),
		"asked":   b.asked(),
		"strip":   b.strip(),
		"inject":  b.inject(),
		"pex":     path.Join(b.p.venv(), "pex"),
		"pex_pyc": pexPyc,
		"run":     "",
		"child":   "",
	}
	lines, child := b.run(s)
	values["run"] = "    " + strings.Join(lines, "\n    ")
	if child != "" {
		values["child"] = "else:  # a child of multiprocessing's, which runs the main file again without starting it\n    " + child
	}
	text, err := format(entryTemplate, values)
	if err != nil {
		return "", fmt.Errorf("entry stub: %w", err)
	}
	return strings.TrimRight(text, "\n") + "\n", nil
}

// asked is the condition under which pex's own text is run.
func (b *build) asked() string {
	if b.pex.fillsIn() {
		return "True"
	}
	return "any(\n        name in environ\n        for name in (\n            " + strings.Join(reprs(asking[:]), ",\n            ") + ",\n        )\n    )"
}

// strip gives the lines that keep pex's variables from the application; PEX_EXTRA_SYS_PATH has its effect on children too.
func (b *build) strip() string {
	if !b.pex.StripPexEnv {
		return ""
	}
	return `    for name in list(environ):
        if name.startswith("PEX_"):
            if name == "PEX_EXTRA_SYS_PATH":
                environ["__PEX_EXTRA_SYS_PATH__"] = environ[name]
            del environ[name]
`
}

// inject gives the lines that add to the environment and the arguments what the PEX says. pex does the same after it has
// stripped the environment.
func (b *build) inject() string {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(b.pex.InjectEnv)) {
		fmt.Fprintf(&lines, "    environ.setdefault(%s, %s)\n", repr(name), repr(b.pex.InjectEnv[name]))
	}
	if len(b.pex.InjectArgs) > 0 {
		fmt.Fprintf(&lines, "    sys.argv[1:1] = %s\n", list(b.pex.InjectArgs))
	}
	return lines.String()
}

// argv0 is what the application sees as its program: the script, or a link of its name to the stub.
func (b *build) argv0(s start) string {
	if s.script != "" {
		return path.Join(b.p.venv(), s.script)
	}
	return path.Join(b.p.root, "run", b.app.Name)
}

// run gives the lines that start the application, and the one that a spawned child runs in their place.
func (b *build) run(s start) (lines []string, child string) {
	script := repr(path.Join(b.p.venv(), s.script))
	switch {
	case s.foreign:
		return []string{fmt.Sprintf("os.execv(%s, [%[1]s] + sys.argv[1:])", script)}, ""
	case s.module == "":
		return []string{
			`main["__file__"] = sys.argv[0]`,
			fmt.Sprintf("exec(load(%s, %s), main)", script, repr(b.cached(scriptSource))),
		}, ""
	case s.function == "":
		return []string{
			"import runpy", "",
			"# As `python -m`: in the real __main__, which pickle and multiprocessing find again by its spec.",
			fmt.Sprintf("runpy._run_module_as_main(%s)", repr(s.module)),
		}, ""
	}
	return []string{
		fmt.Sprintf("__import__(%s)", repr(s.module)),
		fmt.Sprintf("target = sys.modules[%s]", repr(s.module)),
		fmt.Sprintf("for name in %s.split(\".\"):", repr(s.function)),
		"    target = getattr(target, name)",
		`main["__file__"] = sys.argv[0]`,
		"sys.exit(target())",
	}, fmt.Sprintf("__import__(%s)", repr(s.module))
}

// cached is the absolute path of the bytecode of a file at the top of the venv, "" if nothing is compiled.
func (b *build) cached(name string) string {
	if !b.compiles {
		return ""
	}
	return path.Join(b.p.venv(), bytecode.CacheName(name, b.p.py.tag))
}

// command is the image's entry point.
func (b *build) command() []string {
	args := append([]string{b.p.python()}, b.pex.InjectPythonArgs...)
	args = append(args, b.app.PythonArgs...)
	if b.app.Hermetic {
		args = append(args, "-I")
	}
	if pyc := b.cached(stubSource); pyc != "" {
		return append(args, pyc)
	}
	return append(args, path.Join(b.p.venv(), stubSource))
}

//go:embed dirpex.py.tmpl
var dirPexTemplate string

// dirMain is __main__.py of the directory PEX.
func (b *build) dirMain() ([]byte, error) {
	text, err := format(dirPexTemplate, map[string]any{
		"shebang":      b.p.shebang(b.app.Hermetic),
		"tools_python": b.p.py.invoked,
		"tools":        b.unzippedDir(),
		"command":      list(b.command()),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.dirPexPath(), err)
	}
	return []byte(text), nil
}
