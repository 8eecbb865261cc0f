package wheel

import (
	"fmt"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// Tag says on what a wheel runs (PEP 425): "cp311-cp311-manylinux_2_36_x86_64". All parts are lower case.
type Tag struct{ Python, ABI, Platform string }

// String is the tag as file names spell it.
func (t Tag) String() string { return t.Python + "-" + t.ABI + "-" + t.Platform }

// Normalize gives the one spelling of a distribution's name by which names are compared (PEP 503).
func Normalize(name string) string { return pep.Normalize(name) }

// maxTags bounds what a compressed tag set may expand to; real wheels have a few dozen.
const maxTags = 4096

// ParseTags expands a compressed tag set (PEP 425): "py2.py3-none-any" is two tags. They are in the order of the parts as
// written, Python outermost.
func ParseTags(text string) ([]Tag, error) {
	parts := strings.Split(strings.ToLower(text), "-")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q: not a tag, which is PYTHON-ABI-PLATFORM", text)
	}
	pythons, abis, platforms := strings.Split(parts[0], "."), strings.Split(parts[1], "."), strings.Split(parts[2], ".")
	if n := len(pythons) * len(abis) * len(platforms); n > maxTags {
		return nil, fmt.Errorf("%.80q…: %d tags, more than the limit of %d", text, n, maxTags)
	}
	var tags []Tag
	for _, python := range pythons {
		for _, abi := range abis {
			for _, platform := range platforms {
				if !isIdentifier(python) || abi == "" || platform == "" {
					return nil, fmt.Errorf("%q: not a tag: %q-%q-%q", text, python, abi, platform)
				}
				tags = append(tags, Tag{python, abi, platform})
			}
		}
	}
	return tags, nil
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// TagSet is what a target runs, best tag first. The zero set runs nothing.
type TagSet struct {
	tags  []Tag
	ranks map[Tag]int
}

// NewTagSet ranks tags by their place; of a tag that comes twice the first place counts.
func NewTagSet(best []Tag) TagSet {
	s := TagSet{tags: best, ranks: make(map[Tag]int, len(best))}
	for i, tag := range best {
		if _, ok := s.ranks[tag]; !ok {
			s.ranks[tag] = i
		}
	}
	return s
}

// Tags are the tags, best first; not to be changed.
func (s TagSet) Tags() []Tag { return s.tags }

// Rank is the place of the best of the wheel's tags, 0 the best there is; false if the target cannot run the wheel.
func (s TagSet) Rank(n Name) (int, bool) {
	best, ok := 0, false
	for _, tag := range n.Tags {
		if rank, here := s.ranks[tag]; here && (!ok || rank < best) {
			best, ok = rank, true
		}
	}
	return best, ok
}

// Best is the index of the wheel that the target prefers: by rank, then by the higher build tag, then the first, as pip and
// uv choose. It is -1 if the target can run none.
func (s TagSet) Best(names []Name) int {
	best, bestRank := -1, 0
	for i, n := range names {
		rank, ok := s.Rank(n)
		if !ok {
			continue
		}
		if best < 0 || rank < bestRank || rank == bestRank && compareBuild(n.Build, names[best].Build) > 0 {
			best, bestRank = i, rank
		}
	}
	return best
}
