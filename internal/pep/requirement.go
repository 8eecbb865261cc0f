package pep

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is a dependency by PEP 508: "name[extra]>=1; marker" or "name @ URL ; marker".
type Requirement struct {
	// Name is as written; Normalize makes it comparable.
	Name string
	// Extras are as written, sorted, each once.
	Extras     []string
	Specifiers Specifiers
	// URL is "" unless the requirement is a direct reference. It may hold credentials: it is not for messages.
	URL string
	// Marker says on which targets the requirement holds; the zero marker holds everywhere.
	Marker Marker
}

// ParseRequirement reads one requirement.
func ParseRequirement(text string) (Requirement, error) {
	s := &scanner{text: text}
	s.skipBlank()
	name, ok := s.take(tokenName)
	if !ok {
		return Requirement{}, s.expected("a distribution's name")
	}
	r := Requirement{Name: name}
	s.skipBlank()
	if err := r.parseExtras(s); err != nil {
		return Requirement{}, err
	}
	s.skipBlank()
	parse := r.parseVersions
	if s.takeByte('@') {
		parse = r.parseURL
	}
	if err := parse(s); err != nil {
		return Requirement{}, err
	}
	if s.atEnd() {
		return r, nil
	}
	if !s.takeByte(';') {
		return Requirement{}, s.expected("the end, or a marker after ';',")
	}
	var err error
	if r.Marker, err = parseMarker(s); err != nil {
		return Requirement{}, err
	}
	return r, nil
}

func (r *Requirement) parseExtras(s *scanner) error {
	if !s.takeByte('[') {
		return nil
	}
	s.skipBlank()
	for name, ok := s.take(tokenName); ok; name, ok = s.take(tokenName) {
		r.Extras = append(r.Extras, name)
		s.skipBlank()
		if !s.takeByte(',') {
			break
		}
		s.skipBlank()
		if s.peek(tokenName) < 0 {
			return s.expected("an extra's name after ','")
		}
	}
	s.skipBlank()
	if !s.takeByte(']') {
		return s.expected("']' after the extras")
	}
	slices.Sort(r.Extras)
	r.Extras = slices.Compact(r.Extras)
	return nil
}

func (r *Requirement) parseURL(s *scanner) error {
	s.skipBlank()
	url, ok := s.take(tokenURL)
	if !ok {
		return s.expected("a URL after '@'")
	}
	r.URL = url
	s.skipBlank()
	return nil
}

func (r *Requirement) parseVersions(s *scanner) error {
	parenthesis := s.takeByte('(')
	s.skipBlank()
	for text, ok := s.take(tokenSpecifier); ok; text, ok = s.take(tokenSpecifier) {
		specifiers, err := ParseSpecifiers(text)
		if err != nil {
			return fmt.Errorf("%q: %w", s.text, err)
		}
		r.Specifiers = append(r.Specifiers, specifiers...)
		switch {
		case s.peek(tokenPrefixTail) >= 0:
			return s.expected("no '.*': it goes with a plain release after == or != alone,")
		case s.peek(tokenLocalTail) >= 0:
			return s.expected("no local version: it goes with == and != alone,")
		}
		s.skipBlank()
		if !s.takeByte(',') {
			break
		}
		s.skipBlank()
	}
	s.skipBlank()
	if parenthesis && !s.takeByte(')') {
		return s.expected("')' after the versions")
	}
	s.skipBlank()
	return nil
}

// String is the form that packaging writes: "name[extras]specifiers; marker".
func (r Requirement) String() string {
	var b strings.Builder
	b.WriteString(r.Name)
	if len(r.Extras) > 0 {
		b.WriteString("[" + strings.Join(r.Extras, ",") + "]")
	}
	b.WriteString(r.Specifiers.String())
	if r.URL != "" {
		b.WriteString(" @ " + r.URL)
	}
	if !r.Marker.IsZero() {
		if r.URL != "" {
			b.WriteByte(' ')
		}
		b.WriteString("; " + r.Marker.String())
	}
	return b.String()
}

// Applies reports whether the requirement, found in the metadata of a distribution that was asked for with
// extras, holds in env. Without extras a marker sees extra == "".
func (r Requirement) Applies(env map[string]string, extras ...string) (bool, error) {
	if len(extras) == 0 {
		extras = []string{""}
	}
	for _, extra := range extras {
		holds, err := r.Marker.evaluate(values{env: env, extra: Normalize(extra), hasExtra: true})
		if err != nil || holds {
			return holds, err
		}
	}
	return false, nil
}
