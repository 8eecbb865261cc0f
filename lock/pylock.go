package lock

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// pylockVersion is the version of the format that is known in full; other minor versions of 1 may add keys.
const pylockVersion = "1.0"

// pylock is a file by PEP 751. Keys that are not here do not decide what is installed.
type pylock struct {
	LockVersion      string          `toml:"lock-version"`
	Environments     []string        `toml:"environments"`
	RequiresPython   string          `toml:"requires-python"`
	Extras           []string        `toml:"extras"`
	DependencyGroups []string        `toml:"dependency-groups"`
	DefaultGroups    []string        `toml:"default-groups"`
	CreatedBy        string          `toml:"created-by"`
	Packages         []pylockPackage `toml:"packages"`

	environments   []pep.Marker
	requiresPython pep.Specifiers
	packages       []Package
}

type pylockPackage struct {
	Name           string           `toml:"name"`
	Version        string           `toml:"version"`
	Marker         string           `toml:"marker"`
	RequiresPython string           `toml:"requires-python"`
	VCS            *pylockSource    `toml:"vcs"`
	Directory      *pylockSource    `toml:"directory"`
	Archive        *pylockArtifact  `toml:"archive"`
	Sdist          *pylockArtifact  `toml:"sdist"`
	Wheels         []pylockArtifact `toml:"wheels"`
}

type pylockSource struct {
	URL          string `toml:"url"`
	Path         string `toml:"path"`
	CommitID     string `toml:"commit-id"`
	Subdirectory string `toml:"subdirectory"`
	Editable     bool   `toml:"editable"`
}

type pylockArtifact struct {
	Name         string            `toml:"name"`
	URL          string            `toml:"url"`
	Path         string            `toml:"path"`
	Size         int64             `toml:"size"`
	Hashes       map[string]string `toml:"hashes"`
	Subdirectory string            `toml:"subdirectory"`
}

func (l *Lock) readPylock(content []byte) error {
	var version struct {
		LockVersion string `toml:"lock-version"`
	}
	if err := l.decodeTOML(content, &version); err != nil {
		return err
	}
	if err := l.checkPylockVersion(version.LockVersion); err != nil {
		return err
	}
	var p pylock
	if err := l.decodeTOML(content, &p); err != nil {
		return err
	}
	if err := p.parse(); err != nil {
		return fmt.Errorf("%s: %w", l.Path, err)
	}
	for i := range p.packages {
		p.packages[i].Line = fmt.Sprintf("%s: packages[%d]", l.Path, i)
	}
	l.Packages, l.Extras, l.Groups, l.DefaultGroups = p.packages, p.Extras, p.DependencyGroups, p.DefaultGroups
	l.Hashed, l.selector = allHashed(l.Packages), &p
	return nil
}

// decodeTOML puts file, row and column before what is wrong.
func (l *Lock) decodeTOML(content []byte, into any) error {
	err := toml.Unmarshal(content, into)
	var bad *toml.DecodeError
	if !errors.As(err, &bad) {
		return err
	}
	row, column := bad.Position()
	text := strings.TrimPrefix(bad.Error(), "toml: ")
	if m := otherType.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("a value of type %s, which the format does not have here", m[1])
	}
	return fmt.Errorf("%s:%d:%d: %s", l.Path, row, column, text)
}

// otherType is how the TOML library says that a value does not fit the Go type.
var otherType = regexp.MustCompile(`^cannot decode TOML (\w+) into struct field `)

func (l *Lock) checkPylockVersion(text string) error {
	major, _, _ := strings.Cut(text, ".")
	switch {
	case text == "":
		return fmt.Errorf("%s: no lock-version; a lock by PEP 751 begins with lock-version = %q", l.Path, pylockVersion)
	case major != "1":
		return fmt.Errorf("%s: lock-version is %q and 1.x is known; write the lock in version %s, or use a newer pexko", l.Path, text, pylockVersion)
	case text != pylockVersion:
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s: lock-version is %s; what it adds to %s is ignored", l.Path, text, pylockVersion))
	}
	return nil
}

func (p *pylock) parse() error {
	var err error
	if p.requiresPython, err = pep.ParseSpecifiers(p.RequiresPython); err != nil {
		return fmt.Errorf("requires-python: %w", err)
	}
	for _, text := range p.Environments {
		m, err := pep.ParseMarker(text)
		if err != nil {
			return fmt.Errorf("environments: %w", err)
		}
		p.environments = append(p.environments, m)
	}
	for i, raw := range p.Packages {
		pkg, err := raw.parse()
		if err != nil {
			return fmt.Errorf("packages[%d] (%s): %w", i, raw.Name, err)
		}
		p.packages = append(p.packages, pkg)
	}
	return nil
}

func (raw pylockPackage) parse() (Package, error) {
	p := Package{Name: wheel.Normalize(raw.Name), Version: raw.Version, Marker: raw.Marker}
	if !pep.ValidName(raw.Name) {
		return p, fmt.Errorf("%q is no distribution's name", raw.Name)
	}
	var err error
	if raw.Marker != "" {
		if p.marker, err = pep.ParseMarker(raw.Marker); err != nil {
			return p, fmt.Errorf("marker: %w", err)
		}
	}
	if p.requiresPython, err = pep.ParseSpecifiers(raw.RequiresPython); err != nil {
		return p, fmt.Errorf("requires-python: %w", err)
	}
	if raw.Version != "" {
		if _, err := pep.ParseVersion(raw.Version); err != nil {
			return p, fmt.Errorf("version: %w", err)
		}
	}
	return p, raw.parseOrigin(&p)
}

// parseOrigin reads where the package comes from: files of an index, or exactly one of vcs, directory and archive.
func (raw pylockPackage) parseOrigin(p *Package) error {
	origins := 0
	for _, there := range []bool{raw.VCS != nil, raw.Directory != nil, raw.Archive != nil, raw.Sdist != nil || len(raw.Wheels) > 0} {
		if there {
			origins++
		}
	}
	switch {
	case origins != 1:
		return errors.New("needs exactly one of vcs, directory, archive, or sdist and wheels")
	case raw.VCS != nil:
		if raw.VCS.CommitID == "" {
			return errors.New("vcs: no commit-id, which is what pins it")
		}
		p.Source = raw.VCS.source(FromVCS)
		return nil
	case raw.Directory != nil:
		p.Source = raw.Directory.source(FromDirectory)
		return nil
	case raw.Archive != nil:
		return raw.Archive.parseArchive(p)
	}
	return raw.parseFiles(p)
}

func (s pylockSource) source(from From) *Source {
	return &Source{from, s.URL + s.Path, s.CommitID, s.Subdirectory, s.Editable}
}

// parseArchive reads a direct reference to a file: a wheel is one all the same, anything else must be built.
func (a pylockArtifact) parseArchive(p *Package) error {
	f, err := a.parse()
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if strings.HasSuffix(f.Name, ".whl") {
		return p.addWheel(f)
	}
	p.Sdist = &f
	p.Source = &Source{FromArchive, f.URL, "", a.Subdirectory, false}
	return nil
}

func (raw pylockPackage) parseFiles(p *Package) error {
	for i, artifact := range raw.Wheels {
		f, err := artifact.parse()
		if err == nil {
			err = p.addWheel(f)
		}
		if err != nil {
			return fmt.Errorf("wheels[%d]: %w", i, err)
		}
	}
	if raw.Sdist == nil {
		return nil
	}
	f, err := raw.Sdist.parse()
	if err != nil {
		return fmt.Errorf("sdist: %w", err)
	}
	p.Sdist = &f
	return nil
}

// addWheel checks that the wheel is one of the package, as its file name tells.
func (p *Package) addWheel(f File) error {
	name, err := wheel.ParseName(f.Name)
	if err != nil {
		return err
	}
	if name.Normalized() != p.Name {
		return fmt.Errorf("%s is a wheel of %s", f.Name, name.Normalized())
	}
	if p.Version != "" && !sameVersion(name.Version, p.Version) {
		return fmt.Errorf("%s is a wheel of version %s, and the package's is %s", f.Name, name.Version, p.Version)
	}
	f.tags = name
	p.Wheels = append(p.Wheels, f)
	return nil
}

func sameVersion(a, b string) bool {
	v, errA := pep.ParseVersion(a)
	w, errB := pep.ParseVersion(b)
	if errA != nil || errB != nil {
		return a == b
	}
	return v.Compare(w) == 0
}

// parse finds the file name: the last part of path or url if that is an archive's, else the key name. uv writes a normalised
// name beside the URL of a file whose own name is not, and the file's own is what pip and pex keep.
func (a pylockArtifact) parse() (File, error) {
	f := File{URL: a.URL, Hashes: a.Hashes, Size: a.Size}
	if a.URL == "" {
		f.URL = a.Path
	}
	if f.URL == "" {
		return f, errors.New("neither url nor path")
	}
	if f.Name = urlBase(a.URL); a.Path != "" {
		f.Name = path.Base(strings.ReplaceAll(a.Path, `\`, "/"))
	}
	if a.Name != "" && !archiveName.MatchString(f.Name) {
		f.Name = a.Name
	}
	if f.Name == "" || strings.ContainsAny(f.Name, "/\\\x00") {
		return f, errors.New("no file name in its name, path or url")
	}
	if len(a.Hashes) == 0 {
		return f, fmt.Errorf("%s has no hashes", f.Name)
	}
	return f, nil
}

// urlBase is the decoded last part of a URL's path, "" if there is none.
func urlBase(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	base := path.Base(u.EscapedPath())
	name, err := url.PathUnescape(base)
	if err != nil || base == "." || base == "/" {
		return ""
	}
	return name
}

// selectFor follows PEP 751, "Installation", as packaging.pylock does.
func (p *pylock) selectFor(t target) ([]Pin, error) {
	if err := t.checkPython(p.requiresPython, "the lock"); err != nil {
		return nil, err
	}
	if err := p.checkEnvironment(t); err != nil {
		return nil, err
	}
	var chosen []Package
	place := map[string]int{}
	for i, pkg := range p.packages {
		applies, err := pkg.marker.EvaluateLock(t.env, t.extras, t.groups)
		if err != nil {
			return nil, fmt.Errorf("packages[%d] (%s): %w", i, pkg.Name, err)
		}
		if !applies {
			continue
		}
		if err := t.checkPython(pkg.requiresPython, pkg.Name+" "+pkg.Version); err != nil {
			return nil, err
		}
		if j, ok := place[pkg.Name]; ok {
			return nil, fmt.Errorf("packages[%d] and packages[%d] are both %s and both apply to %s; lock again", j, i, pkg.Name, t)
		}
		place[pkg.Name] = i
		chosen = append(chosen, pkg)
	}
	return t.chooseAll(chosen)
}

func (p *pylock) checkEnvironment(t target) error {
	for _, m := range p.environments {
		if ok, err := m.Evaluate(t.env); err != nil || ok {
			return err
		}
	}
	if len(p.environments) == 0 {
		return nil
	}
	return fmt.Errorf("the lock is for %s, and the target is %s; lock again for this one too", strings.Join(p.Environments, " or "), t)
}
