package warm

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// App is what the project adds to its dependencies.
type App struct {
	// Name is the application's: of its directory PEX, PEX_ROOT/<name>.pex, and of the program where no script is.
	Name string
	// Files lie in the app directory as they are here; paths are relative to it.
	Files tree.Tree
	// ImportRoots are the directories of Files whose content is importable: "." for the top, "src".
	ImportRoots []string
	// Project is the distribution that is the project itself, "" if it is none. What comes of it changes with the code.
	Project string
	// Entry is what the image starts.
	Entry EntryPoint
	// PythonArgs are given to the interpreter, after the PEX's inject_python_args.
	PythonArgs []string
	// Hermetic runs the interpreter with -I: no PYTHON* variable and no user site has a say.
	Hermetic bool
}

func (a App) validate() error {
	switch {
	case a.Name == "":
		return errors.New("application: it has no name")
	case a.Name == "." || a.Name == ".." || strings.ContainsAny(a.Name, "/\x00\n"):
		return fmt.Errorf("application: %q cannot be the name of a file", a.Name)
	case a.Entry.Script != "" && a.Entry.Module != "":
		return fmt.Errorf("application: a script (%s) and a module (%s) cannot both be its entry point", a.Entry.Script, a.Entry.Module)
	}
	return nil
}

// Files of the venv that belong to the application: they name its entry point, or pex names them by hash.
const (
	stubSource   = "entry.py"
	scriptSource = "script.py" // only its bytecode is there
	mainSource   = "__main__.py"
)

// reserve keeps the names of the application's own files from the data of wheels.
func (b *build) reserve() error {
	names := []string{stubSource, mainSource, "pex", "pex-repl", "PEX-INFO"}
	if !b.runtime.setsLastAccess() {
		names = append(names, ".last-access")
	}
	for _, name := range names {
		if err := b.m.write(name, tree.NewFile(name, 0o644, nil), b.m.ownApp); err != nil {
			return err
		}
	}
	return nil
}

// addApplication writes the application's own files into the venv, and returns what stands beside the venv. That tree is
// complete when the batch has been run.
func (b *build) addApplication(s start) (*tree.Tree, error) {
	if err := b.addPexFiles(s); err != nil {
		return nil, err
	}
	text, err := b.entryText(s)
	if err != nil {
		return nil, err
	}
	if err := b.m.addModule(stubSource, text, 0o755, b.m.ownApp, &b.batch); err != nil {
		return nil, err
	}
	if s.script != "" && s.module == "" && !s.foreign {
		text, err := b.m.find(s.script).leaf.made.Read(scriptLimit)
		if err != nil {
			return nil, err
		}
		b.m.compile(scriptSource, path.Join(b.p.venv(), s.script), string(text), b.m.ownApp, &b.batch)
	}
	main, err := b.dirMain()
	if err != nil {
		return nil, err
	}
	t := append(b.named(), b.dirPex(main)...)
	if s.script == "" {
		t = append(t, link(b.argv0(s), path.Join(b.p.venv(), stubSource)))
	}
	b.compileModule(&t, path.Join(b.dirPexPath(), mainSource))
	b.compileModule(&t, path.Join(b.unzippedDir(), mainSource))
	return &t, nil
}

// addPexFiles writes what pex writes at the top of a venv (venv/installer.py, install_pex_main).
func (b *build) addPexFiles(s start) error {
	main, err := b.mainText(s)
	if err != nil {
		return err
	}
	if err := b.m.addModule(mainSource, main, 0o755, b.m.ownApp, &b.batch); err != nil {
		return err
	}
	repl, err := b.replText()
	if err != nil {
		return err
	}
	if err := b.m.addText("pex-repl", repl, 0o755, b.m.ownApp); err != nil {
		return err
	}
	if err := b.m.addText("PEX-INFO", string(b.file.Raw), 0o644, b.m.ownApp); err != nil {
		return err
	}
	if !b.runtime.setsLastAccess() {
		if err := b.m.write(".last-access", tree.NewLink(".last-access", "/dev/null"), b.m.ownApp); err != nil {
			return err
		}
	}
	return b.m.write("pex", tree.NewLink("pex", mainSource), b.m.ownApp)
}

// mainText is the venv's __main__.py. pex's text starts a script as a process of its own and drops inject_args there; a
// console script whose PEX injects something is therefore given as the function that it calls.
func (b *build) mainText(s start) (string, error) {
	hermetic := expr("None")
	if b.app.Hermetic {
		hermetic = expr(repr("-I"))
	}
	script := b.app.Entry.Script
	if b.pex.injects() && s.module != "" {
		script = ""
	}
	entry := ""
	if script == "" {
		entry = EntryPoint{Module: s.module, Function: s.function}.String()
	}
	text, err := format(b.runtime.main, map[string]any{
		"shebang":             b.p.shebang(b.app.Hermetic),
		"code":                b.runtime.venvPex,
		"shebang_python":      path.Join(b.p.bin(), "python"+b.p.py.minor),
		"venv_bin_dir":        "bin",
		"bin_path":            b.pex.VenvBinPath,
		"strip_pex_env":       boolean(b.pex.StripPexEnv),
		"bind_resource_paths": pairs(b.pex.BindResourcePaths),
		"inject_env":          pairs(b.pex.InjectEnv),
		"inject_args":         list(b.pex.InjectArgs),
		"entry_point":         optional(entry),
		"script":              optional(script),
		"hermetic_re_exec":    hermetic,
		"set_last_access":     boolean(false),
	})
	if err != nil {
		return "", fmt.Errorf("the venv's __main__.py, from the template of pex %s: %w", b.pex.PexVersion, err)
	}
	return text, nil
}

// replText is pex-repl, which PEX_INTERPRETER=1 without arguments starts. Its banner says what pex's says.
func (b *build) replText() (string, error) {
	var summary strings.Builder
	fmt.Fprintf(&summary, "Running in a PEX venv: %s", b.p.venv())
	dependencies := "no dependencies"
	if len(b.chroots) > 0 {
		dependencies = fmt.Sprintf("%s and %s", counted(len(b.pex.Requirements), "requirement"), counted(len(b.chroots), "activated distribution"))
		summary.WriteString("\nRequirements:")
		for _, r := range b.pex.Requirements {
			summary.WriteString("\n  " + r)
		}
		summary.WriteString("\nActivated Distributions:")
		for _, c := range b.chroots {
			summary.WriteString("\n  " + c.wheel)
		}
	}
	text, err := format(b.runtime.repl, map[string]any{
		"shebang":         b.p.shebang(b.app.Hermetic),
		"custom_module":   b.runtime.replModule,
		"create_pex_repl": b.runtime.replMaker,
		"banner": fmt.Sprintf("Pex %s hermetic environment with %s.\nPython %s on linux\n"+
			`Type "help", "pex", "copyright", "credits" or "license" for more information.`, b.pex.PexVersion, dependencies, b.p.py.version),
		"pex_info_summary": summary.String(),
		"ps1":              ">>>",
		"ps2":              "...",
	})
	if err != nil {
		return "", fmt.Errorf("pex-repl, from the template of pex %s: %w", b.pex.PexVersion, err)
	}
	return text, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
