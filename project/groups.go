package project

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// group is one list of [dependency-groups] as it stands in the file. PEP 735 has tools check the items
// of a group only when it is used, so that a form of later years in another group does no harm.
type group struct {
	name  string // as written
	items any
	at    keyPath
}

func (r *reader) groups() map[string]group {
	groups := map[string]group{}
	t, _ := r.table(keyPath{}, r.root, "dependency-groups")
	for _, name := range slices.Sorted(maps.Keys(t)) {
		at := keyPath{"dependency-groups", name}
		norm, err := checkDistribution(name)
		if err != nil {
			r.fail(place(r.keyOrigin(at), err))
		} else if other, twice := groups[norm]; twice {
			r.fail(wrong(r.keyOrigin(at), "the group is there already, as %q", other.name))
		}
		groups[norm] = group{name, t[name], at}
	}
	return groups
}

// Groups are the names of the dependency groups, normalised and sorted.
func (p *Project) Groups() []string { return slices.Sorted(maps.Keys(p.groups)) }

// Requirements are what the image is to hold besides the project itself: the dependencies of the named extras
// and dependency groups and, unless the project is built as a package, of the project. A package brings
// its own and those of its extras by its metadata, so only the groups' are listed for it. The order is that of the
// file; a requirement that is there twice is listed once. Markers are kept for the target to evaluate.
func (p *Project) Requirements(extras, groups []string) ([]string, error) {
	var all []string
	if p.BuildSystem == nil {
		all = append(all, p.Dependencies...)
		for _, extra := range extras {
			list, err := p.extra(extra, nil)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
	}
	for _, name := range groups {
		list, err := p.group(name, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	var once []string
	for _, r := range all {
		once = appendNew(once, r)
	}
	return once, nil
}

// extra is the dependencies of one extra. One that names the project itself with extras ("app[a,b]") stands for theirs.
func (p *Project) extra(name string, within []string) ([]string, error) {
	list, ok := p.OptionalDependencies[name]
	if !ok || slices.Contains(within, name) {
		return nil, nil // checkChosen has refused unknown extras; a cycle adds nothing
	}
	var all []string
	for _, text := range list {
		r, err := pep.ParseRequirement(text)
		if err != nil {
			return nil, err
		}
		if pep.Normalize(r.Name) != pep.Normalize(p.Name) {
			all = append(all, text)
			continue
		}
		for _, other := range r.Extras {
			nested, err := p.extra(pep.Normalize(other), append(slices.Clone(within), name))
			if err != nil {
				return nil, err
			}
			all = append(all, nested...)
		}
	}
	return all, nil
}

// group is the dependencies of one group with those that it includes (PEP 735, "Dependency Group Include").
func (p *Project) group(name string, within []string) ([]string, error) {
	g, ok := p.groups[name]
	if !ok {
		return nil, fmt.Errorf("no dependency group %q%s", name, didYouMean(name, p.Groups()))
	}
	if slices.Contains(within, name) {
		return nil, wrong(p.doc.keyOrigin(g.at), "includes itself: %s", strings.Join(append(within, name), " → "))
	}
	within = append(slices.Clone(within), name)
	items, ok := g.items.([]any)
	if !ok {
		return nil, wrong(p.doc.origin(g.at), "must be a list, not %s", typeName(g.items))
	}
	var all []string
	for i, item := range items {
		list, err := p.groupItem(g.at.child(strconv.Itoa(i)), item, within)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func (p *Project) groupItem(at keyPath, item any, within []string) ([]string, error) {
	switch item := item.(type) {
	case string:
		if _, err := pep.ParseRequirement(item); err != nil {
			return nil, wrong(p.doc.origin(at), "%s", err)
		}
		return []string{item}, nil
	case map[string]any:
		name, ok := item["include-group"].(string)
		if !ok || len(item) != 1 {
			return nil, wrong(p.doc.origin(at), "must be a requirement or {include-group = \"name\"}")
		}
		if _, known := p.groups[pep.Normalize(name)]; !known {
			return nil, wrong(p.doc.origin(at.child("include-group")), "no dependency group %q%s", name, didYouMean(name, p.Groups()))
		}
		return p.group(pep.Normalize(name), within)
	}
	return nil, wrong(p.doc.origin(at), "must be a requirement or {include-group = \"name\"}, not %s", typeName(item))
}

// checkChosen refuses extras and groups that the project does not have, and groups that cannot be read.
// Extras that the backend says at build time cannot be checked here.
func (p *Project) checkChosen() []error {
	var errs []error
	s := p.Settings
	for _, extra := range s.Extras.Value {
		_, known := p.OptionalDependencies[extra]
		if known || slices.Contains(p.Dynamic, "optional-dependencies") || p.BuildSystem != nil && !p.named {
			continue
		}
		all := slices.Sorted(maps.Keys(p.OptionalDependencies))
		errs = append(errs, wrong(s.Extras.From, "the project has no extra %q%s", extra, didYouMean(extra, all)).fix("%s", listed("extras", all)))
	}
	for _, name := range s.Groups.Value {
		if _, known := p.groups[name]; !known {
			errs = append(errs, wrong(s.Groups.From, "the project has no dependency group %q%s", name, didYouMean(name, p.Groups())).fix("%s", listed("groups", p.Groups())))
			continue
		}
		if _, err := p.group(name, nil); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func listed(what string, names []string) string {
	if len(names) == 0 {
		return "pyproject.toml has no " + what
	}
	return what + " of the project: " + strings.Join(names, ", ")
}
