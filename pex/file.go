package pex

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/internal/tree"
)

// File is a PEX, whoever made it and in whatever layout: what later stages know of it. The trees' files are
// opened where they lie, so what they lie in has to stay until the last is read; see Close. All modes are
// 0644, or 0755 for what its owner may execute, whatever the umask was.
type File struct {
	Info Info
	Raw  []byte // PEX-INFO as it is in the PEX; the same as Info.Raw
	// Distributions are those of the PEX in the order in which pex activates them on the target, if the File
	// is of one target (Assemble, For): the first that provides a path wins it. Read alone knows no target;
	// its order is that of the wheels' names.
	Distributions []Distribution
	Code          tree.Tree // the user's, relative to the import root; no bytecode
	Bootstrap     tree.Tree // pex's own runtime, relative to .bootstrap
	Main          []byte    // __main__.py
	Pex           tree.Tree // __pex__, which makes the PEX importable; relative to it

	close func()
}

// Distribution is one of a PEX's, as pex installs it (pep_427.py:127).
type Distribution struct {
	Wheel         string // file name of the wheel, by which PEX-INFO and .deps name it
	Fingerprint   string // PEX-INFO's; names the directory in installed_wheels
	Name, Version string // as METADATA has them
	// Chroot is what pex installs: the root scheme at the top, .prefix with scripts and data, .layout.json,
	// relative to the chroot; no bytecode. Entries' Origin is the normalised name.
	Chroot tree.Tree

	metadata metadata
}

// Close removes the directory that Assemble made for the File, if it did.
func (f *File) Close() {
	if f.close != nil {
		f.close()
	}
}

// Names in a PEX (layout.py:30).
const (
	infoName      = "PEX-INFO"
	layoutName    = "PEX-LAYOUT"
	mainName      = "__main__.py"
	bootstrapName = ".bootstrap"
	depsName      = ".deps"
	importName    = "__pex__"
	linkName      = "pex" // a link to __main__.py in directory layouts
)

// reserved are the names at the top of a PEX that are not the user's.
var reserved = []string{infoName, layoutName, mainName, bootstrapName, depsName, importName, linkName}

// fromTree makes a File of the content of a PEX: all its entries, relative to its root. It is the same for
// every layout; only where the entries come from differs.
func fromTree(ctx context.Context, all tree.Tree) (*File, error) {
	if err := all.Validate(); err != nil {
		return nil, err
	}
	raw, err := readEntry(all, infoName, maxInfo)
	if err != nil {
		return nil, err
	}
	info, err := ParseInfo(raw)
	if err != nil {
		return nil, err
	}
	if err := info.checkHash(); err != nil {
		return nil, err
	}
	f := &File{Info: info, Raw: raw}
	if f.Main, err = readEntry(all, mainName, maxMain); err != nil {
		return nil, err
	}
	deps := map[string]tree.Tree{}
	for _, e := range all {
		top, rest, below := strings.Cut(e.Path, "/")
		switch {
		case isBytecode(e.Path):
		case below && top == bootstrapName:
			f.Bootstrap = append(f.Bootstrap, moved(e, rest))
		case below && top == importName:
			f.Pex = append(f.Pex, moved(e, rest))
		case below && top == depsName:
			wheel, inside, _ := strings.Cut(rest, "/")
			if inside != "" {
				deps[wheel] = append(deps[wheel], moved(e, inside))
			}
		case !slices.Contains(reserved, top):
			f.Code = append(f.Code, e)
		}
	}
	if err := f.checkCode(); err != nil {
		return nil, err
	}
	return f, f.addDistributions(ctx, deps)
}

func moved(e tree.Entry, to string) tree.Entry {
	e.Path = to
	return e
}

func readEntry(all tree.Tree, name string, limit int64) ([]byte, error) {
	for _, e := range all {
		if e.Path == name {
			return e.Read(limit)
		}
	}
	return nil, fmt.Errorf("%s: not there; this is no PEX", name)
}

// checkCode compares code_hash (util.py:83).
func (f *File) checkCode() error {
	counted := slices.DeleteFunc(slices.Clone(f.Code), func(e tree.Entry) bool { return hiddenFile(e.Path) })
	got, err := dirHash(sha1.New(), counted)
	if err != nil {
		return err
	}
	if f.Info.CodeHash != "" && got != f.Info.CodeHash {
		return &CorruptError{What: "user code", Key: "code_hash", Want: f.Info.CodeHash, Got: got}
	}
	return nil
}

// addDistributions checks the chroots against PEX-INFO, several at a time: it is the reading of all of them.
func (f *File) addDistributions(ctx context.Context, deps map[string]tree.Tree) error {
	if f.Info.DepsAreWheelFiles && len(f.Info.Distributions) > 0 {
		return fmt.Errorf("this PEX holds wheels, not installed ones; build it without --no-pre-install-wheels")
	}
	for wheel := range deps {
		if _, ok := f.Info.Distributions[wheel]; !ok {
			return fmt.Errorf("%s/%s: not in PEX-INFO", depsName, wheel)
		}
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	f.Distributions = make([]Distribution, 0, len(f.Info.Distributions))
	for wheel, fingerprint := range f.Info.Distributions {
		f.Distributions = append(f.Distributions, Distribution{Wheel: wheel, Fingerprint: fingerprint, Chroot: deps[wheel]})
	}
	slices.SortFunc(f.Distributions, func(a, b Distribution) int { return cmp.Compare(a.Wheel, b.Wheel) })
	for i := range f.Distributions {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			return f.Distributions[i].load()
		})
	}
	return work.Wait()
}

// load checks the fingerprint (installed_wheel.py:47) and reads the metadata.
func (d *Distribution) load() error {
	if len(d.Chroot) == 0 {
		return fmt.Errorf("%s/%s: PEX-INFO names it, but it is not there", depsName, d.Wheel)
	}
	if err := d.checkFingerprint(); err != nil {
		return fmt.Errorf("%s/%s: %w", depsName, d.Wheel, err)
	}
	var err error
	if d.metadata, err = readMetadata(d.Chroot); err != nil {
		return fmt.Errorf("%s/%s: %w", depsName, d.Wheel, err)
	}
	d.Name, d.Version = d.metadata.Name, d.metadata.Version
	for i := range d.Chroot {
		d.Chroot[i].Origin = pep.Normalize(d.Name)
	}
	d.Chroot.Sort()
	return nil
}

// checkFingerprint computes what pex does: SHA-256, SHA-1 before pex 2.1, without .layout.json, which is
// written after it and holds it.
func (d *Distribution) checkFingerprint() error {
	sums := map[int]func() hash.Hash{sha256.Size * 2: sha256.New, sha1.Size * 2: sha1.New}
	made, ok := sums[len(d.Fingerprint)]
	if !ok {
		return fmt.Errorf("fingerprint %q of PEX-INFO is no SHA-256 or SHA-1", d.Fingerprint)
	}
	counted := slices.DeleteFunc(slices.Clone(d.Chroot), func(e tree.Entry) bool { return e.Path == ".layout.json" })
	got, err := dirHash(made(), counted)
	if err == nil && got != d.Fingerprint {
		err = &CorruptError{What: d.Wheel, Key: "distributions", Want: d.Fingerprint, Got: got}
	}
	return err
}

// maxMain bounds __main__.py in bytes, and any text of the bootstrap that is read.
const maxMain = 4 << 20

// CacheDirs names the directories of a PEX_ROOT as the pex that is embedded in a PEX does: "installed_wheels"
// is "installed_wheels/3" (cache/dirs.py, CacheDir).
type CacheDirs map[string]string

var cacheDir = regexp.MustCompile(`Value\(\s*["'](\w+)["'],[^()]*?\bversion=(\d+)`)

// CacheDirs reads them. Before pex 2.18.0 they had no version directory, and the result is empty: Path
// then gives the bare name.
func (f *File) CacheDirs() (CacheDirs, error) {
	dirs := CacheDirs{}
	text, err := readEntry(f.Bootstrap, "pex/cache/dirs.py", maxMain)
	if err != nil {
		return dirs, nil //nolint:nilerr // not there: an old pex
	}
	for _, match := range cacheDir.FindAllSubmatch(bytes.TrimSpace(text), -1) {
		dirs[string(match[1])] = path.Join(string(match[1]), string(match[2]))
	}
	for _, needed := range []string{"bootstraps", "installed_wheels", "unzipped_pexes", "user_code", "venvs"} {
		if dirs[needed] == "" {
			return nil, fmt.Errorf(".bootstrap/pex/cache/dirs.py: no version of %s; this pex (%s) is not known to pexko", needed, f.Info.PexVersion)
		}
	}
	return dirs, nil
}

// Path is the directory of that name, relative to PEX_ROOT.
func (c CacheDirs) Path(name string) string { return cmp.Or(c[name], name) }
