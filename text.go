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
	return fmt.Sprintf("%d files and links, %s", files, megabytes(bytes))
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
