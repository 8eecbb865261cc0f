// Package bytecode compiles Python sources to .pyc files, by running a CPython that is at hand on this
// machine. In go sources with the path by which they will be imported; out come hash-based pycs (PEP 552)
// that lie in the cache, in the order of the sources.
//
// Invariant: the bytes of a pyc depend on the source, its path, the mode and the interpreter's X.Y.Z, and
// on nothing else: not on other sources, their order, the number of processes, the caller's environment or
// what was cached. A source that does not compile gives a Result that says why, and never keeps others from
// being compiled.
//
// # What py_compile writes
//
// From 3.11 on the bytes are those of py_compile.compile(..., invalidation_mode=...). py_compile itself
// depends on its process (below), which shows in a few files that share strings with modules it has
// loaded: of all that is installed, 2,248 of 2,248 files are the same for 3.12.1, 11,795 of 11,797 for
// 3.11.7 and 2,144 of 2,154 for 3.13.0. On 3.10 most files differ in reference flags, in nothing that can
// be seen after loading.
//
// # Why one fork per file
//
// marshal flags an object for reference when it is referenced more than once, and counts references from
// anywhere in the process (bpo-34093, gh-78274): a name that another module in memory uses comes out with
// another byte. On 3.10, compiling two files in the other order changes one or two files in a hundred, and
// a process with more modules loaded changes most. 3.11 flags interned strings always; what is left is
// whether an equal string is interned already: a character that is not a name up to 3.12, a qualified name
// or an element of a frozenset.
//
// So a process stays as it was born and forks a child per source; the child reads the source, compiles,
// writes the result and dies. Any number of processes and any distribution of sources over them then
// give the same. It also confines a crash (a deeply nested expression can overflow the C stack) to the
// source that causes it. The price is about twice the time of compiling in one process.
//
// What a fresh process has in memory must be the same everywhere, too. The driver (driver.py) imports
// builtin and frozen modules alone. The modules that Python itself loads to start come from their sources
// (PYTHONPYCACHEPREFIX): loaded from pycs, which a base image may lack, they leave "*" interned on 3.11 and
// 3.12, which changes each seventh file of the standard library. The driver interns it, to agree with
// py_compile. LC_ALL and PYTHONUTF8 fix which codecs are loaded.
//
// # Why -S -s and not -I
//
// -I and -E make the interpreter ignore every PYTHON* variable, PYTHONHASHSEED among them, which the order
// of a frozenset follows on 3.10. The environment is built from nothing instead; that shuts out
// PYTHONOPTIMIZE and PYTHONNODEBUGRANGES, which change the code, and every credential. -S and -s keep
// site-packages with its .pth files away, -B writes no bytecode, and -W ignore keeps SyntaxWarnings off the
// error output.
//
// One thing is left on 3.10: the hash of None is its address, so a frozenset constant that holds None may
// be ordered differently by two builds of the same version (12 of the 2,443 files of a plain installation
// have one). Runs of one build agree. 3.11 sorts frozensets when it marshals them (bpo-37596).
//
// # Why exactly X.Y.Z
//
// All releases of one minor version read each other's pycs (the magic number is the same), but do not write
// the same: 3.13.0 and 3.13.5 differ for 279 of 682 files, 3.11.2 and 3.11.7 for 3. An image whose digest is
// to be the same on every machine therefore takes the interpreter of the base image itself, or one of
// exactly its version. A process says which version it is before it gets work; a wrong one is an error.
package bytecode
