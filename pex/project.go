package pex

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// ProjectRequest asks for the wheel of a project with a build system (PEP 517).
type ProjectRequest struct {
	// Dir is the directory with pyproject.toml. It is only read.
	Dir string
	// RequiresPython is the project's, "" if it has none or computes it.
	RequiresPython string
	// Constraints pin build requirements, "setuptools==84.2.1" each; they hold for those of the project and
	// for what these require. Other requirements are not affected, and hashes are not compared by pip.
	Constraints []string
	// Targets are those on which the wheel has to run.
	Targets []Target
	// Update is told what the build is doing. It may be nil.
	Update func(detail string)
}

// BuildReport says how a wheel was made.
type BuildReport struct {
	// Python built it.
	Python Python
	// Requires are the distributions in the build environment, "name==version", sorted.
	Requires []string
	// Pinned says that constraints gave the version of each of them; else the same sources may make another
	// wheel tomorrow.
	Pinned bool
	// Pure says that the wheel runs on every platform.
	Pure bool
}

// BuildProject builds the wheel of a project in a copy of it, by pex's own pip, as pex would (resolver.py:1087),
// but without first making an sdist to know the project by, and so that it tells the build requirements. The wheel is in its normal form (normalise) and lies in the store.
func (t *Tool) BuildProject(ctx context.Context, r ProjectRequest) (*wheel.Wheel, BuildReport, error) {
	w, report, err := t.buildProject(ctx, r)
	if err != nil {
		return nil, BuildReport{}, fmt.Errorf("%s: building the project's wheel: %w", r.Dir, err)
	}
	return w, report, runsOn(w, report, r.Targets)
}

// runsOn checks that a project's wheel runs on every target.
func runsOn(w *wheel.Wheel, report BuildReport, targets []Target) error {
	for _, target := range targets {
		p, err := target.read()
		if err != nil {
			return err
		}
		if _, ok := p.tags.Rank(w.Name); !ok {
			return &ForeignBuildError{Wheel: w.Name.File, Target: target, Python: report.Python}
		}
	}
	return nil
}

// ForeignBuildError is a project with compiled code, built for the Python at hand and not for the target's.
type ForeignBuildError struct {
	Wheel  string
	Target Target
	Python Python
}

// Error names wheel, builder and target.
func (e *ForeignBuildError) Error() string {
	return fmt.Sprintf("%s: the project's wheel, built by %s, does not run on %s", e.Wheel, e.Python, e.Target)
}

// Hint says what to do about it.
func (e *ForeignBuildError) Hint() string {
	if minor(e.Target.Python) != e.Python.Minor() {
		return "the project has compiled code: build it with a Python " + minor(e.Target.Python) + " (PEXKO_HOST_PYTHON)"
	}
	return "the project has compiled code, which can be built for this machine's platform alone: build on the target's platform, or leave it out (--platform)"
}

func (t *Tool) buildProject(ctx context.Context, r ProjectRequest) (*wheel.Wheel, BuildReport, error) {
	p, err := t.pythonFor(ctx, r.RequiresPython)
	if err != nil {
		return nil, BuildReport{}, err
	}
	work, remove, err := t.o.Store.TempDir()
	if err != nil {
		return nil, BuildReport{}, err
	}
	defer remove()
	for _, dir := range []string{"project", "built"} {
		if err := os.Mkdir(filepath.Join(work, dir), 0o755); err != nil {
			return nil, BuildReport{}, err
		}
	}
	copied := filepath.Join(work, "project")
	if err := workingCopy(ctx, r.Dir, copied, t.o.Store.Root()); err != nil {
		return nil, BuildReport{}, err
	}
	key, err := projectKey(copied, p, r)
	if err != nil {
		return nil, BuildReport{}, err
	}
	w, requires, err := t.recordedProject(ctx, key)
	if err == nil && w == nil {
		if w, requires, err = t.runBackend(ctx, p, r, work); err == nil {
			err = t.recordProject(key, w, requires)
		}
	}
	if err != nil {
		return nil, BuildReport{}, err
	}
	return w, BuildReport{Python: p, Requires: requires, Pinned: allPinned(requires, r.Constraints), Pure: pure(w.Name)}, nil
}

// runBackend builds the wheel of the copy in work/project, and says with which distributions.
func (t *Tool) runBackend(ctx context.Context, p Python, r ProjectRequest, work string) (*wheel.Wheel, []string, error) {
	root, err := t.root(nil)
	if err != nil {
		return nil, nil, err
	}
	made, err := t.pip(ctx, p, root)
	if err != nil {
		return nil, nil, err
	}
	var used installed
	if err := t.runBuild(ctx, p, made, r, root, work, &used); err != nil {
		return nil, nil, t.explain(p, err, "", "the build constraints")
	}
	built, err := filepath.Glob(filepath.Join(work, "built", "*.whl"))
	if err == nil && len(built) != 1 {
		err = fmt.Errorf("the backend made %d wheels, not one", len(built))
	}
	if err != nil {
		return nil, nil, err
	}
	w, err := t.keepBuilt(ctx, built[0], work)
	return w, used.sorted(), err
}

// pythonFor is the tool's own Python if the project admits it, else another.
func (t *Tool) pythonFor(ctx context.Context, requires string) (Python, error) {
	admitted, err := pep.ParseSpecifiers(requires)
	if err != nil {
		return Python{}, fmt.Errorf("requires-python: %w", err)
	}
	fit := func(p Python) string {
		if !admitted.Contains(p.Version, true) {
			return fmt.Sprintf("is Python %s, and the project wants %s", p.Version, requires)
		}
		return ""
	}
	p, err := t.Python(ctx)
	if err != nil || fit(p) == "" {
		return p, err
	}
	return t.find(ctx, hostWant+" that the project's requires-python admits ("+requires+")", fit)
}

// runBuild runs pip wheel over a copy of the project: work/project in, work/built out.
func (t *Tool) runBuild(ctx context.Context, p Python, made pip, r ProjectRequest, root, work string, used *installed) error {
	project, built, list := filepath.Join(work, "project"), filepath.Join(work, "built"), filepath.Join(work, "constraints.txt")
	// Verbose, since pip is silent about build requirements otherwise, and about what a backend says.
	args := []string{"wheel", "--verbose", "--no-deps", "--progress-bar=off", "--wheel-dir=" + built}
	if len(r.Constraints) > 0 {
		if err := os.WriteFile(list, []byte(strings.Join(r.Constraints, "\n")+"\n"), 0o644); err != nil {
			return err
		}
		args = append(args, "--build-constraint="+list)
	}
	update := updates(r.Update)
	_, err := t.runIn(ctx, p, command{
		what: "pip wheel",
		argv: made.command(append(args, project)...),
		// git, asked for a version, must not refresh the index of the project's repository.
		env: t.env.with("GIT_OPTIONAL_LOCKS=0"),
		line: func(line string) {
			used.read(line)
			update(line)
		},
	}, root)
	return err
}

// keepBuilt normalises a wheel and puts it into the store.
func (t *Tool) keepBuilt(ctx context.Context, built, work string) (*wheel.Wheel, error) {
	dir, err := os.MkdirTemp(work, "normal")
	if err != nil {
		return nil, err
	}
	w, err := normalise(built, dir)
	if err != nil {
		return nil, err
	}
	return t.keep(ctx, w)
}

// keep moves a wheel into the store, under its digest.
func (t *Tool) keep(ctx context.Context, w *wheel.Wheel) (*wheel.Wheel, error) {
	dir, err := t.o.Store.Dir(ctx, wheelSpace, wheelKey(w.Name.File, w.SHA256), func(dir string) error {
		to := filepath.Join(dir, w.Name.File)
		if os.Link(w.Path, to) == nil { // pex's cache and ours are on one file system
			return nil
		}
		return copyFile(w.Path, to)
	})
	kept := *w
	kept.Path = filepath.Join(dir, w.Name.File)
	return &kept, err
}

const wheelSpace = "wheel"

func wheelKey(file, sha256 string) string { return sha256 + " " + file }

// pure reports whether a wheel runs on every platform.
func pure(n wheel.Name) bool {
	return slices.ContainsFunc(n.Tags, func(tag wheel.Tag) bool { return tag.ABI == "none" && tag.Platform == "any" })
}
