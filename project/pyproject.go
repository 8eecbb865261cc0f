package project

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/pexko/pexko/internal/pep"
)

// BuildSystem is the [build-system] table (PEP 517, 518).
type BuildSystem struct {
	// Requires are PEP 508 requirements of the build itself.
	Requires []string
	// Backend is the object that builds: setuptools.build_meta:__legacy__ if the table names none, as PEP 517 says.
	Backend string
	// BackendPath are directories of the project that the backend is imported from.
	BackendPath []string
}

// metadata is what pyproject.toml says about the project (PEP 621), as far as it concerns an image.
type metadata struct {
	build          *BuildSystem
	name, version  string
	requiresPython string
	dependencies   []string
	optional       map[string][]string // by normalised name
	scripts, gui   map[string]string
	dynamic        []string
	groups         map[string]group
}

// reader collects errors while it walks a document, so that a user sees all of them at once.
type reader struct {
	*document
	errs []error
}

func (r *reader) fail(err error) { r.errs = append(r.errs, err) }

// readMetadata reads and checks the tables of d. Keys that PEP 621 may yet gain are passed over: its
// strictness is for build backends.
func readMetadata(d *document) (metadata, error) {
	r := &reader{document: d}
	m := metadata{build: r.buildSystem(), groups: r.groups()}
	at := keyPath{"project"}
	p, ok := r.table(keyPath{}, d.root, "project")
	if !ok {
		return m, errors.Join(r.errs...)
	}
	m.name = r.name(at, p)
	m.version, _ = r.text(at, p, "version")
	m.requiresPython, _ = r.text(at, p, "requires-python")
	m.dependencies = r.requirements(at, p, "dependencies")
	m.optional = r.optional(at, p)
	m.scripts, m.gui = r.references(at, p, "scripts"), r.references(at, p, "gui-scripts")
	m.dynamic, _ = r.texts(at, p, "dynamic")
	r.checkDynamic(at, p, m.dynamic)
	if _, err := pep.ParseSpecifiers(m.requiresPython); err != nil {
		r.fail(wrong(r.origin(at.child("requires-python")), "%s", err))
	}
	if _, err := pep.ParseVersion(m.version); m.version != "" && err != nil {
		r.fail(wrong(r.origin(at.child("version")), "%s", err))
	}
	return m, errors.Join(r.errs...)
}

func (r *reader) name(at keyPath, p map[string]any) string {
	name, ok := r.text(at, p, "name")
	switch {
	case !ok && p["name"] == nil:
		r.fail(wrong(r.keyOrigin(at), "has no name; PEP 621 demands one"))
	case ok && !pep.ValidName(name):
		r.fail(wrong(r.origin(at.child("name")), "%q is not a valid name; letters, digits and . _ - between them", name))
	}
	return name
}

// checkDynamic refuses a field that is said to be dynamic and yet is there.
func (r *reader) checkDynamic(at keyPath, p map[string]any, dynamic []string) {
	for i, field := range dynamic {
		here := r.origin(at.child("dynamic").child(strconv.Itoa(i)))
		if _, static := p[field]; static || field == "name" {
			r.fail(wrong(here, "%q cannot be dynamic: PEP 621 wants it in one place, and name always as it is", field))
		}
	}
}

func (r *reader) buildSystem() *BuildSystem {
	at := keyPath{"build-system"}
	t, ok := r.table(keyPath{}, r.root, "build-system")
	if !ok {
		return nil
	}
	b := &BuildSystem{Requires: r.requirements(at, t, "requires")}
	if t["requires"] == nil {
		r.fail(wrong(r.keyOrigin(at), "has no requires; PEP 518 demands it").fix("a project that is not to be built as a package has no [build-system]; else name the backend's distribution, such as requires = [\"hatchling\"]"))
	}
	b.BackendPath, _ = r.texts(at, t, "backend-path")
	if b.Backend, ok = r.text(at, t, "build-backend"); !ok {
		b.Backend = "setuptools.build_meta:__legacy__"
	}
	return b
}

func (r *reader) optional(at keyPath, p map[string]any) map[string][]string {
	extras := map[string][]string{}
	t, _ := r.table(at, p, "optional-dependencies")
	here := at.child("optional-dependencies")
	for _, name := range slices.Sorted(maps.Keys(t)) {
		norm, err := checkDistribution(name)
		if err != nil {
			r.fail(place(r.keyOrigin(here.child(name)), err))
		} else if _, twice := extras[norm]; twice {
			r.fail(wrong(r.keyOrigin(here.child(name)), "the extra %q is there twice under two spellings", norm))
		}
		extras[norm] = r.requirements(here, t, name)
	}
	return extras
}

// references reads a table of entry points, name to MODULE[:FUNCTION].
func (r *reader) references(at keyPath, p map[string]any, key string) map[string]string {
	scripts := map[string]string{}
	t, _ := r.table(at, p, key)
	here := at.child(key)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if _, err := checkScript(name); err != nil {
			r.fail(place(r.keyOrigin(here.child(name)), err))
		}
		ref, ok := r.text(here, t, name)
		if _, err := checkEntryPoint(bareReference(ref)); ok && err != nil {
			r.fail(place(r.origin(here.child(name)), err))
		}
		scripts[name] = bareReference(ref)
	}
	return scripts
}

// requirements reads a list of PEP 508 requirements and checks each.
func (r *reader) requirements(at keyPath, t map[string]any, key string) []string {
	list, _ := r.texts(at, t, key)
	for i, text := range list {
		if _, err := pep.ParseRequirement(text); err != nil {
			r.fail(wrong(r.origin(at.child(key).child(strconv.Itoa(i))), "%s", err))
		}
	}
	return list
}

func (r *reader) table(at keyPath, t map[string]any, key string) (map[string]any, bool) {
	v, there := t[key]
	table, ok := v.(map[string]any)
	if there && !ok {
		r.fail(wrong(r.origin(at.child(key)), "must be a table, not %s", typeName(v)))
	}
	return table, ok
}

func (r *reader) text(at keyPath, t map[string]any, key string) (string, bool) {
	v, there := t[key]
	s, ok := v.(string)
	if there && !ok {
		r.fail(wrong(r.origin(at.child(key)), "must be a string, not %s", typeName(v)))
	}
	return s, ok
}

func (r *reader) texts(at keyPath, t map[string]any, key string) ([]string, bool) {
	v, there := t[key]
	list, ok := v.([]any)
	if there && !ok {
		r.fail(wrong(r.origin(at.child(key)), "must be a list of strings, not %s", typeName(v)))
	}
	var all []string
	for i, item := range list {
		s, ok := item.(string)
		if !ok {
			r.fail(wrong(r.origin(at.child(key).child(strconv.Itoa(i))), "must be a string, not %s", typeName(item)))
		}
		all = append(all, s)
	}
	return all, ok
}
