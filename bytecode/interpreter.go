package bytecode

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Interpreter is a CPython that runs on this machine, and how to start it.
type Interpreter struct {
	// Argv is the absolute path of the program and what comes before Python's own options: a base image's
	// Python is started as its dynamic loader with --library-path and the executable.
	Argv []string
	// Env is the whole environment ("NAME=value") but for a few variables that are always the same. It must
	// hold no credentials, and needs nothing but what makes the interpreter start, such as PYTHONHOME.
	Env []string
	// Version is X.Y.Z as in sys.version_info, with "a1", "b1" or "rc1" for a prerelease and "t" for a
	// free-threaded or "d" for a debug build, which compile differently: "3.11.2", "3.14.0rc2", "3.13.0t".
	Version string
}

func (i Interpreter) validate() error {
	switch {
	case len(i.Argv) == 0:
		return errors.New("interpreter: no program to run")
	case !filepath.IsAbs(i.Argv[0]):
		return fmt.Errorf("interpreter %s: not an absolute path", i.Argv[0])
	case i.Version == "":
		return fmt.Errorf("interpreter %s: of unknown version", i.Argv[0])
	}
	return nil
}

//go:embed driver.py
var driver string

// driverArgs are Python's own arguments; see the package documentation.
func driverArgs() []string {
	return []string{"-S", "-s", "-B", "-W", "ignore", "-c", driver}
}

// fixedEnv is the part of the environment that decides what a fresh interpreter has in memory.
func fixedEnv() []string {
	return []string{
		"PYTHONHASHSEED=0",
		"PYTHONPYCACHEPREFIX=/dev/null", // where no pyc can be
		"PYTHONUTF8=1",
		"LC_ALL=C",
	}
}

// VersionError is an interpreter that is not the one it was taken for.
type VersionError struct {
	Program   string
	Want, Got string // Interpreter.Version, and "implementation X.Y.Z" as the process says
}

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("interpreter %s: is %s where cpython %s was expected; bytecode of another version gives another image", e.Program, e.Got, e.Want)
}

// StartError is an interpreter that does not run on this machine.
type StartError struct {
	Version string // Interpreter.Version
	Err     error
}

// Error gives the version and what happened.
func (e *StartError) Error() string {
	return fmt.Sprintf("no bytecode without a CPython %s that runs: %v", e.Version, e.Err)
}

// Unwrap gives what happened.
func (e *StartError) Unwrap() error { return e.Err }

// Hint names the ways to do without.
func (e *StartError) Hint() string {
	hint := "pass --bytecode=host to compile with any " + minorOf(e.Version) +
		" of this machine (the digest then depends on the machine), or --bytecode=none to ship sources alone"
	if errors.Is(e.Err, fs.ErrPermission) {
		return "the cache may lie on a file system from which nothing can be started (noexec): name another directory with --cache-dir, or " + hint
	}
	return hint
}
