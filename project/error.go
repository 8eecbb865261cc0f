package project

import (
	"fmt"
	"strings"
)

// ConfigError is wrong use: something that the user wrote in a flag, a variable or a file cannot be.
type ConfigError struct {
	// Origin is where it stands; empty when no one place is to blame.
	Origin Origin
	// Problem says what is wrong.
	Problem string
	// Fix says what to do, "" if the problem says it.
	Fix string
}

// Error is "place: problem".
func (e *ConfigError) Error() string {
	if e.Origin == (Origin{}) {
		return e.Problem
	}
	return e.Origin.String() + ": " + e.Problem
}

// Hint is what to do about it.
func (e *ConfigError) Hint() string { return e.Fix }

func wrong(at Origin, format string, args ...any) *ConfigError {
	return &ConfigError{Origin: at, Problem: fmt.Sprintf(format, args...)}
}

func (e *ConfigError) fix(format string, args ...any) *ConfigError {
	e.Fix = fmt.Sprintf(format, args...)
	return e
}

// NoProjectError says that a directory holds nothing that pexko could build.
type NoProjectError struct {
	Dir string
	// Found are files of other build tools that are there and not enough.
	Found []string
}

// Error says what was looked for.
func (e *NoProjectError) Error() string {
	text := e.Dir + ": no project: neither pyproject.toml nor a lock (requirements.txt, pylock.toml) is there"
	if len(e.Found) > 0 {
		text += "; found only " + strings.Join(e.Found, ", ")
	}
	return text
}

// Hint says what to do about it.
func (e *NoProjectError) Hint() string {
	for _, name := range e.Found {
		if name == "setup.py" || name == "setup.cfg" {
			return "add a pyproject.toml that names the build backend:\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\""
		}
	}
	return "name the directory that holds one (pexko build DIR), or create one: an empty pyproject.toml will do for sources without dependencies"
}

// FileError is a file of the project that an image cannot hold as it is.
type FileError struct {
	// Path is relative to the project, slash-separated.
	Path    string
	Problem string
	Fix     string
}

// Error is "path: problem".
func (e *FileError) Error() string { return e.Path + ": " + e.Problem }

// Hint is what to do about it.
func (e *FileError) Hint() string { return e.Fix }

// EntryError says that nothing decides how the application starts.
type EntryError struct {
	// Project is the name of the project.
	Project string
	// Reason says why no rule applied.
	Reason string
	// Candidates are what the user could choose, as flags ("-c api", "-e app.main").
	Candidates []string

	roots []string // the import roots; none of a project that is built as a package
}

// Error names the candidates.
func (e *EntryError) Error() string {
	text := e.Project + ": no entry point: " + e.Reason
	if len(e.Candidates) > 0 {
		text += "; candidates: " + strings.Join(e.Candidates, ", ")
	}
	return text
}

// Hint says how to choose.
func (e *EntryError) Hint() string {
	hint := "choose with -e MODULE[:FUNCTION] or -c CONSOLE-SCRIPT, or write entry-point or script into [tool.pexko]"
	if len(e.roots) > 0 {
		hint += fmt.Sprintf("; modules are imported from %s, set roots in [tool.pexko] if they lie elsewhere", strings.Join(e.roots, ", "))
	}
	return hint
}
