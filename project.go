package pexko

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/lock"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// ownWheel builds the project if it has a build system.
func (b *build) ownWheel(ctx context.Context, pins *lock.Lock, targets []pex.Target) (*wheel.Wheel, error) {
	if b.project.BuildSystem == nil {
		return nil, nil
	}
	step := b.Progress.Step("project")
	own, report, err := b.tool.BuildProject(ctx, pex.ProjectRequest{
		Dir: b.project.Dir, RequiresPython: b.project.RequiresPython, Targets: targets,
		Constraints: buildConstraints(pins, b.project.BuildSystem.Requires), Update: step.Update,
	})
	if err != nil {
		return nil, err
	}
	step.Done(fmt.Sprintf("%s, built by Python %s", own.Name.File, report.Python.Version))
	if !report.Pinned {
		b.Progress.Warn(fmt.Sprintf("%s was built with %s, which no lock pins: built elsewhere or later, with others, it may be another wheel",
			own.Name.File, strings.Join(report.Requires, ", ")))
	}
	return own, nil
}

// buildConstraints are the versions that the lock has for what the build may require. A version that the
// project's own build requirements do not admit is none: the lock is that of the application.
func buildConstraints(pins *lock.Lock, requires []string) []string {
	if pins == nil {
		return nil
	}
	versions := map[string][]string{}
	for _, p := range pins.Packages {
		if p.Name != "" && p.Version != "" && p.Source == nil && !slices.Contains(versions[p.Name], p.Version) {
			versions[p.Name] = append(versions[p.Name], p.Version)
		}
	}
	var constraints []string
	for name, v := range versions {
		if len(v) == 1 && admitted(requires, name, v[0]) {
			constraints = append(constraints, name+"=="+v[0])
		}
	}
	slices.Sort(constraints)
	return constraints
}

// admitted reports whether no requirement for the distribution refuses the version.
func admitted(requires []string, name, version string) bool {
	for _, text := range requires {
		r, err := pep.ParseRequirement(text)
		if err == nil && pep.Normalize(r.Name) == name && (r.URL != "" || !r.Specifiers.Contains(version, true)) {
			return false
		}
	}
	return true
}
