package lock

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// scheme is the beginning of a URL, that of a version control system included: "git+https:".
var scheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]+:`)

// vcs are the systems that pip clones from.
var vcs = regexp.MustCompile(`^(git|hg|bzr|svn)\+`)

// namedURL is the beginning of "name[extras] @ URL".
var namedURL = regexp.MustCompile(`^\s*[A-Za-z0-9._-]+\s*(?:\[[^]]*\])?\s*@`)

// variable is an environment variable that pip will fill in.
var variable = regexp.MustCompile(`\$\{[A-Z0-9_]+\}`)

// parseRequirementLine reads what stands before the options of a line, or the value of -e: a requirement by PEP 508, or, as
// pip allows too, a bare URL or path. What an environment variable hides is a package without a name.
func parseRequirementLine(requirement, editable string) (Package, error) {
	text := requirement
	if text == "" {
		text = editable
	}
	p, err := parseReference(text)
	if p.Source != nil {
		p.Source.Editable = requirement == ""
	}
	return p, err
}

func parseReference(text string) (Package, error) {
	r, err := pep.ParseRequirement(text)
	switch {
	case err == nil && (r.URL != "" || !isPath(text)):
		return packageOf(r)
	case err != nil && namedURL.MatchString(text):
		return Package{}, err
	case scheme.MatchString(text) || isPath(text):
		return direct(text)
	case variable.MatchString(text):
		return Package{}, nil
	}
	return Package{}, err
}

// isPath goes by pip's rule for what is no URL: a slash, a leading dot, or the ending of an archive.
func isPath(text string) bool {
	text, _, _ = strings.Cut(text, ";")
	text, _, _ = strings.Cut(strings.TrimSpace(text), "[")
	return strings.HasPrefix(text, ".") || strings.Contains(text, "/") || archiveName.MatchString(text)
}

// archiveName matches the endings that pip takes for archives.
var archiveName = regexp.MustCompile(`(?i)\.(whl|zip|tgz|tbz|txz|tlz|tar|tar\.(gz|bz2|xz|lz|lzma))$`)

// packageOf is a requirement by PEP 508.
func packageOf(r pep.Requirement) (Package, error) {
	p := Package{Name: wheel.Normalize(r.Name), Marker: r.Marker.String(), marker: r.Marker}
	if r.URL != "" {
		return p, p.setURL(r.URL)
	}
	p.Version, _ = r.Specifiers.Pin()
	return p, nil
}

// direct reads a bare URL or path, with a marker after ";" (and a blank, for URLs). Its name stands in #egg= or is that of a wheel.
func direct(text string) (Package, error) {
	separator := ";"
	if scheme.MatchString(text) {
		separator = "; "
	}
	reference, marker, _ := strings.Cut(text, separator)
	var p Package
	if marker = strings.TrimSpace(marker); marker != "" {
		m, err := pep.ParseMarker(marker)
		if err != nil {
			return p, err
		}
		p.Marker, p.marker = m.String(), m
	}
	reference = strings.TrimSpace(reference)
	if !scheme.MatchString(reference) {
		reference, _, _ = strings.Cut(reference, "[") // extras of a local project
	}
	return p, p.setURL(reference)
}

// setURL sets what a direct reference says of the package: its origin, and its version if it is a wheel.
func (p *Package) setURL(reference string) error {
	plain := variable.ReplaceAllString(reference, "variable")
	u, err := url.Parse(plain)
	if err != nil {
		return errors.New("not a URL")
	}
	if strings.Contains(path.Base(reference), "${") {
		return nil // the file's own name is hidden
	}
	fragment, err := url.ParseQuery(u.Fragment)
	if err != nil {
		return fmt.Errorf("the fragment of the URL: %w", err)
	}
	if egg, _, _ := strings.Cut(fragment.Get("egg"), "["); p.Name == "" && pep.ValidName(egg) {
		p.Name = wheel.Normalize(egg)
	}
	source := &Source{URL: reference, Subdirectory: fragment.Get("subdirectory")}
	switch base := urlBase(plain); {
	case vcs.MatchString(reference):
		source.From = FromVCS
		if at := strings.LastIndex(u.Path, "@"); at >= 0 {
			source.Commit = commit(u.Path[at+1:])
		}
	case strings.HasSuffix(base, ".whl"):
		return p.setWheel(base, reference, fragment)
	case u.Scheme == "" && !archiveName.MatchString(u.Path), u.Scheme == "file" && !archiveName.MatchString(u.Path):
		source.From = FromDirectory
	default:
		source.From = FromArchive
		p.Sdist = &File{Name: base, URL: reference, Hashes: fragmentHashes(fragment)}
	}
	p.Source = source
	return nil
}

// commit is the revision if it is a full commit and no branch or tag, else "".
func commit(revision string) string {
	if len(revision) != 40 && len(revision) != 64 || strings.Trim(revision, "0123456789abcdef") != "" {
		return ""
	}
	return revision
}

func (p *Package) setWheel(base, reference string, fragment url.Values) error {
	name, err := wheel.ParseName(base)
	if err != nil {
		return err
	}
	if p.Name == "" {
		p.Name = name.Normalized()
	}
	p.Version = name.Version
	return p.addWheel(File{Name: base, URL: reference, Hashes: fragmentHashes(fragment)})
}

// fragmentHashes are the hashes in a URL's fragment, "#sha256=…", which pip checks.
func fragmentHashes(fragment url.Values) map[string]string {
	hashes := map[string]string{}
	for algorithm := range strongHashes() {
		if digest := fragment.Get(algorithm); digest != "" {
			hashes[algorithm] = digest
		}
	}
	return hashes
}
