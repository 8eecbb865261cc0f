package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// EntryPoint is how the application starts. Either Module or Script is set. Whether the module, the function
// and the console script exist shows when the wheels are there; a later stage checks it.
type EntryPoint struct {
	// Module is run as `python -m` does unless there is a Function, which may be dotted and is called without arguments.
	Module, Function string
	// Script is a console script of one of the distributions.
	Script string
	// Name is the command's name, for usage texts: the script's, also where Script is empty because the project is not
	// built as a package; "" for a module.
	Name string
	// Source says what decided: a flag, a place in a file, a rule.
	Source string
}

// String is the entry point as the user would write it.
func (e EntryPoint) String() string {
	switch {
	case e.Script != "":
		return e.Script
	case e.Function != "":
		return e.Module + ":" + e.Function
	}
	return e.Module
}

// Entry decides how the application starts:
//
//  1. entry-point or script, by flag, environment or [tool.pexko];
//  2. the only script of [project.scripts], or the one that is named as the project;
//  3. the package with a __main__.py, if it is the only package;
//  4. a module main in an import root, if the project is not built as a package.
//
// A script of a project that is not built as a package is not installed, so its module and function are taken.
// If no rule applies the error is an *EntryError.
func (p *Project) Entry() (EntryPoint, error) {
	s := p.Settings
	switch {
	case s.EntryPoint.Value != "":
		return moduleEntry(s.EntryPoint.Value, s.EntryPoint.From.String()), nil
	case s.Script.Value != "":
		return p.scriptEntry(s.Script.Value, s.Script.From.String()), nil
	}
	if name, rule := p.soleScript(); name != "" {
		return p.scriptEntry(name, "[project.scripts]: "+rule), nil
	}
	packages := p.applicationPackages()
	if len(packages) == 1 && p.hasMain(packages[0]) {
		return moduleEntry(packages[0], "__main__.py of the only package"), nil
	}
	if p.BuildSystem == nil && slices.Contains(p.modules(), "main") {
		return moduleEntry("main", "main.py"), nil
	}
	return EntryPoint{}, &EntryError{Project: p.Name, Reason: p.noEntry(packages), Candidates: p.EntryCandidates(), roots: p.ImportRoots}
}

func moduleEntry(entry, source string) EntryPoint {
	module, function, _ := strings.Cut(entry, ":")
	return EntryPoint{Module: module, Function: function, Source: source}
}

func (p *Project) scriptEntry(name, source string) EntryPoint {
	ref, own := p.Scripts[name]
	if !own {
		ref, own = p.GUIScripts[name]
	}
	if own && p.BuildSystem == nil {
		e := moduleEntry(ref, source)
		e.Name = name
		return e
	}
	return EntryPoint{Script: name, Name: name, Source: source}
}

// soleScript is the script that needs no choice, and why; "" if there is none.
func (p *Project) soleScript() (name, rule string) {
	names := slices.Sorted(maps.Keys(p.Scripts))
	if len(names) == 1 {
		return names[0], "the only one"
	}
	for _, name := range names {
		if pep.Normalize(name) == pep.Normalize(p.Name) {
			return name, "named as the project"
		}
	}
	return "", ""
}

func (p *Project) noEntry(packages []string) string {
	var reasons []string
	if n := len(p.Scripts); n > 1 {
		reasons = append(reasons, fmt.Sprintf("none of %d [project.scripts] is named as the project", n))
	}
	switch {
	case len(packages) == 1:
		reasons = append(reasons, "the package "+packages[0]+" has no __main__.py")
	case len(packages) > 1:
		reasons = append(reasons, "there are several packages")
	case slices.Contains(p.modules(), "__main__"):
		reasons = append(reasons, "a __main__.py outside a package has no name to start it by; call it main.py")
	case len(p.Scripts) == 0:
		reasons = append(reasons, "no [project.scripts] and no package with a __main__.py")
	}
	return strings.Join(reasons, ", and ")
}

// EntryCandidates are the entry points that the project itself offers, as flags, likely ones first.
func (p *Project) EntryCandidates() []string {
	var all []string
	for _, scripts := range []map[string]string{p.Scripts, p.GUIScripts} {
		for _, name := range slices.Sorted(maps.Keys(scripts)) {
			all = append(all, "-c "+name)
		}
	}
	for _, pkg := range p.applicationPackages() {
		if p.hasMain(pkg) {
			all = append(all, "-e "+pkg)
		}
	}
	for _, module := range p.modules() {
		if module != "__main__" && module != "__init__" {
			all = append(all, "-e "+module)
		}
	}
	return all
}

// bareReference drops the blanks and extras that a script's reference may carry ("mod : run [extra]"); the entry
// points specification still allows the former and has deprecated the latter.
func bareReference(ref string) string {
	bare, _, _ := strings.Cut(ref, "[")
	module, function, called := strings.Cut(bare, ":")
	if !called {
		return strings.TrimSpace(module)
	}
	return strings.TrimSpace(module) + ":" + strings.TrimSpace(function)
}
