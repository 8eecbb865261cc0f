package pex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// Set is what one target gets: at most one wheel of a distribution, each of which runs there.
type Set struct {
	Target Target
	Wheels []*wheel.Wheel
}

// AssembleRequest is what a PEX is made of. It needs neither pip nor an index.
type AssembleRequest struct {
	// Sets has the wheels of each target; a PEX of several targets holds the wheels of all.
	Sets []Set
	// Code is the user's, relative to the import root. Bytecode in it is left out; a link is replaced by what
	// it names in the tree (tree.Tree.Files).
	Code tree.Tree
	// EntryPoint is "module" or "module:attribute", Script the name of a script that a wheel brings. At most
	// one of them; none makes a PEX that starts a REPL.
	EntryPoint, Script string

	InjectPythonArgs       []string          // for the interpreter
	InjectArgs             []string          // before the user's arguments
	InjectEnv              map[string]string // unless set
	InterpreterConstraints []string          // ">=3.11,<3.14"; any holds
	// Exclude names distributions that the base provides: no wheel of them is needed.
	Exclude []string
	// IgnoreErrors makes a PEX although requirements of its wheels are not met.
	IgnoreErrors bool
	KeepPexEnv   bool // leave PEX_* to what the application starts
	IncludeTools bool // PEX_TOOLS=1
	Venv         bool // a PEX that makes itself a venv when it is first started
	// PexRoot is the PEX_ROOT that the PEX uses unless the environment names one; "" is pex's default in the
	// user's home.
	PexRoot string
}

// Layout is a form of a PEX on disk.
type Layout string

// The layouts of pex (layout.py:26).
const (
	Zipapp Layout = "zipapp" // one executable file
	Packed Layout = "packed" // a directory of zips
	Loose  Layout = "loose"  // a directory of files
)

// Assemble makes a PEX of one target, or of several, and reads it back. The File of one target has its
// distributions in the order of activation there (For). It lies in the store until File.Close.
func (t *Tool) Assemble(ctx context.Context, r AssembleRequest) (*File, error) {
	temp, remove, err := t.o.Store.TempDir()
	if err != nil {
		return nil, err
	}
	f, err := t.assemble(ctx, r, filepath.Join(temp, "app"))
	if err != nil {
		remove()
		return nil, err
	}
	f.close = remove
	return f, nil
}

func (t *Tool) assemble(ctx context.Context, r AssembleRequest, out string) (*File, error) {
	if err := t.runAssembly(ctx, r, Loose, out); err != nil {
		return nil, err
	}
	f, err := read(ctx, out)
	if err != nil {
		return nil, err
	}
	if len(r.Sets) == 1 {
		return f.For(r.Sets[0].Target)
	}
	return f, nil
}

// runAssembly has pex write the PEX to out, which is not there yet.
func (t *Tool) runAssembly(ctx context.Context, r AssembleRequest, layout Layout, out string) error {
	if err := r.check(); err != nil {
		return err
	}
	work, remove, err := t.o.Store.TempDir()
	if err != nil {
		return err
	}
	defer remove()
	var from []string
	if len(r.Sets) == 1 {
		from, err = r.wheelArgs(0, filepath.Join(work, "wheels"))
	} else {
		from, err = t.dependencies(ctx, r, work)
	}
	if err != nil {
		return err
	}
	args, err := r.stage(work)
	if err != nil {
		return err
	}
	return t.assembly(ctx, append(args, from...), layout, out, work)
}

// dependencies makes a PEX of each target's wheels, for the one of all to take its distributions and
// requirements from. pex can resolve wheels for several targets at once, too, but forgets requirements with
// markers: of each wheel it remembers those that hold on the last target (resolve/pre_resolved_resolver.py:177).
func (t *Tool) dependencies(ctx context.Context, r AssembleRequest, work string) ([]string, error) {
	root, err := t.root(nil)
	if err != nil {
		return nil, err
	}
	var args []string
	for i := range r.Sets {
		own, err := r.wheelArgs(i, filepath.Join(work, fmt.Sprintf("wheels-%d", i)))
		if err != nil {
			return nil, err
		}
		platform, err := r.platformArg(i, work)
		if err != nil {
			return nil, err
		}
		if r.IgnoreErrors {
			own = append(own, "--ignore-errors")
		}
		for _, name := range r.Exclude {
			own = append(own, "--exclude="+name)
		}
		made := filepath.Join(work, fmt.Sprintf("target-%d", i))
		// Packed, since pex installs such a PEX's distributions in a PEX_ROOT, where equal ones are one: the one
		// that PEX-INFO names (environment.py:292).
		own = append(own, "--runtime-pex-root="+root)
		if err := t.assembly(ctx, append(own, platform), Packed, made, work); err != nil {
			return nil, err
		}
		args = append(args, "--requirements-pex="+made)
	}
	return args, nil
}

// assembly is one run of pex.
func (t *Tool) assembly(ctx context.Context, args []string, layout Layout, out, work string) error {
	p, err := t.Python(ctx)
	if err != nil {
		return err
	}
	root, err := t.root(nil)
	if err != nil {
		return err
	}
	args = append([]string{
		"--pip-version=" + PipVersion, "--no-allow-pip-version-fallback", "--layout=" + string(layout), "--output-file=" + out,
	}, args...)
	_, err = t.runPex(ctx, p, command{
		what: "pex",
		argv: t.pexCommand(p, "pex", args...),
		// The default PEX_ROOT of a PEX is the user's cache directory, seen from the home directory
		// (cache/root.py:47): both must not be this machine's.
		env: t.env.without("XDG_CACHE_HOME").with("HOME=" + work),
		dir: work,
	}, root)
	return err
}

// check finds what pex would stumble over, or would not see.
func (r AssembleRequest) check() error {
	if len(r.Sets) == 0 {
		return errors.New("a PEX without a target")
	}
	if r.EntryPoint != "" && r.Script != "" {
		return fmt.Errorf("both an entry point (%s) and a script (%s)", r.EntryPoint, r.Script)
	}
	files := map[string]string{}
	for _, set := range r.Sets {
		p, err := set.Target.read()
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, w := range set.Wheels {
			if err := fits(w, p); err != nil {
				return err
			}
			if other, ok := names[w.Name.Normalized()]; ok {
				return fmt.Errorf("%s: two wheels of one distribution, %s and %s", set.Target, other, w.Name.File)
			}
			names[w.Name.Normalized()] = w.Name.File
			if sum, ok := files[w.Name.File]; ok && sum != w.SHA256 {
				return fmt.Errorf("%s: two wheels of this name with different content", w.Name.File)
			}
			files[w.Name.File] = w.SHA256
		}
	}
	return nil
}

// fits reports why a wheel does not run on a target.
func fits(w *wheel.Wheel, p platform) error {
	if _, ok := p.tags.Rank(w.Name); !ok {
		return &MissingWheelError{
			Distribution: w.Metadata.Name, Version: w.Metadata.Version, Target: p.target, Exist: []string{w.Name.File},
		}
	}
	return nil
}

// stage lays out code and platforms below work and returns pex's options but for the distributions.
func (r AssembleRequest) stage(work string) ([]string, error) {
	code := filepath.Join(work, "code")
	if err := os.Mkdir(code, 0o755); err != nil {
		return nil, err
	}
	if err := writeCode(code, r.Code); err != nil {
		return nil, err
	}
	args := append([]string{"--sources-directory=" + code}, r.options()...)
	for i := range r.Sets {
		platform, err := r.platformArg(i, work)
		if err != nil {
			return nil, err
		}
		args = append(args, platform)
	}
	return args, nil
}

func (r AssembleRequest) platformArg(set int, work string) (string, error) {
	file := filepath.Join(work, fmt.Sprintf("platform-%d.json", set))
	return "--complete-platform=" + file, os.WriteFile(file, r.Sets[set].Target.CompletePlatform, 0o644)
}

// wheelArgs gives pex the wheels of one target, in a directory of links, and names each of them: without root
// requirements pex would leave them out of PEX-INFO.
func (r AssembleRequest) wheelArgs(set int, dir string) ([]string, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	for _, w := range r.Sets[set].Wheels {
		if err := os.Symlink(w.Path, filepath.Join(dir, w.Name.File)); err != nil {
			return nil, err
		}
	}
	requirements, err := r.requirements(set)
	return append([]string{"--pre-resolved-dists=" + dir}, requirements...), err
}

// options are those that go into PEX-INFO.
func (r AssembleRequest) options() []string {
	var args []string
	add := func(flag string, values ...string) {
		for _, value := range values {
			args = append(args, flag+"="+value)
		}
	}
	if r.EntryPoint != "" {
		add("--entry-point", r.EntryPoint)
	}
	if r.Script != "" {
		add("--script", r.Script)
	}
	add("--inject-python-args", quoted(r.InjectPythonArgs)...)
	add("--inject-args", quoted(r.InjectArgs)...)
	for _, name := range slices.Sorted(maps.Keys(r.InjectEnv)) {
		add("--inject-env", name+"="+r.InjectEnv[name])
	}
	add("--interpreter-constraint", r.InterpreterConstraints...)
	add("--exclude", r.Exclude...)
	if r.PexRoot != "" {
		add("--runtime-pex-root", r.PexRoot)
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{
		{"--ignore-errors", r.IgnoreErrors}, {"--no-strip-pex-env", r.KeepPexEnv}, {"--include-tools", r.IncludeTools}, {"--venv", r.Venv},
	} {
		if flag.on {
			args = append(args, flag.name)
		}
	}
	return args
}

// quoted protects arguments from the shlex.split that pex applies to them.
func quoted(args []string) []string {
	var all []string
	for _, arg := range args {
		all = append(all, "'"+strings.ReplaceAll(arg, "'", `'"'"'`)+"'")
	}
	return all
}

// requirements names the wheels of one target. A wheel that not all targets have gets a marker that tells the
// targets apart, by minor version and machine: the PEX is to start on other patch releases, too.
func (r AssembleRequest) requirements(set int) ([]string, error) {
	having := map[string]int{}
	for _, s := range r.Sets {
		for _, w := range s.Wheels {
			having[pinnedName(w)]++
		}
	}
	p, err := r.Sets[set].Target.read()
	if err != nil {
		return nil, err
	}
	var clauses []string
	for _, name := range []string{"platform_machine", "python_version", "sys_platform"} {
		value := cmp.Or(p.markers[name], minor(p.markers["python_full_version"]))
		clauses = append(clauses, fmt.Sprintf("%s == %q", name, value))
	}
	var all []string
	for _, w := range r.Sets[set].Wheels {
		line := pinnedName(w)
		if having[line] < len(r.Sets) {
			line += "; " + strings.Join(clauses, " and ")
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all, nil
}

func pinnedName(w *wheel.Wheel) string { return w.Name.Normalized() + "==" + w.Metadata.Version }
