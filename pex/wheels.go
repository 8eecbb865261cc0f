package pex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/lock"
	"github.com/pexko/pexko/wheel"
)

// WheelsRequest asks for the wheels of one target.
type WheelsRequest struct {
	// Lock says which; nil resolves Requirements alone, as of today.
	Lock *lock.Lock
	// Requirements are by PEP 508, or what pip takes on its command line. With a lock that knows who requires
	// what (pex's, some pylocks) they choose a part of it.
	Requirements []string
	// Constraints are lines of a constraints file for what is resolved without a lock.
	Constraints []string
	// Extras and Groups are those of a pylock (PEP 751).
	Extras, Groups []string
	// Exclude names distributions that are left out, with what they alone require.
	Exclude []string
	// BuildConstraints pin the build requirements of what is built from sdists, "setuptools==84.2.1" each.
	BuildConstraints []string
	// Dir is where relative paths of requirements start; "" is the lock's directory.
	Dir string
	// Target is where the wheels have to run.
	Target Target
	// Update is told what is going on. It may be nil.
	Update func(detail string)
}

// empty reports whether nothing is asked for.
func (r WheelsRequest) empty() bool { return r.Lock == nil && len(r.Requirements) == 0 }

// key names the result in the store. The host Python is no part of it: pure wheels are the same from each,
// and a compiled one is taken only from the target's minor version.
func (r WheelsRequest) key() string {
	platform := sha256.Sum256(r.Target.CompletePlatform)
	text, err := json.Marshal([]any{
		"1", toolKey(), r.Lock.SHA256, string(r.Lock.Kind), r.Requirements, r.Constraints,
		slices.Sorted(slices.Values(r.Extras)), slices.Sorted(slices.Values(r.Groups)), slices.Sorted(slices.Values(r.Exclude)),
		r.BuildConstraints, r.Target.Key, hex.EncodeToString(platform[:]),
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// kept is one wheel of a recorded result.
type kept struct {
	File, SHA256 string
	Built        bool // on this machine, from an sdist
}

// Wheels returns the wheels of a target, sorted by name, each verified and in the store. With a lock that has
// hashes the result is recorded: asked again, no process starts and nothing is resolved or downloaded.
// Without one it is resolved anew each time, and a warning says so.
//
// Errors: *MissingWheelError, or *lock.MissingWheel where the lock knows it beforehand; *SdistError, *HashError,
// *IndexError, *PythonError, *ProcessError.
func (t *Tool) Wheels(ctx context.Context, r WheelsRequest) ([]*wheel.Wheel, error) {
	if r.empty() {
		return nil, nil
	}
	if !repeatable(r.Lock) {
		t.warnUnlocked(r)
		wheels, built, err := t.collect(ctx, r)
		t.warnBuilt(r, built)
		return wheels, err
	}
	if wheels, built, err := t.recorded(ctx, r.key()); err != nil || wheels != nil {
		t.warnBuilt(r, built)
		return wheels, err
	}
	wheels, built, err := t.collect(ctx, r)
	if err != nil {
		return nil, err
	}
	t.warnBuilt(r, built)
	return wheels, t.record(r.key(), wheels, built)
}

func (t *Tool) warnUnlocked(r WheelsRequest) {
	switch {
	case r.Lock == nil:
		t.warn("there is no lock: the dependencies are what the index offers today, and the image is not reproducible")
	case !r.Lock.Hashed:
		t.warn("%s has no hashes: what the index serves is taken as it is, and the image is not reproducible", filepath.Base(r.Lock.Path))
	}
}

// warnBuilt says which wheels depend on build requirements that nothing pins.
func (t *Tool) warnBuilt(r WheelsRequest, built []string) {
	if len(built) > 0 && len(r.BuildConstraints) == 0 {
		t.warn("built from source, with build requirements that are not pinned: %s; the image is not reproducible", strings.Join(built, ", "))
	}
}

func (t *Tool) record(key string, wheels []*wheel.Wheel, built []string) error {
	list := make([]kept, 0, len(wheels))
	for _, w := range wheels {
		list = append(list, kept{w.Name.File, w.SHA256, slices.Contains(built, w.Name.File)})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return t.o.Store.Put("wheels", key, text)
}

var errAbsent = errors.New("not in the store")

// recorded returns an earlier result if all of its wheels are there unharmed; wheels is nil if not.
func (t *Tool) recorded(ctx context.Context, key string) (wheels []*wheel.Wheel, built []string, err error) {
	text, ok, err := t.o.Store.Get("wheels", key)
	if err != nil || !ok {
		return nil, nil, err
	}
	var list []kept
	if json.Unmarshal(text, &list) != nil {
		return nil, nil, nil
	}
	wheels = make([]*wheel.Wheel, len(list))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(4) // reading and hashing; more do not help a disk
	for i, k := range list {
		if k.Built {
			built = append(built, k.File)
		}
		work.Go(func() (err error) {
			wheels[i], err = t.stored(ctx, k)
			return err
		})
	}
	if err := work.Wait(); errors.Is(err, errAbsent) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	return wheels, built, nil
}

// stored opens a wheel of the store and verifies it; a damaged one is removed.
func (t *Tool) stored(ctx context.Context, k kept) (*wheel.Wheel, error) {
	dir, err := t.o.Store.Dir(ctx, wheelSpace, wheelKey(k.File, k.SHA256), func(string) error { return errAbsent })
	if err != nil {
		return nil, err
	}
	w, err := wheel.Open(filepath.Join(dir, k.File))
	if err != nil || w.SHA256 != k.SHA256 {
		return nil, errors.Join(errAbsent, os.RemoveAll(dir))
	}
	return w, nil
}

// collect has pex3 wheel bring the wheels together, and checks and keeps them.
func (t *Tool) collect(ctx context.Context, r WheelsRequest) (wheels []*wheel.Wheel, built []string, err error) {
	target, err := r.Target.read()
	if err != nil {
		return nil, nil, err
	}
	if err := r.preflight(target); err != nil {
		return nil, nil, err
	}
	p, err := t.Python(ctx)
	if err != nil {
		return nil, nil, err
	}
	constraints := []byte(strings.Join(r.BuildConstraints, "\n"))
	root, err := t.root(constraints)
	if err != nil {
		return nil, nil, err
	}
	if _, err := t.pip(ctx, p, root); err != nil {
		return nil, nil, err
	}
	work, remove, err := t.o.Store.TempDir()
	if err != nil {
		return nil, nil, err
	}
	defer remove()
	c := collection{tool: t, r: r, python: p, target: target, root: root, work: work}
	if err := c.run(ctx); err != nil {
		return nil, nil, err
	}
	return c.gather(ctx)
}

// collection is one run of pex3 wheel.
type collection struct {
	tool       *Tool
	r          WheelsRequest
	python     Python
	target     platform
	root, work string
}

func (c *collection) dest() string { return filepath.Join(c.work, "wheels") }
func (c *collection) log() string  { return filepath.Join(c.work, "pip.log") }

func (c *collection) run(ctx context.Context) error {
	args := []string{
		"wheel", "--pip-version=" + PipVersion, "--no-allow-pip-version-fallback", "--use-pip-config",
		"--dest-dir=" + c.dest(),
	}
	input, err := c.input()
	if err != nil {
		return err
	}
	args = append(args, c.tool.config(c.python).networkArgs()...)
	args = append(args, input...)
	env := c.tool.env
	if len(c.r.BuildConstraints) > 0 {
		file, err := c.file("build-constraints.txt", c.r.BuildConstraints)
		if err != nil {
			return err
		}
		env = env.with("PIP_BUILD_CONSTRAINT=" + strings.TrimSpace(env.get("PIP_BUILD_CONSTRAINT")+" "+file))
	}
	stop := followLog(c.log(), updates(c.r.Update))
	_, err = c.tool.runPex(ctx, c.python, command{
		what: "pex3 wheel for " + c.r.Target.String(), argv: c.tool.pexCommand(c.python, "pex.cli", args...), env: env, dir: c.dir(),
	}, c.root)
	stop()
	if err != nil {
		return c.diagnose(err)
	}
	return nil
}

func (c *collection) dir() string {
	switch {
	case c.r.Dir != "":
		return c.r.Dir
	case c.r.Lock != nil:
		return filepath.Dir(c.r.Lock.Path)
	}
	return c.work
}

func (c *collection) file(name string, lines []string) (string, error) {
	path := filepath.Join(c.work, name)
	return path, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// input are the options that say what is wanted and for which target.
func (c *collection) input() ([]string, error) {
	platform, err := c.file("platform.json", []string{string(c.r.Target.CompletePlatform)})
	if err != nil {
		return nil, err
	}
	args := []string{"--complete-platform=" + platform}
	for _, name := range c.r.Exclude {
		args = append(args, "--exclude="+name)
	}
	if c.r.Lock == nil || c.r.Lock.Kind == lock.Requirements {
		args = append(args, "--pip-log="+c.log()) // pex takes no such option for locks of its own reading
	}
	if len(c.r.Constraints) > 0 {
		file, err := c.file("constraints.txt", c.r.Constraints)
		if err != nil {
			return nil, err
		}
		args = append(args, "--constraints="+file)
	}
	if c.r.Lock != nil {
		from, err := c.lockArgs()
		if err != nil {
			return nil, err
		}
		args = append(args, from...)
	}
	return append(args, c.r.Requirements...), nil
}

func (c *collection) lockArgs() ([]string, error) {
	path, err := filepath.Abs(c.r.Lock.Path)
	if err != nil {
		return nil, err
	}
	switch c.r.Lock.Kind {
	case lock.Requirements:
		return []string{"--requirement=" + path}, nil
	case lock.PexLock:
		return []string{"--lock=" + path}, nil
	case lock.Pylock:
		args := []string{"--pylock=" + path}
		for _, extra := range c.r.Extras {
			args = append(args, "--pylock-extra="+extra)
		}
		for _, group := range c.r.Groups {
			args = append(args, "--pylock-group="+group)
		}
		return args, nil
	}
	return nil, fmt.Errorf("%s: pex reads no %s lock", c.r.Lock.Path, c.r.Lock.Kind)
}

// gather verifies what pex brought and puts it into the store, sorted by name.
func (c *collection) gather(ctx context.Context) (wheels []*wheel.Wheel, built []string, err error) {
	files, err := filepath.Glob(filepath.Join(c.dest(), "*.whl"))
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		w, here, err := c.take(ctx, file)
		if err != nil {
			return nil, nil, err
		}
		if here {
			built = append(built, w.Name.File)
		}
		wheels = append(wheels, w)
	}
	slices.SortFunc(wheels, func(a, b *wheel.Wheel) int {
		return strings.Compare(a.Name.Normalized()+" "+a.Name.File, b.Name.Normalized()+" "+b.Name.File)
	})
	return wheels, built, nil
}

// take verifies one wheel; one that was built here is brought into normal form, since its bytes are no one's
// promise.
func (c *collection) take(ctx context.Context, file string) (w *wheel.Wheel, built bool, err error) {
	if w, err = wheel.Open(file); err != nil {
		return nil, false, c.forget(file, err)
	}
	if err := fits(w, c.target); err != nil {
		return nil, false, err
	}
	if c.wasBuilt(w) {
		w, err = c.tool.keepBuilt(ctx, file, c.work)
		return w, true, err
	}
	if err := c.checkLocked(w); err != nil {
		return nil, false, c.forget(file, err)
	}
	w, err = c.tool.keep(ctx, w)
	return w, false, err
}

// forget removes a damaged wheel from what pex keeps of its downloads and does not check again
// (cache/dirs.py, DOWNLOADS), so that the next run fetches it. It returns the error that is the reason.
func (c *collection) forget(file string, reason error) error {
	found, err := filepath.Glob(filepath.Join(c.root, "downloads", "*", "*", globQuoted(filepath.Base(file))))
	if err != nil {
		return reason
	}
	for _, path := range found {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return errors.Join(reason, err)
		}
	}
	return reason
}

// wasBuilt looks into pex's cache of what it built from sdists (cache/dirs.py, BUILT_WHEELS).
func (c *collection) wasBuilt(w *wheel.Wheel) bool {
	found, err := filepath.Glob(filepath.Join(c.root, "built_wheels", "*", "*", "*", "*", "*", globQuoted(w.Name.File)))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(found, func(path string) bool {
		other, err := wheel.Open(path)
		return err == nil && other.SHA256 == w.SHA256
	})
}

func globQuoted(name string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, "*", `\*`, "?", `\?`).Replace(name)
}
