package pexko

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/warm"
)

// pairs are a table's lines, sorted: NAME=value.
func pairs(table map[string]project.Setting[string]) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		all = append(all, name+"="+table[name].Value)
	}
	return all
}

// values is a table without its origins.
func values(table map[string]project.Setting[string]) map[string]string {
	all := make(map[string]string, len(table))
	for name, s := range table {
		all[name] = s.Value
	}
	return all
}

// minor is X.Y of X.Y.Z.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// counted says how much a warm tree holds.
func counted(t *warm.Tree) string {
	files, bytes := 0, int64(0)
	for _, u := range t.Units {
		files += len(u.Tree)
		bytes += u.Tree.Size()
	}
	text := fmt.Sprintf("%d files and links, %s", files, megabytes(bytes))
	if n := len(t.Skipped); n > 0 {
		text += fmt.Sprintf("; %d without bytecode, as %s: %s", n, t.Skipped[0].Path, t.Skipped[0].Reason)
	}
	return text
}

// collided says which files two distributions have in different versions; long lists are cut.
func collided(all []warm.Collision) string {
	var lines []string
	for _, c := range all[:min(3, len(all))] {
		lines = append(lines, fmt.Sprintf("%s (of %s, not of %s)", c.Path, c.Winner, c.Loser))
	}
	if more := len(all) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return "files that several distributions bring are in the image once, as with pip, but here the first wins: " + strings.Join(lines, ", ")
}

func sizeOf(layers []layer) int64 {
	var sum int64
	for _, l := range layers {
		if size, err := l.Size(); err == nil {
			sum += size
		}
	}
	return sum
}

// megabytes prints a number of bytes as people read it.
func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
