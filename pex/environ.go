package pex

import (
	"path/filepath"
	"slices"
	"strings"
)

// The variables that the tools run with whatever the caller's environment says. SOURCE_DATE_EPOCH and
// PYTHONHASHSEED are pex's own values (common.py, REPRODUCIBLE_BUILDS_ENV); the rest keeps locale and time
// zone of the machine out of what backends write, and ~/.pexrc out of pex.
var fixedEnv = []string{
	"LC_ALL=C",
	"PEX_IGNORE_RCFILES=1",
	"PIP_DISABLE_PIP_VERSION_CHECK=1",
	"PIP_NO_INPUT=1",
	"PIP_REQUIRE_VIRTUALENV=0",
	"PYTHONHASHSEED=0",
	"PYTHONUTF8=1",
	"SOURCE_DATE_EPOCH=315532800",
	"TZ=UTC",
}

// disturbing are variables, by prefix if they end in "*", that change what Python, pex or the PEX is.
var disturbing = []string{
	"PEX_*", "_PEX_*", "__PEX_*", "PYTHON*", "__PYVENV_LAUNCHER__", "LANG", "LANGUAGE", "LC_*",
	"PIP_PYTHON", "PIP_LOG", "PIP_QUIET", "PIP_VERBOSE",
}

// environment is the environment of one of the tools: "NAME=value" as in os.Environ.
type environment []string

// cleanEnv is env without what disturbs, with what is fixed. Proxies, certificates, HOME, PATH, netrc and
// PIP_* stay.
func cleanEnv(env []string) environment {
	kept := environment(slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, ok := strings.Cut(entry, "=")
		return !ok || slices.ContainsFunc(disturbing, func(d string) bool { return matches(d, name) })
	}))
	return kept.with(fixedEnv...)
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// with returns a copy in which the given entries replace those of the same name.
func (e environment) with(entries ...string) environment {
	made := e.without()
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry, "=")
		made = append(made.without(name), entry)
	}
	return made
}

// without returns a copy that lacks the named variables.
func (e environment) without(names ...string) environment {
	return slices.DeleteFunc(slices.Clone(e), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(names, name)
	})
}

// get returns the value of a variable; the last entry of a name counts, as for execve's callers.
func (e environment) get(name string) string {
	for _, entry := range slices.Backward(e) {
		if n, value, ok := strings.Cut(entry, "="); ok && n == name {
			return value
		}
	}
	return ""
}

// home is the user's home directory as the environment names it; "" when it does not.
func (e environment) home() string { return e.get("HOME") }

// path lists the absolute directories of PATH. Relative ones are left out: they would make the result
// depend on the working directory.
func (e environment) path() []string {
	return slices.DeleteFunc(filepath.SplitList(e.get("PATH")), func(dir string) bool { return !filepath.IsAbs(dir) })
}
