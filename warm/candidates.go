package warm

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// maxCandidates is how many names an error offers.
const maxCandidates = 5

// nearest returns the names that are likeliest meant by a wrong one, the best first: those within a third of
// its length in edits; if there is none, all of a short list.
func nearest(wrong string, names []string) []string {
	type ranked struct {
		name  string
		edits int
	}
	var near []ranked
	for _, name := range names {
		if d := edits(wrong, name); d <= max(2, len(wrong)/3) {
			near = append(near, ranked{name, d})
		}
	}
	slices.SortFunc(near, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.edits, b.edits), cmp.Compare(a.name, b.name)) })
	var best []string
	for _, n := range near[:min(len(near), maxCandidates)] {
		best = append(best, n.name)
	}
	if len(best) == 0 && len(names) <= maxCandidates {
		return slices.Sorted(slices.Values(names))
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// scriptsLike offers scripts; those of the project come first where nothing is near.
func (b *build) scriptsLike(wrong string) []string {
	var all, own []string
	for at, c := range b.scripts {
		all = append(all, path.Base(at))
		if c.project {
			own = append(own, path.Base(at))
		}
	}
	if best := nearest(wrong, all); len(best) > 0 {
		return best
	}
	slices.Sort(own)
	return own[:min(len(own), maxCandidates)]
}

// modulesLike offers modules of the same name elsewhere and modules of a name like it, of the application and the project.
func (b *build) modulesLike(e EntryPoint) []string {
	var all, same []string
	for _, name := range b.ownModules() {
		all = append(all, name)
		if last(name) == last(e.Module) {
			same = append(same, name)
		}
	}
	best := append(same[:min(len(same), maxCandidates)], nearest(e.Module, all)...)
	var unique []string
	for _, name := range best {
		if e.Function != "" {
			name += ":" + e.Function
		}
		if !slices.Contains(unique, name) {
			unique = append(unique, name)
		}
	}
	return unique[:min(len(unique), maxCandidates)]
}

func last(module string) string { return module[strings.LastIndexByte(module, '.')+1:] }

// modulesBelow offers what can be run in a package.
func (b *build) modulesBelow(pkg string) []string {
	dir := b.m.find(path.Join(b.p.libs(), strings.ReplaceAll(pkg, ".", "/")))
	var names []string
	for _, name := range sorted(dir.kids) {
		if module, ok := strings.CutSuffix(name, ".py"); ok && !strings.HasPrefix(name, "__") {
			names = append(names, pkg+"."+module)
		}
	}
	return names[:min(len(names), maxCandidates)]
}

// ownModules are the importable names of the application's files and the project's wheel.
func (b *build) ownModules() []string {
	var names []string
	for _, s := range b.sources {
		if !s.app {
			continue
		}
		for _, name := range sorted(s.files) {
			module, ok := strings.CutSuffix(name, ".py")
			if ok && s.files[name].Kind == tree.File && !strings.Contains(module, ".") {
				names = append(names, strings.ReplaceAll(strings.TrimSuffix(module, "/__init__"), "/", "."))
			}
		}
	}
	return names
}
