package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// pexStyles are the styles of locks that pex 2.105 knows (pex/resolve/locked_resolve.py, LockStyle).
const pexStyles = "strict, sources, universal"

// pexLock is the JSON of pex's json_codec.py. Keys that are not here do not decide what is installed.
type pexLock struct {
	PexVersion   string         `json:"pex_version"`
	Style        string         `json:"style"`
	Requirements []string       `json:"requirements"`
	Excluded     []string       `json:"excluded"`
	Overridden   []string       `json:"overridden"`
	PathMappings map[string]any `json:"path_mappings"`
	// Transitive is false for a lock of its root requirements alone.
	Transitive     *bool        `json:"transitive"`
	LockedResolves []pexResolve `json:"locked_resolves"`

	roots     []pep.Requirement
	excluded  []pep.Requirement
	overrides map[string][]pep.Requirement
}

// pexResolve is one resolution: for a platform (strict), for a marker (a split universal lock), or for all.
type pexResolve struct {
	PlatformTag        []string    `json:"platform_tag"`
	Marker             string      `json:"marker"`
	LockedRequirements []pexLocked `json:"locked_requirements"`

	marker   pep.Marker
	packages map[string][]pexPackage
}

type pexLocked struct {
	ProjectName    string        `json:"project_name"`
	Version        string        `json:"version"`
	RequiresPython string        `json:"requires_python"`
	RequiresDists  []string      `json:"requires_dists"`
	Artifacts      []pexArtifact `json:"artifacts"`
}

type pexArtifact struct {
	URL       string `json:"url"`
	Algorithm string `json:"algorithm"`
	Hash      string `json:"hash"`
	CommitID  string `json:"commit_id"`
	Editable  bool   `json:"editable"`
}

// pexPackage is a locked distribution and what it depends on.
type pexPackage struct {
	Package
	dependencies []pep.Requirement
}

func (l *Lock) readPexLock(content []byte) error {
	if bytes.HasPrefix(content, []byte("//")) {
		return &pantsLock{l.Path}
	}
	var p pexLock
	if err := json.Unmarshal(content, &p); err != nil {
		return l.badJSON(content, err)
	}
	if p.LockedResolves == nil {
		return fmt.Errorf("%s: not a pex lock: no locked_resolves; pex3 lock create writes one", l.Path)
	}
	if !slices.Contains(strings.Split(pexStyles, ", "), p.Style) {
		return fmt.Errorf("%s: a pex lock of style %q, written by pex %s; %s are known", l.Path, p.Style, p.PexVersion, pexStyles)
	}
	if err := p.parse(); err != nil {
		return fmt.Errorf("%s: %w", l.Path, err)
	}
	l.Packages = p.allPackages(l.Path)
	l.Hashed, l.selector = allHashed(l.Packages), &p
	return nil
}

// badJSON puts file, row and column before what is wrong.
func (l *Lock) badJSON(content []byte, err error) error {
	offset, text := int64(len(content)), err.Error()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset, text = kind.Offset, fmt.Sprintf("%s: a value of type %s, which the format does not have here", kind.Field, kind.Value)
	}
	before := content[:min(max(offset-1, 0), int64(len(content)))]
	row := bytes.Count(before, []byte("\n")) + 1
	return fmt.Errorf("%s:%d:%d: %s", l.Path, row, len(before)-bytes.LastIndexByte(before, '\n'), text)
}

// pantsLock is a pex lock with the comment lines that Pants puts before it, which pex refuses.
type pantsLock struct{ path string }

func (e *pantsLock) Error() string {
	return e.path + ": a pex lock of Pants, whose comment lines pex does not read"
}

// Hint is the command that takes the comments out.
func (e *pantsLock) Hint() string {
	return fmt.Sprintf("grep -v '^//' %s > pex.lock", e.path)
}

func (p *pexLock) parse() error {
	var err error
	if p.roots, err = parseRequirements(p.Requirements); err != nil {
		return fmt.Errorf("requirements: %w", err)
	}
	if p.excluded, err = parseRequirements(p.Excluded); err != nil {
		return fmt.Errorf("excluded: %w", err)
	}
	if err := p.parseOverrides(); err != nil {
		return fmt.Errorf("overridden: %w", err)
	}
	for i := range p.LockedResolves {
		if err := p.LockedResolves[i].parse(); err != nil {
			return fmt.Errorf("locked_resolves[%d]: %w", i, err)
		}
	}
	return nil
}

func parseRequirements(texts []string) ([]pep.Requirement, error) {
	var all []pep.Requirement
	for _, text := range texts {
		r, err := pep.ParseRequirement(text)
		if err != nil {
			return nil, redact(err)
		}
		all = append(all, r)
	}
	return all, nil
}

// parseOverrides reads "requirement" and "name=requirement": what replaces every dependency on the name.
func (p *pexLock) parseOverrides() error {
	p.overrides = map[string][]pep.Requirement{}
	for _, text := range p.Overridden {
		name, requirement, ok := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if !ok || !pep.ValidName(name) || strings.HasPrefix(requirement, "=") {
			name, requirement = "", text
		}
		r, err := pep.ParseRequirement(strings.TrimSpace(requirement))
		if err != nil {
			return redact(err)
		}
		if name == "" {
			name = r.Name
		}
		name = wheel.Normalize(name)
		p.overrides[name] = append(p.overrides[name], r)
	}
	return nil
}

func (r *pexResolve) parse() error {
	if r.Marker != "" {
		var err error
		if r.marker, err = pep.ParseMarker(r.Marker); err != nil {
			return fmt.Errorf("marker: %w", err)
		}
	}
	r.packages = map[string][]pexPackage{}
	for i, raw := range r.LockedRequirements {
		p, err := raw.parse()
		if err != nil {
			return fmt.Errorf("locked_requirements[%d] (%s): %w", i, raw.ProjectName, err)
		}
		r.packages[p.Name] = append(r.packages[p.Name], p)
	}
	return nil
}

func (raw pexLocked) parse() (pexPackage, error) {
	p := pexPackage{Package: Package{Name: wheel.Normalize(raw.ProjectName), Version: raw.Version}}
	if !pep.ValidName(raw.ProjectName) || raw.Version == "" {
		return p, errors.New("no name or no version")
	}
	var err error
	if p.requiresPython, err = pep.ParseSpecifiers(raw.RequiresPython); err != nil {
		return p, fmt.Errorf("requires_python: %w", err)
	}
	if p.dependencies, err = parseRequirements(raw.RequiresDists); err != nil {
		return p, fmt.Errorf("requires_dists: %w", err)
	}
	if len(raw.Artifacts) == 0 {
		return p, errors.New("no artifacts")
	}
	for i, artifact := range raw.Artifacts {
		if err := p.addArtifact(artifact); err != nil {
			return p, fmt.Errorf("artifacts[%d]: %w", i, err)
		}
	}
	return p, nil
}

// addArtifact sorts a URL into wheels, the source distribution, and origins other than an index, as pex does by scheme and
// file name.
func (p *Package) addArtifact(a pexArtifact) error {
	f := File{Name: urlBase(a.URL), URL: a.URL, Hashes: map[string]string{a.Algorithm: a.Hash}}
	switch {
	case vcs.MatchString(a.URL):
		p.Source = &Source{FromVCS, a.URL, a.CommitID, subdirectory(a.URL), false}
		// pex pins what it checked out by a hash of the tree, also where the revision is a branch.
		p.Hashes = append(p.Hashes, a.Algorithm+":"+a.Hash)
	case strings.HasSuffix(f.Name, ".whl"):
		return p.addWheel(f)
	case strings.HasPrefix(a.URL, "file:") && !archiveName.MatchString(f.Name):
		p.Source = &Source{FromDirectory, a.URL, "", "", a.Editable}
	case f.Name == "":
		return errors.New("a URL without a file name")
	case p.Sdist == nil:
		p.Sdist = &f
	}
	return nil
}

func subdirectory(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	fragment, err := url.ParseQuery(u.Fragment)
	if err != nil {
		return ""
	}
	return fragment.Get("subdirectory")
}

// allPackages are the packages of all resolves; where several have one of a version, its files come together.
func (p *pexLock) allPackages(path string) []Package {
	var all []Package
	place := map[string]int{}
	for i, resolve := range p.LockedResolves {
		for j, raw := range resolve.LockedRequirements {
			for _, q := range resolve.packages[wheel.Normalize(raw.ProjectName)] {
				if q.Version != raw.Version {
					continue
				}
				key := q.Name + " " + q.Version
				if k, ok := place[key]; ok {
					all[k].merge(q.Package)
					continue
				}
				place[key] = len(all)
				q.Line = fmt.Sprintf("%s: locked_resolves[%d].locked_requirements[%d]", path, i, j)
				all = append(all, q.Package)
			}
		}
	}
	return all
}

// merge adds the files that p has not yet.
func (p *Package) merge(q Package) {
	for _, f := range q.Wheels {
		if !slices.ContainsFunc(p.Wheels, func(g File) bool { return g.Name == f.Name }) {
			p.Wheels = append(slices.Clip(p.Wheels), f)
		}
	}
	if p.Sdist == nil {
		p.Sdist = q.Sdist
	}
}
