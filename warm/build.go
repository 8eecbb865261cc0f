package warm

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// build is one run over a PEX: plain inputs, no image and no interpreter.
type build struct {
	p        place
	app      App
	file     *pex.File
	pex      info
	base     library
	compiles bool

	m       *merged
	batch   batch
	runtime runtime
	code    *code
	chroots []*chroot
	sources []*source          // in the order in which they win: the application's roots, then the chroots
	scripts map[string]*chroot // by path below the venv: whose Python script it is
	clashes []Collision
}

// library is what a base image has to import beside the venv.
type library interface {
	// HasModule tells whether the standard library holds a module; name is dotted.
	HasModule(name string) bool
}

// info is PEX-INFO.
type info struct{ pex.Info }

// injects tells whether something is added to the environment or the arguments at every start.
func (i info) injects() bool {
	return len(i.InjectEnv) > 0 || len(i.InjectArgs) > 0 || len(i.BindResourcePaths) > 0
}

// fillsIn tells whether that is known at the start alone, so that pex's venv script has to find it out: where a
// resource lies, what stands for a field in an argument.
func (i info) fillsIn() bool {
	return len(i.BindResourcePaths) > 0 || slices.ContainsFunc(i.InjectArgs, func(arg string) bool { return strings.ContainsAny(arg, "{}") })
}

// Collision is a file that a second provider brings with other content. The first one's is in the image.
type Collision struct{ Path, Winner, Loser string }

// newBuild reads the parts of a PEX.
func newBuild(ctx context.Context, f *pex.File, app App, p place, compiles bool) (*build, error) {
	b := &build{p: p, app: app, file: f, pex: info{f.Info}, compiles: compiles, scripts: map[string]*chroot{}}
	if err := app.validate(); err != nil {
		return nil, err
	}
	var err error
	if b.runtime, err = readRuntime(f.Bootstrap); err != nil {
		return nil, err
	}
	if b.code, err = readCode(app); err != nil {
		return nil, err
	}
	return b, b.readChroots(ctx)
}

func (b *build) readChroots(ctx context.Context) error {
	project := false
	for _, d := range b.file.Distributions {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		plain, err := plainDist(d, b.app.Project)
		if err != nil {
			return err
		}
		project = project || plain.project
		c, err := readChroot(plain, b.p)
		if err == nil {
			err = c.findNatives()
		}
		if err != nil {
			return err
		}
		b.chroots = append(b.chroots, c)
	}
	if b.app.Project != "" && !project {
		return fmt.Errorf("the PEX holds no distribution %s, which is to be the project itself", b.app.Project)
	}
	return nil
}

func plainDist(d pex.Distribution, project string) (dist, error) {
	name, err := wheel.ParseName(d.Wheel)
	if err != nil {
		return dist{}, err
	}
	plain := dist{name: wheel.Normalize(d.Name), version: d.Version, wheel: d.Wheel, fingerprint: d.Fingerprint, chroot: d.Chroot, pure: true}
	for _, tag := range name.Tags {
		plain.pure = plain.pure && tag.Platform == "any"
	}
	plain.project = project != "" && plain.name == wheel.Normalize(project)
	return plain, nil
}

// make runs the stages: merge names, find the entry point, compile, emit entries.
func (b *build) make(ctx context.Context, c Compiler, stdlib *stdlib) (*Tree, error) {
	if err := b.merge(); err != nil {
		return nil, err
	}
	s, err := b.resolve(b.app.Entry)
	if err != nil {
		return nil, err
	}
	app, err := b.addApplication(s)
	if err != nil {
		return nil, err
	}
	boot := b.bootstrap()
	b.compileAll()
	stdlib.compile(&b.batch, b.p.py)
	skipped, err := b.batch.run(ctx, c)
	if err != nil {
		return nil, err
	}
	units, err := b.units(stdlib, boot, app)
	if err != nil {
		return nil, err
	}
	return &Tree{Units: units, Entrypoint: b.command(), VenvDir: b.p.venv(), AppDir: b.p.app, Skipped: skipped, Collisions: b.clashes}, nil
}

// merge puts all files at their places in the venv, in the order of who wins.
func (b *build) merge() error {
	b.m = newMerged(b.p)
	if err := b.m.addOwn(b.runtime, &b.batch); err != nil {
		return err
	}
	if err := b.reserve(); err != nil {
		return err
	}
	for _, s := range b.code.sources(b.p) {
		b.sources = append(b.sources, s)
		for _, name := range sorted(s.files) {
			if err := b.add(path.Join(b.p.libs(), name), &leaf{from: s, at: name}); err != nil {
				return err
			}
		}
	}
	for _, c := range b.chroots {
		if err := b.addChroot(c); err != nil {
			return err
		}
	}
	return nil
}

// add puts a file and remembers who lost.
func (b *build) add(at string, l *leaf) error {
	won, err := b.m.add(at, l)
	if err == nil && !won {
		winner := b.m.find(at).leaf
		same, err := sameContent(winner, l)
		if err != nil {
			return err
		}
		if !same {
			b.clashes = append(b.clashes, Collision{path.Join(b.p.venv(), at), winner.from.name, l.from.name})
		}
	}
	return err
}

func (b *build) addChroot(c *chroot) error {
	s := c.source()
	b.sources = append(b.sources, s)
	if c.info != "" {
		if err := c.claim(b.m, s); err != nil {
			return err
		}
	}
	for _, f := range c.shown {
		l := &leaf{from: s, at: f.at}
		if inBin(f.venv) && c.executable(f.at) {
			text, ok, err := script(c.files[f.at], b.p.shebang(b.app.Hermetic))
			if err != nil {
				return fmt.Errorf("%s: %w", c.wheel, err)
			}
			if ok {
				text.Origin = c.name
				l.made = &text
				if b.m.find(f.venv) == nil {
					b.scripts[f.venv] = c
				}
			}
		}
		if err := b.add(f.venv, l); err != nil {
			return err
		}
	}
	return nil
}

// compileAll registers what is compiled of the wheels and the application.
func (b *build) compileAll() {
	for _, c := range b.chroots {
		mode := bytecode.Unchecked
		if c.project {
			mode = bytecode.Checked
		}
		c.compile(b.p, mode, &b.batch)
	}
	b.code.compile(b.p, b.sources[:len(b.code.roots)], &b.batch)
}

// units emits the entries, unit by unit, in the order of the layers.
func (b *build) units(std *stdlib, boot, app *tree.Tree) ([]Unit, error) {
	for _, c := range b.chroots {
		if err := c.writeInfo(b.m); err != nil {
			return nil, err
		}
	}
	b.m.root.sum("")
	b.honourRunpaths()
	e := b.m.emit()
	var units []Unit
	if u, ok := std.unit(b.p); ok {
		units = append(units, u)
	}
	bootUnit, err := b.bootUnit(*boot)
	if err != nil {
		return nil, err
	}
	units = append(units, bootUnit)
	appTree := append(append(*app, e.app...), b.code.tree(b.p)...)
	for _, c := range b.chroots {
		if c.project {
			appTree = append(appTree, c.tree()...)
			continue
		}
		u, err := c.unit(b.p, b.compiles)
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	venv, err := hashed(Venv, e.venv)
	if err != nil {
		return nil, err
	}
	application, err := hashed(Application, b.ownDirs(appTree, e.dirs))
	return append(units, venv, application), err
}

// ownDirs adds the directories that no other unit has.
func (b *build) ownDirs(t tree.Tree, venvDirs map[string]bool) tree.Tree {
	wheels := b.p.cache("installed_wheels")
	var own tree.Tree
	for _, e := range t.WithParents(tree.NewDir) {
		dir := "/" + e.Path
		shared := venvDirs[dir] || dir == wheels || strings.HasPrefix(wheels, dir+"/") || strings.HasPrefix(b.p.app, dir+"/")
		if e.Kind != tree.Dir || !shared && (strings.HasPrefix(dir, b.p.root+"/") || dir == b.p.app || strings.HasPrefix(dir, b.p.app+"/")) {
			own = append(own, e)
		}
	}
	return own
}
