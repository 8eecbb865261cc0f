package wheel

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pexko/pexko/internal/pep"
)

// Metadata is what pexko needs of METADATA (core metadata, PEP 566 and later). The values are as written.
type Metadata struct {
	Name, Version string
	// RequiresPython is "" if there is no limit.
	RequiresPython string
	// RequiresDist are the dependencies; pep.ParseRequirement reads them, and real wheels hold some that it refuses.
	RequiresDist  []string
	ProvidesExtra []string
}

// ParseMetadata reads METADATA as Python's email parser does: headers up to the first empty line.
func ParseMetadata(content []byte) (Metadata, error) {
	headers := parseHeaders(content)
	m := Metadata{
		Name:           headers.first("Name"),
		Version:        headers.first("Version"),
		RequiresPython: headers.first("Requires-Python"),
		RequiresDist:   headers.all("Requires-Dist"),
		ProvidesExtra:  headers.all("Provides-Extra"),
	}
	switch {
	case !pep.ValidName(m.Name):
		return m, fmt.Errorf("%q is no distribution's name", m.Name)
	case m.Version == "" || !utf8.ValidString(m.Version) || strings.ContainsAny(m.Version, "/\\\n\x00"):
		return m, fmt.Errorf("%q is no version", m.Version)
	}
	for _, value := range slices.Concat([]string{m.RequiresPython}, m.RequiresDist, m.ProvidesExtra) {
		if !utf8.ValidString(value) {
			return m, fmt.Errorf("%q is not UTF-8", value)
		}
	}
	return m, nil
}

// Info is what pexko needs of the file WHEEL.
type Info struct {
	// RootIsPurelib says that the archive's root goes to purelib and not to platlib.
	RootIsPurelib bool
	// Tags are the expanded tags, those of each line sorted, as pex sorts them; the file name's if WHEEL has none or a
	// malformed one.
	Tags []Tag
}

// ParseInfo reads WHEEL as pex does: blank lines between headers do not end them, and Root-Is-Purelib counts if it is exactly
// "true". Tags is nil if there is none, or if one of them is malformed.
func ParseInfo(content []byte) (Info, error) {
	var lines []string
	for _, line := range splitLines(content) {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	headers := parseHeaders([]byte(strings.Join(lines, "\n")))
	version := headers.first("Wheel-Version")
	if major, _, _ := strings.Cut(version, "."); major != "1" {
		return Info{}, fmt.Errorf("Wheel-Version is %q; version 1 is known", version)
	}
	info := Info{RootIsPurelib: headers.raw("Root-Is-Purelib") == "true"}
	for _, text := range headers.all("Tag") {
		if text == "" {
			continue
		}
		tags, err := ParseTags(text)
		if err != nil {
			info.Tags = nil
			return info, nil
		}
		slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.String(), b.String()) })
		info.Tags = append(info.Tags, tags...)
	}
	return info, nil
}

// headers are the fields of a message in their order; a value keeps what Python's email parser keeps.
type headers []struct{ name, value string }

// raw is the value of the first field of that name, blanks at its end included.
func (h headers) raw(name string) string {
	for _, field := range h {
		if strings.EqualFold(field.name, name) {
			return field.value
		}
	}
	return ""
}

func (h headers) first(name string) string { return strings.TrimSpace(h.raw(name)) }

func (h headers) all(name string) []string {
	var values []string
	for _, field := range h {
		if strings.EqualFold(field.name, name) {
			values = append(values, strings.TrimSpace(field.value))
		}
	}
	return values
}

// parseHeaders stops at the first line that is neither a field nor the continuation of one: what follows is the body.
func parseHeaders(content []byte) headers {
	var h headers
	for _, line := range splitLines(content) {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			if len(h) > 0 {
				h[len(h)-1].value += "\n" + line
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			break
		}
		h = append(h, struct{ name, value string }{name, strings.TrimLeft(value, " \t")})
	}
	return h
}

// splitLines splits at "\n", "\r\n" and "\r", as Python does for bytes.
func splitLines(content []byte) []string {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))
	text := strings.TrimSuffix(string(content), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
