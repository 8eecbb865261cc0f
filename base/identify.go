package base

import (
	"context"
	"path"
	"regexp"
	"strings"

	"github.com/pexko/pexko/base/internal/binary"
	"github.com/pexko/pexko/internal/tree"
)

// program is an identified Python with what running it takes.
type program struct {
	Python
	elf    binary.ELF
	linker linker
}

// identifier looks into the executables of one image.
type identifier struct {
	*scratch
	machine machine
	env     map[string]string // of the image's config
}

// identify says which Python the candidate is, or why it cannot be used.
func (id identifier) identify(ctx context.Context, c candidate) (program, error) {
	c, err := id.leaveVenv(ctx, c)
	if err != nil {
		return program{}, err
	}
	e, err := id.elf(ctx, c.real)
	switch name := path.Base(c.real); {
	case err != nil:
		return program{}, err
	case strings.HasPrefix(name, "python2"):
		return program{}, errPython2
	case strings.HasPrefix(name, "pypy") || strings.HasPrefix(name, "graalpy"):
		return program{}, because("%s, and pexko supports CPython alone", name)
	case !id.machine.runs(e):
		return program{}, because("made for %v, not for %s", e.Machine, id.machine.uname)
	case id.machine.uname == "armv7l" && e.Flags&armHardFloat != armHardFloat:
		return program{}, because("made for ARM with soft floats, for which there are no wheels")
	case e.Interp == "":
		return program{}, because("statically linked, so compiled wheels cannot be loaded")
	}
	p := program{elf: e}
	if p.linker, err = id.newLinker(ctx, c.real, e); err != nil {
		return program{}, err
	}
	p.Python, err = id.python(ctx, c, p)
	return p, err
}

// armHardFloat are the flags of an ARM executable of EABI 5 with hard floats, on which packaging insists.
const armHardFloat = 0x05000400

var errPython2 = reason{"Python 2"}

// python finds the standard library of the program and its version.
func (id identifier) python(ctx context.Context, c candidate, p program) (Python, error) {
	evidence, err := id.evidence(ctx, c, p)
	if err != nil {
		return Python{}, err
	}
	libs := id.stdlibs(c.real)
	if len(libs) == 0 {
		return Python{}, because("no standard library (lib/python3.X/os.py) beside it")
	}
	lib := libs[0]
	for _, l := range libs {
		if evidence.names(l.minorVersion) {
			lib = l
			break
		}
	}
	evidence.minorVersion = lib.minorVersion
	if len(evidence.literals.versions(lib.minorVersion)) > 1 && evidence.hex == 0 {
		if evidence.header, err = id.header(ctx, lib); err != nil {
			return Python{}, err
		}
	}
	version, local, how, err := evidence.version()
	if err != nil {
		return Python{}, err
	}
	python := Python{
		Version: version, Local: local, Implementation: "cpython",
		Path: "/" + c.real, Invoked: c.invoked, Prefix: "/" + lib.prefix, Stdlib: "/" + lib.dir,
		CacheTag: "cpython-" + strings.ReplaceAll(lib.minorVersion, ".", ""), How: c.how + "; version from " + how,
	}
	return python, supported(python, lib.free || evidence.literals.flags["t"], evidence.literals.flags["d"])
}

// supported refuses what has other bytecode or tags than pexko makes.
func supported(p Python, freeThreaded, debug bool) error {
	_, minor := p.release()
	switch {
	case freeThreaded:
		return because("Python %s, free-threaded, which pexko does not support", p.Version)
	case debug:
		return because("Python %s, a debug build, which pexko does not support", p.Version)
	case minor < oldestMinor || minor > newestMinor:
		return because("Python %s, and pexko supports 3.%d to 3.%d", p.Version, oldestMinor, newestMinor)
	}
	return nil
}

// evidence reads the executable and the libpython that it asks for.
func (id identifier) evidence(ctx context.Context, c candidate, p program) (evidence, error) {
	e := evidence{hex: p.elf.PyVersion, literals: newLiterals()}
	files := []string{c.real}
	for _, name := range p.elf.Needed {
		if strings.HasPrefix(name, "libpypy") {
			return e, because("PyPy, and pexko supports CPython alone")
		}
		if !strings.HasPrefix(name, "libpython3") {
			continue
		}
		lib, ok := p.linker.find(name, p.elf, p.linker.origin)
		if !ok {
			return e, because("it needs %s, which is not in the image", name)
		}
		files = append(files, lib)
		le, err := id.elf(ctx, lib)
		if err != nil {
			return e, err
		}
		if e.hex == 0 {
			e.hex = le.PyVersion
		}
	}
	for _, f := range files {
		name, err := id.local(ctx, f)
		if err != nil {
			return e, err
		}
		if err := e.literals.scan(name); err != nil {
			return e, err
		}
	}
	return e, nil
}

// names says whether the executable is of the release X.Y.
func (e evidence) names(minorVersion string) bool {
	if e.hex != 0 {
		return strings.HasPrefix(versionOf(e.hex), minorVersion+".")
	}
	return len(e.literals.versions(minorVersion)) > 0
}

// stdlib is a directory that holds a standard library.
type stdlib struct {
	prefix, dir  string
	minorVersion string
	free         bool // of a free-threaded build
}

var stdlibName = regexp.MustCompile(`^python(3\.\d{1,2})(t?)$`)

// stdlibs are the standard libraries that an executable could take for its own, in the order in which
// CPython's getpath.py looks: that of PYTHONHOME, then those beside each directory on the way up.
// Fedora and its kin have lib64 (sys.platlibdir).
func (id identifier) stdlibs(real string) []stdlib {
	prefixes := []string{}
	if home, _, _ := strings.Cut(id.env["PYTHONHOME"], ":"); home != "" {
		prefixes = append(prefixes, strings.TrimPrefix(path.Clean("/"+home), "/"))
	}
	for d := path.Dir(real); ; d = path.Dir(d) {
		prefixes = append(prefixes, strings.TrimPrefix(d, "."))
		if d == "." {
			break
		}
	}
	var found []stdlib
	for _, prefix := range prefixes {
		for _, lib := range []string{"lib", "lib64"} {
			for _, name := range id.scratch.names(path.Join(prefix, lib)) {
				m := stdlibName.FindStringSubmatch(name)
				dir := path.Join(prefix, lib, name)
				if e, ok := id.fs.Stat(path.Join(dir, "os.py")); m != nil && ok && e.Kind != tree.Dir {
					found = append(found, stdlib{prefix, dir, m[1], m[2] != ""})
				}
			}
		}
	}
	return found
}

// header reads PY_VERSION from the headers that belong to the library.
func (id identifier) header(ctx context.Context, lib stdlib) (string, error) {
	text, err := id.text(ctx, headerPath(lib))
	return headerVersion(text), err
}

func headerPath(lib stdlib) string {
	return path.Join("/", lib.prefix, "include", path.Base(lib.dir), "patchlevel.h")
}

// newLinker reads the loader's configuration.
func (id identifier) newLinker(ctx context.Context, real string, e binary.ELF) (linker, error) {
	kind := Glibc
	if strings.Contains(path.Base(e.Interp), "ld-musl") {
		kind = Musl
	}
	var failed error
	left := maxConfigs
	conf := func(name string) []byte {
		if left--; left < 0 || failed != nil {
			return nil
		}
		var text []byte
		text, failed = id.text(ctx, name)
		return text
	}
	return linker{
		fs: id.fs, program: e, origin: path.Dir(real),
		env:    strings.FieldsFunc(id.env["LD_LIBRARY_PATH"], func(r rune) bool { return r == ':' }),
		system: systemDirs(kind, id.machine, conf, id.scratch.names),
	}, failed
}

// maxConfigs is how many files of the loader's configuration are read; images have up to ten.
const maxConfigs = 64
