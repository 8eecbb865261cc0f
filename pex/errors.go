package pex

import (
	"fmt"
	"strings"
)

// HashError is a file that is not the one that was asked for.
type HashError struct {
	File      string // name of the file, or the requirement
	Want, Got string // SHA-256 in hex
	By        string // who wants it: path of the lock, "pexko" for what is pinned in the program
}

// Error gives the file and both digests.
func (e *HashError) Error() string {
	return fmt.Sprintf("%s: its SHA-256 is %s, but %s wants %s", e.File, e.Got, e.By, e.Want)
}

// Hint says what this may mean.
func (e *HashError) Hint() string {
	return "the index serves another file under this name: check the index, then lock again; do not just change the digest"
}

// IndexError is a package index that does not answer or does not let us in.
type IndexError struct {
	Reason  string   // the line of pip that says what happened
	Sources []string // where pip looks, and which setting says so
	Err     error
}

// Error says what happened and which settings are in force.
func (e *IndexError) Error() string {
	return "the package index: " + e.Reason + "\n  in force: " + strings.Join(e.Sources, "\n  in force: ")
}

// Unwrap gives the process that failed, with all it said.
func (e *IndexError) Unwrap() error { return e.Err }

// Hint names the settings.
func (e *IndexError) Hint() string {
	return "pip's own settings apply: PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_CERT, HTTPS_PROXY, pip.conf, netrc; try `python3 -m pip download` with the same ones"
}

// CorruptError is a PEX whose content is not what its PEX-INFO says.
type CorruptError struct {
	What      string // "PEX-INFO", ".deps/six-1.17.0-py2.py3-none-any.whl", "user code"
	Key       string // the key of PEX-INFO
	Want, Got string
}

// Error names the part and both digests.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: PEX-INFO says %s %s, but the hash is %s", e.What, e.Key, e.Want, e.Got)
}

// Hint says what to do about it.
func (e *CorruptError) Hint() string {
	return "the PEX was changed after it was made, or is damaged; build it again"
}

// MissingWheelError is a distribution that has no wheel for a target, and none can be built on this machine.
type MissingWheelError struct {
	Distribution, Version string
	Target                Target
	// Exist are the wheels that there are, and Sdist the source distribution, "" if there is none or it is not known.
	Exist  []string
	Sdist  string
	Detail string // what pex and pip said
	tags   string
}

// Error gives the distribution, the target, and what exists instead.
func (e *MissingWheelError) Error() string {
	text := fmt.Sprintf("%s has no wheel for %s", strings.TrimSpace(e.Distribution+" "+e.Version), e.Target)
	if e.tags != "" {
		text += " (" + e.tags + ", …)"
	}
	for _, file := range e.Exist {
		text += "\n  there is " + file
	}
	if e.Sdist != "" {
		text += "\n  there is " + e.Sdist + ", from which a wheel can be built on the target's platform alone"
	}
	if len(e.Exist) == 0 && e.Sdist == "" && e.Detail != "" {
		text += "\n  " + strings.ReplaceAll(e.Detail, "\n", "\n  ")
	}
	return text
}

// Hint says what to do about it.
func (e *MissingWheelError) Hint() string {
	if e.Sdist != "" {
		return "build that wheel on the target's platform and offer it by PIP_FIND_LINKS or an index, choose a version that has one, or build for this machine's platform"
	}
	return "choose a version with a wheel for that platform and Python, another base image, or leave the platform out (--platform)"
}

// SdistError is a distribution that has no wheel for a target and whose sdist could not be built.
type SdistError struct {
	Distribution string
	Target       Target
	Python       Python   // tried to build it
	Output       []string // what pip and the backend said
}

// Error gives the distribution and the end of the build's output.
func (e *SdistError) Error() string {
	return fmt.Sprintf("%s has no wheel for %s, and building it from its sdist with %s failed:\n  %s",
		e.Distribution, e.Target, e.Python, strings.Join(e.Output, "\n  "))
}

// Hint says what to do about it.
func (e *SdistError) Hint() string {
	return "install what the build asks for (a compiler, headers), choose a version with a wheel, or offer a wheel by PIP_FIND_LINKS or an index"
}
