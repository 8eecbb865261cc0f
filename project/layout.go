package project

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// guessRoot is "src" if modules lie there and no package lies beside it, else ".". A src that is a package itself
// ("import src.app") is one of ".". So is a src of loose modules beside a module that is the application's
// (main.py with "from src.helpers import x"): Python finds src from where that module lies, and never looks into it.
func (p *Project) guessRoot() string {
	importable := slices.ContainsFunc(p.sources, func(f string) bool {
		rest, ok := strings.CutPrefix(f, "src/")
		first, _, _ := strings.Cut(rest, "/")
		return ok && strings.HasSuffix(f, ".py") && isIdentifier(strings.TrimSuffix(first, ".py"))
	})
	isPackage := slices.Contains(p.sources, "src/__init__.py")
	beside := len(p.packages(".", true)) > 0 || len(p.packages("src", false)) == 0 && p.hasModule(".")
	if importable && !isPackage && !beside {
		return "src"
	}
	return "."
}

// hasModule reports whether a module of the application lies in the root itself, not in a directory below it.
func (p *Project) hasModule(root string) bool {
	return slices.ContainsFunc(p.modulesIn(root), func(name string) bool {
		return name != "__init__" && !strings.HasPrefix(name, "test_") && !strings.HasSuffix(name, "_test")
	})
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
		for _, name := range p.modulesIn(root) {
			names = appendNew(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// modulesIn are those of one root. A manage.py is one of them: it starts the application.
func (p *Project) modulesIn(root string) []string {
	tools := strings.Fields("setup conftest toxfile noxfile tasks fabfile dodo pavement conanfile versioneer hatch_build")
	var names []string
	for _, f := range p.sources {
		rest, below := strings.CutPrefix(f, prefixOf(root))
		name, ok := strings.CutSuffix(rest, ".py")
		if below && ok && isIdentifier(name) && !slices.Contains(tools, name) {
			names = append(names, name)
		}
	}
	return names
}
