package pex

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// installed are the distributions that pip put into build environments, as it prints them when it is verbose. It
// reports them in no other way; the line is that of the `pip install` that pip runs (build_env/installer.py).
type installed []string

func (i *installed) read(line string) {
	list, ok := strings.CutPrefix(strings.TrimSpace(line), "Successfully installed ")
	if !ok {
		return
	}
	for _, item := range strings.Fields(list) {
		// "trove-classifiers-2026.9.21.13": a version has no "-"
		if cut := strings.LastIndexByte(item, '-'); cut > 0 {
			*i = append(*i, pep.Normalize(item[:cut])+"=="+item[cut+1:])
		}
	}
}

func (i installed) sorted() []string {
	return slices.Compact(slices.Sorted(slices.Values(i)))
}

// allPinned reports whether constraints name the version of each "name==version".
func allPinned(used, constraints []string) bool {
	pinned := map[string]string{}
	for _, line := range constraints {
		text, _, _ := strings.Cut(line, " --hash")
		r, err := pep.ParseRequirement(strings.TrimSpace(text))
		if err != nil {
			continue
		}
		if version, ok := r.Specifiers.Pin(); ok {
			pinned[pep.Normalize(r.Name)] = version
		}
	}
	return !slices.ContainsFunc(used, func(item string) bool {
		name, version, _ := strings.Cut(item, "==")
		return newerFirst(pinned[name], version) != 0
	})
}

// Lines of pip from which one sees how far it is.
var step = regexp.MustCompile(`^\s*(Collecting|Downloading|Building wheel for|Installing build dependencies|Using cached)\b:?\s*([^\s;(:]*)`)

// updates turns lines of pip into details for a progress display.
func updates(update func(string)) func(string) {
	if update == nil {
		return func(string) {}
	}
	return func(line string) {
		if m := step.FindStringSubmatch(line); m != nil {
			name := m[2][strings.LastIndexByte(m[2], '/')+1:]
			update(strings.TrimSpace(fmt.Sprintf("%s %s", strings.ToLower(m[1]), name)))
		}
	}
}
