package lock

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxIncludes bounds how many files one requirements file may include, those of its includes counted.
const maxIncludes = 1000

// requirements are the packages of a requirements file and the constraints on them.
type requirements struct {
	packages, constraints []Package
}

// requirementsReader reads a file and what it includes, as pip does (pip/_internal/req/req_file.py): -r and -c are
// relative to the file that holds them, and what a -r brings is required, in a constraints file too.
type requirementsReader struct {
	requirements
	lock          *Lock
	open          []string // the files that are being read, outermost first
	digests       []string
	requireHashes bool
}

func (l *Lock) readRequirements(content []byte) error {
	l.Files = nil
	r := &requirementsReader{lock: l}
	if err := r.read(l.Path, content, false); err != nil {
		return err
	}
	if len(r.digests) > 1 {
		l.SHA256 = digest([]byte(strings.Join(r.digests, "\n")))
	}
	l.Packages, l.selector = r.packages, &r.requirements
	l.Hashed = !slices.ContainsFunc(l.Packages, func(p Package) bool { return !r.isHashed(p) })
	return r.checkHashes()
}

// isHashed counts the hashes of constraints too, as pip does.
func (r *requirements) isHashed(p Package) bool {
	return p.isHashed() || slices.ContainsFunc(r.constraints, func(c Package) bool { return c.Name == p.Name && p.Name != "" && len(c.Hashes) > 0 })
}

// checkHashes refuses what pip would refuse once one requirement has a hash: another without one or without a version.
func (r *requirementsReader) checkHashes() error {
	some := slices.ContainsFunc(r.packages, func(p Package) bool { return len(p.Hashes) > 0 })
	if !some && !r.requireHashes {
		return nil
	}
	var missing []error
	for _, p := range r.packages {
		what := p.Name
		if what == "" {
			what = "a requirement without a name"
		}
		switch {
		case p.Source != nil && (p.Source.From == FromVCS || p.Source.From == FromDirectory):
			missing = append(missing, fmt.Errorf("%s: %s is no file that a hash could pin, and other lines have hashes: pip takes either none or all", p.Line, what))
		case !r.isHashed(p):
			missing = append(missing, fmt.Errorf("%s: %s has no --hash, and other lines have: pip takes either none or all", p.Line, what))
		case p.Name != "" && p.Source == nil && len(p.Wheels) == 0 && r.version(p) == "":
			missing = append(missing, fmt.Errorf("%s: %s has a --hash and no version: pip wants %s==VERSION", p.Line, what, what))
		}
	}
	return errors.Join(missing...)
}

func (r *requirementsReader) read(path string, content []byte, constraint bool) error {
	r.lock.Files = append(r.lock.Files, path)
	r.digests = append(r.digests, digest(content))
	r.open = append(r.open, path)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	text, err := decode(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range logicalLines(text) {
		if err := r.readLine(path, line, constraint); err != nil {
			return err
		}
	}
	return nil
}

// readLine reads a requirement, an include, or options for pip.
func (r *requirementsReader) readLine(path string, line logicalLine, constraint bool) error {
	bad := func(err error) error { return fmt.Errorf("%s:%d: %w", path, line.number, redact(err)) }
	requirement, options, err := splitOptions(line.text)
	if err != nil {
		return bad(err)
	}
	said := meaningOf(options)
	r.requireHashes = r.requireHashes || said.requireHashes
	switch {
	case requirement != "" || said.editable != "":
		p, err := parseRequirementLine(requirement, said.editable)
		if err == nil {
			err = p.addHashes(options)
		}
		if err != nil {
			return bad(err)
		}
		p.Line = fmt.Sprintf("%s:%d", path, line.number)
		r.add(p, constraint)
	case said.include != "":
		if err := r.include(path, said.include, said.constraint); errors.Is(err, errInclude) {
			return bad(err)
		} else if err != nil {
			return err
		}
	case len(options) > 0 && options[0].name == "--hash":
		r.lock.Warnings = append(r.lock.Warnings, fmt.Sprintf("%s:%d: --hash without a requirement, which pip ignores; does the line before lack a backslash?", path, line.number))
	default:
		r.lock.Options = append(r.lock.Options, line.text)
	}
	return nil
}

func (r *requirementsReader) add(p Package, constraint bool) {
	if constraint {
		r.constraints = append(r.constraints, p)
		return
	}
	r.packages = append(r.packages, p)
}

// meaning is what the options of one line say that a lock must know.
type meaning struct {
	editable, include string
	// constraint says that what is included are constraints.
	constraint, requireHashes bool
}

// meaningOf follows pip: of a line's includes the first -r counts, a -c only where there is no -r.
func meaningOf(options []option) meaning {
	var m meaning
	for _, o := range options {
		switch o.name {
		case "--editable":
			m.editable = cmp.Or(m.editable, o.value)
		case "--requirement":
			if m.include == "" || m.constraint {
				m.include, m.constraint = o.value, false
			}
		case "--constraint":
			if m.include == "" {
				m.include, m.constraint = o.value, true
			}
		case "--require-hashes":
			m.requireHashes = true
		}
	}
	return m
}

// errInclude marks an error of the line that includes and not of the file that is included.
var errInclude = errors.New("cannot be included")

func (r *requirementsReader) include(from, name string, constraint bool) error {
	if len(r.lock.Files) > maxIncludes {
		return fmt.Errorf("%s: %w: more than the limit of %d files", name, errInclude, maxIncludes)
	}
	if strings.Contains(name, "${") {
		return fmt.Errorf("%s %w: pip alone fills in environment variables; name the file", name, errInclude)
	}
	path := strings.TrimPrefix(name, "file://")
	if u, err := url.Parse(path); err == nil && len(u.Scheme) > 1 {
		return fmt.Errorf("a file at a URL %w: save it beside this file, so that its content is fixed", errInclude)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), path)
	}
	if i := slices.IndexFunc(r.open, func(p string) bool { return filepath.Clean(p) == filepath.Clean(path) }); i >= 0 {
		return fmt.Errorf("%s %w: it includes itself, by way of %s", name, errInclude, strings.Join(append(slices.Clone(r.open[i:]), path), " → "))
	}
	content, err := readFile(path)
	if err != nil {
		return fmt.Errorf("%s %w: %w", name, errInclude, err)
	}
	return r.read(path, content, constraint)
}

// credentials are the user and password of a URL.
var credentials = regexp.MustCompile(`://[^/@\s"']*@`)

// redact takes credentials out of an error that cites a line.
func redact(err error) error {
	if text := err.Error(); credentials.MatchString(text) {
		return errors.New(credentials.ReplaceAllString(text, "://***@"))
	}
	return err
}

// version is what pins the package: its own ==, or that of a constraint.
func (r *requirements) version(p Package) string {
	if p.Version != "" || p.Name == "" {
		return p.Version
	}
	for _, c := range r.constraints {
		if c.Name == p.Name && c.Version != "" {
			return c.Version
		}
	}
	return ""
}

// selectFor goes by markers; which file is installed is pip's choice, but for direct references to wheels.
func (r *requirements) selectFor(t target) ([]Pin, error) {
	var chosen []Package
	place := map[string]Package{}
	for _, p := range r.packages {
		applies, err := p.marker.Evaluate(t.env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Line, err)
		}
		if !applies {
			continue
		}
		p.Version = r.version(p)
		if first, ok := place[p.Name]; ok && p.Name != "" {
			if first.Version == p.Version || p.Version == "" {
				continue // the same once more, for its extras
			}
			return nil, fmt.Errorf("%s: %s %s, and %s on %s; both apply to %s", p.Line, p.Name, p.Version, first.Version, first.Line, t)
		}
		place[p.Name] = p
		chosen = append(chosen, p)
	}
	var direct []Package
	for _, p := range chosen {
		if len(p.Wheels) > 0 {
			direct = append(direct, p)
		}
	}
	if _, err := t.chooseAll(direct); err != nil {
		return nil, err
	}
	var pins []Pin
	for _, p := range chosen {
		pin := Pin{Name: p.Name, Version: p.Version, From: FromIndex}
		if p.Source != nil || len(p.Wheels) > 0 {
			pin, _ = t.choose(p)
		}
		pins = append(pins, pin)
	}
	return pins, nil
}

// addHashes reads the --hash options.
func (p *Package) addHashes(options []option) error {
	for _, option := range options {
		if option.name != "--hash" {
			continue
		}
		algorithm, digest, _ := strings.Cut(option.value, ":")
		if !isHash(algorithm, strings.ToLower(digest)) {
			return fmt.Errorf("--hash=%s is no hash; pip takes sha256:, sha384: and sha512: with the digest in hexadecimal", option.value)
		}
		p.Hashes = append(p.Hashes, algorithm+":"+strings.ToLower(digest))
	}
	return nil
}
