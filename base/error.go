package base

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PlatformError says that a base has no image for a platform.
type PlatformError struct {
	Base string // as the user named it
	Want v1.Platform
	Have []v1.Platform
}

// Error names the platform and those that there are.
func (e *PlatformError) Error() string {
	if len(e.Have) == 0 {
		return fmt.Sprintf("%s: no image for %s: it holds no images at all", e.Base, plain(e.Want))
	}
	return fmt.Sprintf("%s: no image for %s: it has %s", e.Base, plain(e.Want), platformNames(e.Have))
}

// Hint says what to do.
func (e *PlatformError) Hint() string {
	if len(e.Have) == 0 {
		return "choose another base with --base"
	}
	return "build for what the base has with --platform, or choose another base with --base"
}

// Candidate is a path of an image that looks like a Python, and why it was not taken.
type Candidate struct {
	Path string
	Why  string
}

// PythonError says that an image holds no Python that can be used, and what was looked at.
type PythonError struct {
	Base     string
	Platform v1.Platform
	// Problem is the reason in a few words.
	Problem string
	// PATH is the image's search path.
	PATH string
	// Looked are the candidates with the reason against each, those on PATH first.
	Looked []Candidate
	// Usable are Pythons that can be chosen instead.
	Usable []Python
	// Asked is what Options.Python asked for, if that is not there.
	Asked string
}

// Error lists what was looked at.
func (e *PythonError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s; PATH is %s", e.Base, plain(e.Platform), e.Problem, e.PATH)
	for _, c := range e.Looked {
		fmt.Fprintf(&b, "\n  %s: %s", c.Path, c.Why)
	}
	for _, p := range e.Usable {
		fmt.Fprintf(&b, "\n  %s: Python %s", p.Path, p.Version)
	}
	return b.String()
}

// Hint says what to do.
func (e *PythonError) Hint() string {
	if len(e.Usable) > 0 {
		return fmt.Sprintf("choose one with --python, for example --python %s", e.Usable[0].Path)
	}
	if e.Asked != "" && len(e.Looked) > 0 {
		return "name one of those that are there with --python, or leave it out: the first on PATH is taken then"
	}
	return fmt.Sprintf("choose a base with CPython 3.%d to 3.%d, such as --base python:3.13-slim", oldestMinor, newestMinor)
}

// reason is why a candidate is no Python that can be used: a fact about the image. Other errors of looking
// into it (a damaged layer, a full disk) end the inspection.
type reason struct{ text string }

func (r reason) Error() string { return r.text }

func because(format string, args ...any) error { return reason{fmt.Sprintf(format, args...)} }

// ArchitectureError says that a variant's Python cannot run on this machine.
type ArchitectureError struct {
	Platform, Host v1.Platform
}

// Error names both.
func (e *ArchitectureError) Error() string {
	return fmt.Sprintf("the Python of a %s image does not run on this machine, which is %s", plain(e.Platform), plain(e.Host))
}
