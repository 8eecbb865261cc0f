package pex

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// For returns the File as pex activates it on the target: of its distributions those that apply there, in
// the order in which pex's venv installer populates them (venv/installer.py:458 takes PEX.resolve, pex.py:248,
// that is PEXEnvironment.resolve_dists, environment.py:592). The order decides: an installer writes a file
// unless it is there.
//
// The order is that of a walk, each distribution before what it requires: from the requirements of
// PEX-INFO in their order (sorted, pex_info.py:624), then Requires-Dist in the order of METADATA.
func (f *File) For(t Target) (*File, error) {
	p, err := t.read()
	if err != nil {
		return nil, err
	}
	a, err := newActivation(f, p)
	if err != nil {
		return nil, err
	}
	if err := a.roots(); err != nil {
		return nil, err
	}
	if a.absent || len(a.missing) > 0 && !f.Info.IgnoreErrors {
		return nil, &UnmetError{Target: t, Unmet: a.missing}
	}
	of := *f
	of.Distributions = a.resolved()
	of.close = nil
	return &of, nil
}

// UnmetError is a PEX that pex would refuse to start on a target, for want of distributions.
type UnmetError struct {
	Target Target
	Unmet  []string // "requirement (required by name version)"
}

// Error lists what is missing.
func (e *UnmetError) Error() string {
	return fmt.Sprintf("the PEX lacks distributions for %s:\n  %s", e.Target, strings.Join(e.Unmet, "\n  "))
}

// Hint says what to do about it.
func (e *UnmetError) Hint() string {
	return "lock again, with all that is needed on that target; what the base image provides can be left out with --exclude"
}

// key is RequirementKey (requirement_key.py): a project and the extras it was asked for with.
type key struct {
	project string
	extras  []string
}

// satisfies reports whether having resolved k answers a request for other.
func (k key) satisfies(other key) bool {
	return k.project == other.project && !slices.ContainsFunc(other.extras, func(extra string) bool {
		return !slices.Contains(k.extras, extra)
	})
}

func keyOf(r pep.Requirement, extras []string) key {
	k := key{project: pep.Normalize(r.Name)}
	for _, extra := range extras {
		k.extras = append(k.extras, pep.Normalize(extra))
	}
	return k
}

// candidate is a distribution that the target can use, with the rank of its best tag (0 the best).
type candidate struct {
	dist *Distribution
	rank int
}

// activation is one walk.
type activation struct {
	platform  platform
	available map[string][]candidate // by normalised name, in PEX-INFO's order
	excluded  []pep.Requirement
	overrides map[string][]pep.Requirement
	info      Info

	keys    []key // in the order of their resolution
	chosen  []*Distribution
	missing []string
	asked   map[string]bool // projects that some distribution was found to require
	absent  bool            // a root has no distribution at all, which pex does not let ignore_errors pass
}

func newActivation(f *File, p platform) (*activation, error) {
	a := &activation{platform: p, info: f.Info, available: map[string][]candidate{}, asked: map[string]bool{}, overrides: map[string][]pep.Requirement{}}
	for i := range f.Distributions {
		if err := a.offer(&f.Distributions[i]); err != nil {
			return nil, err
		}
	}
	var err error
	if a.excluded, err = requirements(f.Info.Excluded); err != nil {
		return nil, err
	}
	for _, text := range f.Info.Overridden {
		name, rest, named := strings.Cut(text, "=")
		if named = named && pep.ValidName(strings.TrimSpace(name)) && !strings.HasPrefix(rest, "="); named {
			text = rest
		}
		r, err := pep.ParseRequirement(text)
		if err != nil {
			return nil, err
		}
		if !named {
			name = r.Name
		}
		project := pep.Normalize(strings.TrimSpace(name))
		a.overrides[project] = append(a.overrides[project], r)
	}
	return a, nil
}

func requirements(texts []string) ([]pep.Requirement, error) {
	var all []pep.Requirement
	for _, text := range texts {
		r, err := pep.ParseRequirement(text)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// offer makes a distribution available if its tags and Requires-Python fit (environment.py:253, _can_add).
func (a *activation) offer(d *Distribution) error {
	name, err := wheel.ParseName(d.Wheel)
	if err != nil {
		return err
	}
	rank, ok := a.platform.tags.Rank(name)
	if !ok || !d.metadata.RequiresPython.Contains(a.platform.markers["python_full_version"], true) {
		return nil
	}
	project := pep.Normalize(d.Name)
	a.available[project] = append(a.available[project], candidate{d, rank})
	return nil
}

// best is the first of pex's sorted candidates (environment.py:86): the best tag, then the highest version.
// Among equal ones it is the last: pex's comparison calls both of two equal versions the lesser, and Python's
// sort then reverses them.
func best(candidates []candidate) candidate {
	first := candidates[0]
	for _, c := range candidates[1:] {
		if order := cmp.Or(cmp.Compare(c.rank, first.rank), newerFirst(c.dist.Version, first.dist.Version)); order <= 0 {
			first = c
		}
	}
	return first
}

func satisfying(candidates []candidate, r pep.Requirement) []candidate {
	return slices.DeleteFunc(slices.Clone(candidates), func(c candidate) bool {
		return !r.Specifiers.Contains(c.dist.Version, true)
	})
}

// roots resolves the requirements of PEX-INFO (environment.py:472 and :592): for each project one, the one
// whose distribution is the best, with the extras of all of them.
func (a *activation) roots() error {
	all, err := requirements(a.info.Requirements)
	if err != nil {
		return err
	}
	var projects []string
	byProject := map[string][]pep.Requirement{}
	for _, r := range all {
		applies, err := a.wanted(r)
		if err != nil || !applies {
			if err != nil {
				return err
			}
			continue
		}
		project := pep.Normalize(r.Name)
		if byProject[project] == nil {
			projects = append(projects, project)
		}
		byProject[project] = append(byProject[project], r)
	}
	for _, project := range projects {
		if err := a.root(project, byProject[project]); err != nil {
			return err
		}
	}
	return nil
}

func (a *activation) wanted(r pep.Requirement) (bool, error) {
	if excluded, err := a.isExcluded(r); err != nil || excluded {
		return false, err
	}
	return r.Applies(a.platform.markers)
}

func (a *activation) root(project string, requirements []pep.Requirement) error {
	var extras []string
	var offered []candidate
	of := map[*Distribution]pep.Requirement{}
	for _, r := range requirements {
		for _, c := range satisfying(a.available[project], r) {
			if _, ok := of[c.dist]; !ok {
				of[c.dist] = r
				offered = append(offered, c)
			}
			extras = append(extras, r.Extras...)
		}
	}
	if len(offered) == 0 {
		// environment.py:508 asks a defaultdict with get: a project that was looked up before is in it, empty.
		a.absent = a.absent || len(a.available[project]) == 0 && !a.asked[project]
		for _, r := range requirements {
			a.missing = append(a.missing, r.String())
		}
		return nil
	}
	slices.Sort(extras)
	return a.resolve(of[best(offered).dist], slices.Compact(extras), nil)
}

// resolve is environment.py:381, _resolve_requirement.
func (a *activation) resolve(r pep.Requirement, extras []string, by *Distribution) error {
	if excluded, err := a.isExcluded(r); err != nil || excluded {
		return err
	}
	k := keyOf(r, extras)
	if slices.ContainsFunc(a.keys, func(have key) bool { return have.satisfies(k) }) {
		return nil
	}
	a.asked[k.project] = true
	offered := satisfying(a.available[k.project], r)
	if len(offered) == 0 {
		line := r.String()
		if by != nil {
			line += " (required by " + by.Name + " " + by.Version + ")"
		}
		a.missing = append(a.missing, line)
		return nil
	}
	dist := best(offered).dist
	a.keys, a.chosen = append(a.keys, k), append(a.chosen, dist)
	for _, dep := range dist.metadata.RequiresDist {
		dep, err := a.overridden(dep)
		if err != nil {
			return err
		}
		applies, err := dep.Applies(a.platform.markers, extras...)
		if err != nil {
			return fmt.Errorf("%s: %w", dist.Wheel, err)
		}
		if !applies {
			continue
		}
		if err := a.resolve(dep, dep.Extras, dist); err != nil {
			return err
		}
	}
	return nil
}

// resolved are the chosen distributions, each once, where it was first chosen.
func (a *activation) resolved() []Distribution {
	var all []Distribution
	seen := map[*Distribution]bool{}
	for _, d := range a.chosen {
		if !seen[d] {
			seen[d] = true
			all = append(all, *d)
		}
	}
	return all
}

// overridden is dependency_configuration.py:150.
func (a *activation) overridden(r pep.Requirement) (pep.Requirement, error) {
	var found []pep.Requirement
	for _, override := range a.overrides[pep.Normalize(r.Name)] {
		applies, err := override.Applies(a.platform.markers)
		if err != nil {
			return r, err
		}
		if applies {
			found = append(found, override)
		}
	}
	switch len(found) {
	case 0:
		return r, nil
	case 1:
		return found[0], nil
	}
	return r, fmt.Errorf("PEX-INFO: several overrides of %s hold on %s", r.Name, a.platform.target)
}

// isExcluded is dependency_configuration.py:141 for exclusions by name or of a pinned version. pex also
// compares ranges with ranges, which is refused here.
func (a *activation) isExcluded(r pep.Requirement) (bool, error) {
	for _, excluded := range a.excluded {
		if pep.Normalize(excluded.Name) != pep.Normalize(r.Name) {
			continue
		}
		if len(excluded.Specifiers) == 0 {
			return true, nil
		}
		version, pinned := r.Specifiers.Pin()
		if !pinned {
			return false, errors.New("PEX-INFO: excluded " + excluded.String() + ": give the name alone")
		}
		if excluded.Specifiers.Contains(version, true) {
			return true, nil
		}
	}
	return false, nil
}
