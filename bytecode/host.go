package bytecode

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NoInterpreterError says that this machine has no CPython of the wanted version.
type NoInterpreterError struct {
	Version string   // X.Y.Z, or X.Y when any release of it would have done
	Found   []string // "3.11.7 (/usr/bin/python3.11)": what there is of the same minor version
}

// Error names the wanted version and what was found in its place.
func (e *NoInterpreterError) Error() string {
	if len(e.Found) == 0 {
		return fmt.Sprintf("no CPython %s on this machine to compile bytecode with", e.Version)
	}
	return fmt.Sprintf("no CPython %s on this machine to compile bytecode with, only %s", e.Version, strings.Join(e.Found, ", "))
}

// Hint names the version to install and the ways to do without.
func (e *NoInterpreterError) Hint() string {
	install := fmt.Sprintf("install CPython %s (for example: uv python install %[1]s, or pyenv install %[1]s)", e.Version)
	if strings.Count(e.Version, ".") < 2 {
		return install + ", or pass --bytecode=none and let the container compile at its first start"
	}
	return install + ", or pass --bytecode=host to compile with any " + minorOf(e.Version) +
		" of this machine (the digest then depends on the machine), or --bytecode=none to ship sources alone"
}

// HostInterpreter finds a CPython of exactly this version (X.Y.Z, written as in Interpreter.Version) on the
// machine: on PATH, with pyenv, uv and GitHub's tool cache, and where systems have it. Each candidate is
// asked by running it. env is the environment of the process ("NAME=value"): PATH, HOME and the variables
// that move those tools' directories are read from it. The error is a *NoInterpreterError.
func HostInterpreter(ctx context.Context, version string, env []string) (Interpreter, error) {
	if !releaseName.MatchString(version) {
		return Interpreter{}, fmt.Errorf("python version %q: want a full version such as 3.11.2", version)
	}
	h := host{env}
	missing := &NoInterpreterError{Version: version}
	for _, program := range h.candidates(minorOf(version), version) {
		i, err := h.ask(ctx, program)
		if ctx.Err() != nil {
			return Interpreter{}, context.Cause(ctx)
		}
		if err != nil { // a shim without a version behind it, a broken installation: not what was looked for
			continue
		}
		if i.Version == version {
			return i, nil
		}
		missing.found(i)
	}
	return Interpreter{}, missing
}

// AnyHostInterpreter finds the newest final release of a minor version ("3.11") on the machine. Its
// bytecode is valid for every release of that minor version, but not the same. The rest is as with
// HostInterpreter.
func AnyHostInterpreter(ctx context.Context, minor string, env []string) (Interpreter, error) {
	if !minorName.MatchString(minor) {
		return Interpreter{}, fmt.Errorf("python version %q: want a minor version such as 3.11", minor)
	}
	h := host{env}
	var all []Interpreter
	for _, program := range h.candidates(minor, minor+".*") {
		i, err := h.ask(ctx, program)
		if ctx.Err() != nil {
			return Interpreter{}, context.Cause(ctx)
		}
		if err == nil && minorOf(i.Version) == minor && finalRelease.MatchString(i.Version) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return Interpreter{}, &NoInterpreterError{Version: minor}
	}
	return slices.MaxFunc(all, func(a, b Interpreter) int { return cmp.Compare(patch(a), patch(b)) }), nil
}

var (
	minorName    = regexp.MustCompile(`^\d+\.\d+$`)
	finalRelease = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	releaseName  = regexp.MustCompile(`^\d+\.\d+\.\d+((a|b|rc)\d+)?[td]*$`)
)

// minorOf is "3.11" of "3.11.2".
func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// patch is 2 of "3.11.2".
func patch(i Interpreter) int {
	n, _ := strconv.Atoi(i.Version[strings.LastIndexByte(i.Version, '.')+1:])
	return n
}

func (e *NoInterpreterError) found(i Interpreter) {
	entry := fmt.Sprintf("%s (%s)", i.Version, i.Argv[0])
	if minorOf(i.Version) == minorOf(e.Version) && !slices.Contains(e.Found, entry) {
		e.Found = append(e.Found, entry)
	}
}

// host is the machine, as an environment shows it.
type host struct{ env []string }

// get is the value of a variable; the last one counts, as for the system.
func (h host) get(name string) string {
	for _, e := range slices.Backward(h.env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// candidates lists programs that may be the wanted Python, each once; first where the version is in the path. release is the
// full version, or a pattern for it.
func (h host) candidates(minor, release string) []string {
	exact := "python" + minor
	var patterns []string
	add := func(dir string, elem ...string) {
		if filepath.IsAbs(dir) {
			patterns = append(patterns, filepath.Join(append([]string{quote(dir)}, elem...)...))
		}
	}
	home := h.get("HOME")
	pyenv := cmp.Or(h.get("PYENV_ROOT"), under(home, ".pyenv"))
	add(pyenv, "versions", release, "bin", exact)
	share := cmp.Or(h.get("XDG_DATA_HOME"), under(home, ".local/share"))
	add(cmp.Or(h.get("UV_PYTHON_INSTALL_DIR"), under(share, "uv/python")), "cpython-"+release+"-*", "bin", exact)
	add(h.get("RUNNER_TOOL_CACHE"), "Python", release, "*", "bin", exact)
	path := append(filepath.SplitList(h.get("PATH")), "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
	path = slices.DeleteFunc(path, func(dir string) bool {
		return dir == filepath.Join(pyenv, "shims") // slow, and in front of what was just listed
	})
	for _, name := range []string{exact, "python3", "python"} {
		for _, dir := range path {
			add(dir, name)
		}
	}
	return programs(patterns)
}

func under(dir, rest string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, filepath.FromSlash(rest))
}

// quote keeps a directory's name from being read as a pattern.
func quote(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// programs expands patterns to the files that they match, each file once.
func programs(patterns []string) []string {
	var all []string
	seen := make(map[string]bool)
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, program := range matches {
			if real, err := filepath.EvalSymlinks(program); err == nil && !seen[real] {
				seen[real] = true
				all = append(all, program)
			}
		}
	}
	return all
}

// askLimit is the time for an interpreter to say its version.
const askLimit = 20 * time.Second

// question prints what driver.py calls the identity, and the program; a shim's is another than was started.
const question = `import sys
v = sys.version_info
level = {"alpha": "a%d", "beta": "b%d", "candidate": "rc%d"}.get(v[3])
print(sys.implementation.name)
print("%d.%d.%d%s%s" % (v[0], v[1], v[2], level % v[4] if level else "", "".join(f for f in sys.abiflags if f in "td")))
print(sys.executable)
`

// ask runs a program to see which Python it is.
func (h host) ask(ctx context.Context, program string) (Interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-S", "-s", "-B", "-c", question)
	cmd.Env = h.pass("PATH", "HOME", "PYENV_ROOT", "LD_LIBRARY_PATH")
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	cmd.Cancel = func() error { killGroup(cmd.Process.Pid); return nil }
	out, err := cmd.Output()
	if err != nil {
		return Interpreter{}, fmt.Errorf("%s: %w", program, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 3 || lines[0] != "cpython" || !filepath.IsAbs(lines[2]) {
		return Interpreter{}, fmt.Errorf("%s: not a CPython", program)
	}
	// Shared builds in unusual places are found by their library path alone (GitHub's tool cache).
	return Interpreter{Argv: []string{lines[2]}, Env: h.pass("LD_LIBRARY_PATH"), Version: lines[1]}, nil
}

// pass gives the named variables as an environment; never nil, since nil means all of them to os/exec.
func (h host) pass(names ...string) []string {
	env := []string{}
	for _, name := range names {
		if value := h.get(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
