package warm

import (
	"crypto/sha1" //nolint:gosec // pex's names, not ours
	"encoding/hex"
	"path"
	"slices"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// named makes what pex finds in a PEX_ROOT by the hashes of a PEX: links and thin directories, so that a new hash
// moves no file. With them a boot of the PEX itself, wherever it comes from, finds itself installed.
func (b *build) named() tree.Tree {
	t := b.unzipped()
	contents, err := b.pex.ContentsHash(b.p.py.real)
	if err != nil { // the PEX needs others beside it: there is no venv that pex would accept
		return t
	}
	// variables.py, venv_dir; pex_bootstrapper.py, ensure_venv
	venv := path.Join(b.p.cache("venvs"), b.pex.PexHash, contents)
	sum := sha1.Sum([]byte(venv)) //nolint:gosec // as above
	short := path.Join(b.p.cache("venvs"), "s", hex.EncodeToString(sum[:])[:8], "venv")
	return append(t, link(venv, b.p.venv()), link(short, venv))
}

// unzippedDir is where pex unpacks this PEX.
func (b *build) unzippedDir() string { return path.Join(b.p.cache("unzipped_pexes"), b.pex.PexHash) }

// unzipped is the PEX as layout.py's _ensure_installed unpacks a zipapp, but for the time stamp that it writes there.
func (b *build) unzipped() tree.Tree {
	dir, userCode := b.unzippedDir(), path.Join(b.p.cache("user_code"), b.pex.CodeHash)
	at := func(name string) string { return path.Join(dir, name) }
	t := tree.Tree{
		link(at(".bootstrap"), b.bootstrapDir()),
		tree.NewFile(in(at("PEX-INFO")), 0o644, b.file.Raw),
		tree.NewFile(in(at("PEX-LAYOUT")), 0o644, []byte("zipapp")),
		tree.NewFile(in(at("__main__.py")), 0o755, b.file.Main),
		tree.NewLink(in(at(".last-access")), "/dev/null"),
	}
	for _, c := range b.chroots {
		t = append(t, link(at(path.Join(".deps", c.wheel)), c.dir))
	}
	for _, name := range b.userTops() {
		t = append(t, link(at(name), path.Join(userCode, name)))
	}
	return append(t, b.userCode(userCode)...)
}

// userCode is the directory of the user's code: a link where that is one directory of the application.
func (b *build) userCode(dir string) tree.Tree {
	if len(b.code.roots) == 1 {
		return tree.Tree{link(dir, path.Join(b.p.app, b.code.roots[0]))}
	}
	t, tops := tree.Tree{tree.NewDir(in(dir))}, b.code.tops(b.p)
	for _, name := range b.userTops() {
		t = append(t, link(path.Join(dir, name), tops[name]))
	}
	return t
}

// pexNames are the names at the top of a PEX that are not the user's (pex/venv/installer.py, PEXSources).
var pexNames = [...]string{"__main__.py", "__pex__", "__pycache__", "pex", ".last-access", ".bootstrap", ".deps", "PEX-INFO", "PEX-LAYOUT"}

// userTops are the names at the top of the user's code.
func (b *build) userTops() []string {
	return slices.DeleteFunc(sorted(b.code.tops(b.p)), func(name string) bool { return slices.Contains(pexNames[:], name) })
}

// dirPex is the PEX that a user can start by name, PEX_ROOT/<name>.pex. What is
// not a link there is its __main__ and __pex__, by which Python code imports a PEX.
func (b *build) dirPex(main []byte) tree.Tree {
	dir := b.dirPexPath()
	at := func(name string) string { return path.Join(dir, name) }
	t := tree.Tree{
		link(at(".bootstrap"), b.bootstrapDir()),
		link(at("PEX-INFO"), path.Join(b.unzippedDir(), "PEX-INFO")),
		tree.NewFile(in(at("__main__.py")), 0o755, main),
	}
	if len(b.chroots) > 0 {
		t = append(t, link(at(".deps"), path.Join(b.unzippedDir(), ".deps")))
	}
	for _, e := range b.file.Pex {
		if e.Kind == tree.File && !bytecodeFile(e.Path) {
			e.Path, e.Mode, e.UID, e.GID = path.Join(in(at("__pex__")), e.Path), mode(e), 0, 0
			t = append(t, e)
		}
	}
	tops := b.code.tops(b.p)
	for _, name := range b.userTops() {
		t = append(t, link(at(name), tops[name]))
	}
	return t
}

func (b *build) dirPexPath() string { return path.Join(b.p.root, b.app.Name+".pex") }

// compileModule has a file of a tree compiled under its own path and the pyc added to the tree when it is there.
func (b *build) compileModule(t *tree.Tree, name string) {
	for _, e := range *t {
		if e.Path != in(name) {
			continue
		}
		b.batch.add(name, bytecode.Unchecked, e, func(pyc tree.Entry) error {
			pyc.Path = in(bytecode.CacheName(name, b.p.py.tag))
			*t = append(*t, pyc)
			return nil
		})
	}
}
