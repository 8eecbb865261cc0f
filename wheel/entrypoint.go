package wheel

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// EntryPoint is a script that an installer makes: "name = module:attr.attr".
type EntryPoint struct {
	// Name is the script's file name: it holds no slash.
	Name string
	// Module is the module to import, as written.
	Module string
	// Attrs lead from the module to what is called; none if the module itself is run.
	Attrs []string
}

// ParseEntryPoints reads entry_points.txt and returns its console_scripts and gui_scripts in the order of the file. The rules are
// pex's (Distribution.parse_entry_map): every line that is not blank, a comment or a group is "name = value" with exactly
// one "=", in other groups too; extras in brackets are cut off; of two of one name in a group the later value counts, at
// the place of the first.
func ParseEntryPoints(r io.Reader) (console, gui []EntryPoint, err error) {
	content, err := io.ReadAll(io.LimitReader(r, maxEntryPoints+1))
	if err != nil {
		return nil, nil, err
	}
	if len(content) > maxEntryPoints {
		return nil, nil, fmt.Errorf("more than the limit of %d bytes", maxEntryPoints)
	}
	return parseEntryPoints(content)
}

func parseEntryPoints(content []byte) (console, gui []EntryPoint, err error) {
	if !utf8.Valid(content) {
		return nil, nil, errors.New("not UTF-8")
	}
	groups := map[string][]EntryPoint{}
	group := ""
	for i, line := range splitLines(content) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[' && line[len(line)-1] == ']':
			group = line[1 : len(line)-1]
			continue
		case group == "":
			return nil, nil, fmt.Errorf("line %d: %q stands before the first [group]", i+1, line)
		}
		point, err := parseEntryPoint(line)
		if err == nil && (group == "console_scripts" || group == "gui_scripts") {
			err = checkScriptName(point.Name)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		groups[group] = replace(groups[group], point)
	}
	return groups["console_scripts"], groups["gui_scripts"], nil
}

func replace(points []EntryPoint, point EntryPoint) []EntryPoint {
	same := func(p EntryPoint) bool { return p.Name == point.Name }
	if i := slices.IndexFunc(points, same); i >= 0 {
		points[i] = point
		return points
	}
	return append(points, point)
}

func parseEntryPoint(line string) (EntryPoint, error) {
	name, value, ok := strings.Cut(line, "=")
	if !ok || strings.Contains(value, "=") {
		return EntryPoint{}, fmt.Errorf("%q is not NAME = MODULE[:ATTRIBUTE]", line)
	}
	value, _, _ = strings.Cut(strings.TrimSpace(value), "[")
	module, object, called := strings.Cut(strings.TrimSpace(value), ":")
	point := EntryPoint{Name: strings.TrimSpace(name), Module: strings.TrimSpace(module)}
	object = strings.TrimSpace(object)
	if point.Module == "" || called && object == "" {
		return EntryPoint{}, fmt.Errorf("%q is not NAME = MODULE[:ATTRIBUTE]", line)
	}
	if called {
		point.Attrs = strings.Split(object, ".")
	}
	return point, nil
}

// checkScriptName refuses names that would not be a file in the directory of scripts.
func checkScriptName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsFunc(name, notForFiles) {
		return fmt.Errorf("%q cannot be the name of a script", name)
	}
	return nil
}
