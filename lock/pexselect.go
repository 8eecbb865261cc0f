package lock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// request is a requirement on the way from the roots of a pex lock, with the extras under which it was found.
type request struct {
	requirement pep.Requirement
	extras      []string
	via         string
}

// selectFor follows pex's lockfile/subset.py: every resolve is tried; of those that work, a split universal lock's go by
// their markers, and of the rest the one whose wheels rank best on average is taken.
func (p *pexLock) selectFor(t target) ([]Pin, error) {
	t.lastWins = true
	var failed []error
	var working []resolved
	for i := range p.LockedResolves {
		r, err := p.resolve(&p.LockedResolves[i], t)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		working = append(working, r)
	}
	if len(working) > 1 {
		var err error
		if working, err = byMarker(working, t); err != nil {
			return nil, err
		}
	}
	switch {
	case len(working) == 0 && len(failed) > 0:
		return nil, errors.Join(failed...)
	case len(working) == 0:
		return nil, fmt.Errorf("none of the %d resolves in the lock is for %s", len(p.LockedResolves), t)
	}
	best := working[0]
	for _, r := range working[1:] {
		if r.specificity >= best.specificity { // of equals pex takes the last
			best = r
		}
	}
	return best.pins, nil
}

// resolved is what one resolve gives a target. specificity is 1 if every wheel has the best tag, 0 if every one has the last.
type resolved struct {
	pins        []Pin
	marker      pep.Marker
	specificity float64
}

func byMarker(working []resolved, t target) ([]resolved, error) {
	var left []resolved
	for _, r := range working {
		ok, err := r.marker.Evaluate(t.env)
		if err != nil {
			return nil, err
		}
		if ok {
			left = append(left, r)
		}
	}
	return left, nil
}

// resolve walks from the roots through the dependencies that apply to the target, then chooses a file for each.
func (p *pexLock) resolve(r *pexResolve, t target) (resolved, error) {
	required, order, err := p.require(r, t)
	if err != nil {
		return resolved{}, err
	}
	result := resolved{marker: r.marker}
	var missing []error
	for _, name := range order {
		pin, err := chooseLocked(r.packages[name], required[name], t)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		result.pins = append(result.pins, pin)
		result.specificity += t.specificity(pin) / float64(len(order))
	}
	return result, errors.Join(missing...)
}

// require collects the requests for every distribution that the target needs, in the order of their discovery.
func (p *pexLock) require(r *pexResolve, t target) (map[string][]request, []string, error) {
	required := map[string][]request{}
	var order []string
	seen := map[string][]string{} // the extras for which a distribution's dependencies were followed
	queue, err := p.applicable(p.roots, nil, "", t)
	if err != nil {
		return nil, nil, err
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		name := wheel.Normalize(next.requirement.Name)
		if required[name] == nil {
			order = append(order, name)
		}
		required[name] = append(required[name], next)
		if p.Transitive != nil && !*p.Transitive {
			continue
		}
		extras, known := seen[name]
		news := slices.DeleteFunc(slices.Clone(next.requirement.Extras), func(e string) bool { return slices.Contains(extras, e) })
		if known && len(news) == 0 {
			continue
		}
		seen[name] = append(extras, news...)
		for _, locked := range r.packages[name] {
			more, err := p.applicable(locked.dependencies, next.requirement.Extras, strings.TrimPrefix(next.via+" → ", " → ")+next.requirement.Name, t)
			if err != nil {
				return nil, nil, err
			}
			queue = append(queue, more...)
		}
	}
	return required, order, nil
}

// applicable are the requirements that hold for the target, overridden where the lock says so, without the excluded ones.
func (p *pexLock) applicable(requirements []pep.Requirement, extras []string, via string, t target) ([]request, error) {
	var all []request
	for _, requirement := range requirements {
		if p.isExcluded(requirement) {
			continue
		}
		requirement, err := p.override(requirement, t)
		if err != nil {
			return nil, err
		}
		active := extras
		if via == "" {
			active = requirement.Extras
		}
		ok, err := requirement.Applies(t.env, active...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", requirement.Name, err)
		}
		if ok && !p.isExcluded(requirement) {
			all = append(all, request{requirement, active, via})
		}
	}
	return all, nil
}

// isExcluded goes by name, and by version where both sides are one clause or none: pex compares sets of versions, which the
// excludes of real locks do not need.
func (p *pexLock) isExcluded(r pep.Requirement) bool {
	return slices.ContainsFunc(p.excluded, func(e pep.Requirement) bool {
		return wheel.Normalize(e.Name) == wheel.Normalize(r.Name) && (len(e.Specifiers) == 0 || e.Specifiers.String() == r.Specifiers.String())
	})
}

func (p *pexLock) override(r pep.Requirement, t target) (pep.Requirement, error) {
	for _, o := range p.overrides[wheel.Normalize(r.Name)] {
		ok, err := o.Applies(t.env)
		if err != nil {
			return r, fmt.Errorf("override of %s: %w", r.Name, err)
		}
		if ok {
			return o, nil
		}
	}
	return r, nil
}

// chooseLocked takes the highest version that satisfies all requests and has a file for the target.
func chooseLocked(locked []pexPackage, requests []request, t target) (Pin, error) {
	var candidates []pexPackage
	var failed []error
	for _, p := range locked {
		if err := t.checkPython(p.requiresPython, p.Name+" "+p.Version); err != nil {
			failed = append(failed, err)
			continue
		}
		if r, ok := refusal(p, requests); ok {
			failed = append(failed, fmt.Errorf("%s %s does not satisfy %s%s (asked for by %s)", p.Name, p.Version, r.requirement.Name, r.requirement.Specifiers, r.by()))
			continue
		}
		candidates = append(candidates, p)
	}
	slices.SortStableFunc(candidates, func(a, b pexPackage) int { return compareVersions(b.Version, a.Version) })
	for _, p := range candidates {
		pin, err := t.choose(p.Package)
		if err == nil {
			return pin, nil
		}
		failed = append(failed, err)
	}
	if len(failed) == 0 {
		failed = append(failed, fmt.Errorf("%s, asked for by %s, is not in the lock; lock again", wheel.Normalize(requests[0].requirement.Name), requests[0].by()))
	}
	return Pin{}, errors.Join(failed...)
}

// refusal is the first request that the version does not satisfy. Pre-releases are fine: the lock's resolver decided that.
func refusal(p pexPackage, requests []request) (request, bool) {
	for _, r := range requests {
		if !r.requirement.Specifiers.Contains(p.Version, true) {
			return r, true
		}
	}
	return request{}, false
}

func (r request) by() string {
	if r.via == "" {
		return "the lock's requirements"
	}
	return r.via
}

func compareVersions(a, b string) int {
	v, errA := pep.ParseVersion(a)
	w, errB := pep.ParseVersion(b)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return v.Compare(w)
}

// specificity is 1 for the best tag of the target, 0 for its last, a little less for what must be built.
func (t target) specificity(p Pin) float64 {
	n := len(t.tags.Tags())
	rank := n
	if r, ok := t.tags.Rank(p.Wheel.tags); ok {
		rank = r
	}
	return float64(n-1-rank) / float64(max(n-1, 1))
}
