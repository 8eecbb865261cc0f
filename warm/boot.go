package warm

import (
	"path"
	"strings"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// bootstrapDir is where pex's own code lies. A PEX of a pex before 2.1.48 does not say.
func (b *build) bootstrapDir() string {
	name := b.pex.BootstrapHash
	if name == "" {
		name = "unhashed"
	}
	return path.Join(b.p.cache("bootstraps"), name)
}

// bootstrap is pex's own code, compiled for the path at which it lies, and the home of the default user, which is here
// since nothing changes less. Locks that pex left in its own package stay behind.
func (b *build) bootstrap() *tree.Tree {
	dir := b.bootstrapDir()
	t := &tree.Tree{}
	for _, e := range b.file.Bootstrap {
		if e.Kind != tree.File || bytecodeFile(e.Path) || strings.HasSuffix(e.Path, ".lck") {
			continue
		}
		imported := path.Join(dir, e.Path)
		e.Path, e.Mode, e.UID, e.GID, e.Origin = in(imported), mode(e), 0, 0, ""
		*t = append(*t, e)
		if strings.HasSuffix(e.Path, ".py") {
			b.batch.add(imported, bytecode.Unchecked, e, func(pyc tree.Entry) error {
				pyc.Path = in(bytecode.CacheName(imported, b.p.py.tag))
				*t = append(*t, pyc)
				return nil
			})
		}
	}
	return t
}

// bootUnit adds the directories and the home.
func (b *build) bootUnit(t tree.Tree) (Unit, error) {
	t = within(append(t, tree.NewDir(in(b.bootstrapDir()))), path.Join(b.p.root, "bootstraps"))
	home := tree.NewDir(in(b.p.home))
	home.Mode, home.UID, home.GID = 0o775, UserID, 0
	u, err := hashed(Bootstrap, append(t, home))
	u.Pure = true
	return u, err
}

// UserID is the default user's. Its group is 0, as OpenShift has it for the user IDs that it makes up.
const UserID = 65532

// stdlib is the part of a base's standard library that has no bytecode.
type stdlib struct {
	sources []tree.Entry // paths as the image has them
	// imported gives the path by which a source is imported; it differs where the base has links.
	imported func(path string) string
	base     string // what determines the sources: the digest of the base image
	pycs     tree.Tree
}

func (s *stdlib) compile(b *batch, py python) {
	for _, e := range s.sources {
		b.add(s.imported("/"+e.Path), bytecode.Unchecked, e, func(pyc tree.Entry) error {
			pyc.Path = bytecode.CacheName(e.Path, py.tag)
			s.pycs = append(s.pycs, pyc)
			return nil
		})
	}
}

// unit is the bytecode beside the base's modules; false if there is none.
func (s *stdlib) unit(p place) (Unit, bool) {
	if len(s.pycs) == 0 {
		return Unit{}, false
	}
	s.pycs.Sort()
	return Unit{Kind: Stdlib, Name: Stdlib.String(), Key: keyOf("stdlib", s.base, p.py.compiler, p.py.tag), Pure: true, Tree: s.pycs}, true
}
