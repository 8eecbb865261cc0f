package base

import (
	"fmt"

	"github.com/pexko/pexko/wheel"
)

// legacyManylinux are the names that three glibc versions had before PEP 600.
var legacyManylinux = map[int]string{17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}

// platformTags are the platforms whose wheels run on the machine, best first: packaging's _linux_platforms
// in the version that pex 2.105.2 uses (26.2; from 26.3 on linux_* stands first).
func platformTags(m machine, l Libc) []string {
	var all []string
	major, minor := l.release()
	switch {
	case l.Kind == Musl:
		for n := minor; n >= 0; n-- {
			all = append(all, fmt.Sprintf("musllinux_%d_%d_%s", major, n, m.uname))
		}
	case m.uname != "armv6l": // manylinux has ARM from v7 with hard floats on
		oldest := 17
		if m.uname == "x86_64" || m.uname == "i686" {
			oldest = 5
		}
		for n := minor; n >= oldest; n-- {
			all = append(all, fmt.Sprintf("manylinux_%d_%d_%s", major, n, m.uname))
			if name := legacyManylinux[n]; name != "" {
				all = append(all, name+"_"+m.uname)
			}
		}
	}
	return append(all, "linux_"+m.uname)
}

// tags are packaging's sys_tags for a CPython with the platforms.
func tags(p Python, platforms []string) []wheel.Tag {
	_, minor := p.release()
	cp := fmt.Sprintf("cp3%d", minor)
	var all []wheel.Tag
	add := func(python, abi string, platforms ...string) {
		for _, platform := range platforms {
			all = append(all, wheel.Tag{Python: python, ABI: abi, Platform: platform})
		}
	}
	add(cp, cp, platforms...)
	add(cp, "abi3", platforms...)
	add(cp, "none", platforms...)
	for n := minor - 1; n >= 2; n-- {
		add(fmt.Sprintf("cp3%d", n), "abi3", platforms...)
	}
	pythons := []string{fmt.Sprintf("py3%d", minor), "py3"}
	for n := minor - 1; n >= 0; n-- {
		pythons = append(pythons, fmt.Sprintf("py3%d", n))
	}
	for _, py := range pythons {
		add(py, "none", platforms...)
	}
	add(cp, "none", "any")
	for _, py := range pythons {
		add(py, "none", "any")
	}
	return all
}
