package lock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// From says what a pin comes from.
type From string

// What a pin comes from. Of FromIndex the file is pip's choice, among those whose hash the lock holds; all others but
// FromWheel must be built.
const (
	FromWheel     From = "wheel"
	FromSdist     From = "sdist"
	FromVCS       From = "vcs"
	FromDirectory From = "directory"
	FromArchive   From = "archive"
	FromIndex     From = "index"
)

// Pin is a distribution that a target needs.
type Pin struct {
	// Name is normalised, Version as in the lock; each is "" where the lock does not know it.
	Name, Version string
	From          From
	// Wheel is the file to install, for FromWheel alone.
	Wheel File
}

// Requirement names the pin for a tool that has its file already: "name==version".
func (p Pin) Requirement() string {
	if p.Version == "" {
		return p.Name
	}
	if _, err := pep.ParseVersion(p.Version); err != nil {
		return p.Name + "===" + p.Version
	}
	return p.Name + "==" + p.Version
}

// target is what Select is asked about.
type target struct {
	env            map[string]string
	tags           wheel.TagSet
	extras, groups []string
	// lastWins is pex's rule for wheels of one rank: the last one, whatever its build tag.
	lastWins bool
}

// String names the target in errors: "CPython 3.13.5, linux aarch64, cp313-cp313-manylinux_2_41_aarch64".
func (t target) String() string {
	var parts []string
	for _, names := range [][2]string{{"platform_python_implementation", "python_full_version"}, {"sys_platform", "platform_machine"}} {
		if part := strings.TrimSpace(t.env[names[0]] + " " + t.env[names[1]]); part != "" {
			parts = append(parts, part)
		}
	}
	if tags := t.tags.Tags(); len(tags) > 0 {
		parts = append(parts, tags[0].String())
	}
	return strings.Join(parts, ", ")
}

// Select returns what a target needs of the lock, in the lock's order. env holds PEP 508's variables, tags what the target
// runs, best first. extras and groups are the lock's own (PEP 751); its default groups count besides. A wheel is chosen by
// rank, then by the higher build tag, then the first, as pip, uv and packaging do; from a pex lock by rank, then the last, as pex
// does. A source distribution is chosen only if no wheel runs.
//
// All that is missing is reported at once, each as *MissingWheel. For requirements files the file is pip's choice: the
// pins have names and versions.
func (l *Lock) Select(env map[string]string, tags wheel.TagSet, extras, groups []string) ([]Pin, error) {
	if err := l.know("extra", extras, l.Extras); err != nil {
		return nil, err
	}
	if err := l.know("group", groups, slices.Concat(l.Groups, l.DefaultGroups)); err != nil {
		return nil, err
	}
	pins, err := l.selector.selectFor(target{env: env, tags: tags, extras: extras, groups: slices.Concat(l.DefaultGroups, groups)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.Path, err)
	}
	return pins, nil
}

// know checks that the lock has every extra or group that is asked for.
func (l *Lock) know(what string, asked, known []string) error {
	for _, name := range asked {
		same := func(k string) bool { return wheel.Normalize(k) == wheel.Normalize(name) }
		if !slices.ContainsFunc(known, same) {
			return &UnknownName{l.Path, what, name, known}
		}
	}
	return nil
}

// choose is the file of a package that the target prefers, among wheels and the source distribution.
func (t target) choose(p Package) (Pin, error) {
	pin := Pin{Name: p.Name, Version: p.Version}
	if p.Source != nil {
		pin.From = p.Source.From
		return pin, nil
	}
	if best := t.bestWheel(p.Wheels); best >= 0 {
		pin.From, pin.Wheel = FromWheel, p.Wheels[best]
		return pin, nil
	}
	if p.Sdist != nil {
		pin.From = FromSdist
		return pin, nil
	}
	return pin, &MissingWheel{p.Name, p.Version, t.String(), fileNames(p.Wheels)}
}

// bestWheel is the index of the wheel that the target prefers, or -1.
func (t target) bestWheel(wheels []File) int {
	names := make([]wheel.Name, len(wheels))
	for i, f := range wheels {
		names[i] = f.tags
	}
	best := t.tags.Best(names)
	if best < 0 || !t.lastWins {
		return best
	}
	first, _ := t.tags.Rank(names[best])
	for i, name := range names {
		if rank, ok := t.tags.Rank(name); ok && rank == first {
			best = i
		}
	}
	return best
}

// chooseAll chooses for every package and reports all that are missing.
func (t target) chooseAll(packages []Package) ([]Pin, error) {
	var pins []Pin
	var missing []error
	for _, p := range packages {
		pin, err := t.choose(p)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		pins = append(pins, pin)
	}
	return pins, errors.Join(missing...)
}

// checkPython refuses a target whose Python a lock or package does not admit.
func (t target) checkPython(requires pep.Specifiers, what string) error {
	if version := t.env["python_full_version"]; len(requires) > 0 && !requires.Contains(strings.TrimSuffix(version, "+"), true) {
		return fmt.Errorf("%s requires Python %s, and the target has %s; choose a base with another Python, or lock again for this one", what, requires, version)
	}
	return nil
}

// MissingWheel says that a lock holds nothing of a distribution that a target can install.
type MissingWheel struct {
	Distribution, Version string
	// Target is the target in words.
	Target string
	// Available are the file names of the wheels that the lock does offer.
	Available []string
}

// Error names all four.
func (e *MissingWheel) Error() string {
	text := fmt.Sprintf("%s %s: no wheel for %s", e.Distribution, e.Version, e.Target)
	if len(e.Available) == 0 {
		return text + "; the lock offers none"
	}
	return text + "; the lock offers\n  " + strings.Join(e.Available, "\n  ")
}

// Hint says what to do.
func (e *MissingWheel) Hint() string {
	return fmt.Sprintf("lock a version of %s that has a wheel for this target, build for another platform, or take a base with another Python or a newer glibc", e.Distribution)
}

// UnknownName says that a lock does not know an extra or a group.
type UnknownName struct {
	Path string
	// What is "extra" or "group".
	What, Name string
	// Known are those that the lock has.
	Known []string
}

// Error names the lock, what was asked for and what there is.
func (e *UnknownName) Error() string {
	known := "it has none"
	if len(e.Known) > 0 {
		known = "it has " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("%s: the lock knows no %s %q; %s", e.Path, e.What, e.Name, known)
}

// Hint says what to do.
func (e *UnknownName) Hint() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("the lock holds one fixed choice: make it with the %s and leave --%s out here", e.What, e.What)
	}
	return fmt.Sprintf("name one of them, or lock again with the %s", e.What)
}
