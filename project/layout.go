package project

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// guessRoot is "src" if modules lie there and no package lies beside it, else ".". A src that is a package itself
// ("import src.app") is one of ".".
func (p *Project) guessRoot() string {
	importable := slices.ContainsFunc(p.sources, func(f string) bool {
		rest, ok := strings.CutPrefix(f, "src/")
		first, _, _ := strings.Cut(rest, "/")
		return ok && strings.HasSuffix(f, ".py") && isIdentifier(strings.TrimSuffix(first, ".py"))
	})
	isPackage := slices.Contains(p.sources, "src/__init__.py")
	if importable && !isPackage && len(p.packages(".", true)) == 0 {
		return "src"
	}
	return "."
}

// packages are the names of the packages in a root, sorted: directories with an __init__.py or a __main__.py. With
// flat, those are left out whose names say that they are not the application.
func (p *Project) packages(root string, flat bool) []string {
	found := map[string]bool{}
	for _, f := range p.sources {
		rest, ok := strings.CutPrefix(f, prefixOf(root))
		dir, file := path.Split(rest)
		name := strings.TrimSuffix(dir, "/")
		if ok && isIdentifier(name) && (file == "__init__.py" || file == "__main__.py") && !(flat && besides(name)) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// besides reports the names of directories that lie beside an application's package in a flat layout. The list
// is that of setuptools 84 (discovery.FlatLayoutPackageFinder), and src.
func besides(name string) bool {
	names := strings.Fields(`src ci bin debian doc docs documentation manpages news newsfragments changelog test tests unit_test
		unit_tests example examples scripts tools util utils python build dist venv env requirements tasks fabfile site_scons
		benchmark benchmarks exercise exercises htmlcov`)
	return slices.Contains(names, name) || strings.HasPrefix(name, "_")
}

// applicationPackages are the packages of all roots, less those besides unless there are no others.
func (p *Project) applicationPackages() []string {
	var main, all []string
	for _, root := range p.roots {
		main = append(main, p.packages(root, true)...)
		all = append(all, p.packages(root, false)...)
	}
	if len(main) == 0 {
		return all
	}
	return main
}

// hasMain reports whether `python -m pkg` would work.
func (p *Project) hasMain(pkg string) bool {
	return slices.ContainsFunc(p.roots, func(root string) bool {
		return slices.Contains(p.sources, prefixOf(root)+pkg+"/__main__.py")
	})
}

// modules are the names of the modules that lie in the roots themselves, less those that steer tools.
func (p *Project) modules() []string {
	var names []string
	for _, root := range p.roots {
		for _, f := range p.sources {
			name, ok := strings.CutSuffix(strings.TrimPrefix(f, prefixOf(root)), ".py")
			tool := slices.Contains([]string{"setup", "conftest", "toxfile", "noxfile", "tasks", "fabfile", "dodo", "pavement", "conanfile"}, name)
			if ok && strings.HasPrefix(f, prefixOf(root)) && isIdentifier(name) && !tool {
				names = appendNew(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
