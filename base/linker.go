package base

import (
	"path"
	"strings"

	"github.com/pexko/pexko/base/internal/binary"
	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/tree"
)

// linker finds shared libraries in an image as its dynamic loader would (ld.so(8); for musl the comments
// of ldso/dynlink.c). The cache /etc/ld.so.cache is not read: it is made of what ld.so.conf names.
type linker struct {
	fs      *rootfs.FS
	env     []string // LD_LIBRARY_PATH of the image's config
	system  []string // what the loader searches last
	program binary.ELF
	origin  string // of the program
}

// find returns the path at which the loader finds the library that from, which lies in the directory
// origin, asks for. Links on the way to its directory are resolved, one at its end is not: the name is
// what other libraries ask for.
func (l linker) find(name string, from binary.ELF, origin string) (string, bool) {
	if strings.Contains(name, "/") {
		return l.at(expand(name, origin))
	}
	for _, dir := range l.dirs(from, origin) {
		if p, ok := l.at(path.Join(dir, name)); ok {
			return p, true
		}
	}
	return "", false
}

// dirs are the directories to search, in order: DT_RPATH (only without DT_RUNPATH), that of the program,
// LD_LIBRARY_PATH, DT_RUNPATH, the system's.
func (l linker) dirs(from binary.ELF, origin string) []string {
	var dirs []string
	add := func(list []string, origin string) {
		for _, d := range list {
			dirs = append(dirs, expand(d, origin))
		}
	}
	if len(from.RunPath) == 0 {
		add(from.RPath, origin)
		if len(l.program.RunPath) == 0 {
			add(l.program.RPath, l.origin)
		}
	}
	add(l.env, l.origin)
	add(from.RunPath, origin)
	return append(dirs, l.system...)
}

func (l linker) at(name string) (string, bool) {
	dir, err := l.fs.Resolve(path.Dir(name))
	if err != nil {
		return "", false
	}
	p := path.Join(dir, path.Base(name))
	real, err := l.fs.Resolve(p)
	if err != nil {
		return "", false
	}
	e, ok := l.fs.Stat(real)
	return p, ok && e.Kind == tree.File
}

// expand replaces the dynamic string token that builds of Python use.
func expand(dir, origin string) string {
	return strings.NewReplacer("${ORIGIN}", "/"+origin, "$ORIGIN", "/"+origin).Replace(dir)
}

// systemDirs are the directories that a loader searches without being told: those of its configuration
// and those built into it, which differ between distributions; the union is harmless, since a directory
// of another architecture's libraries is never among them.
func systemDirs(kind string, m machine, conf func(name string) []byte, list func(dir string) []string) []string {
	if kind == Musl {
		arch := strings.NewReplacer("i686", "i386", "armv7l", "armhf", "armv6l", "armhf", "ppc64le", "powerpc64le").Replace(m.uname)
		if text := conf("/etc/ld-musl-" + arch + ".path"); text != nil {
			return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == ':' })
		}
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}
	}
	dirs := ldSoConf("/etc/ld.so.conf", conf, list, 0)
	dirs = append(dirs, "/lib/"+m.triplet, "/usr/lib/"+m.triplet)
	if m.class == 2 { // ELFCLASS64
		dirs = append(dirs, "/lib64", "/usr/lib64")
	}
	return append(dirs, "/lib", "/usr/lib")
}

// ldSoConf reads a configuration of ldconfig(8): a directory a line, comments, and include with a pattern.
func ldSoConf(name string, conf func(string) []byte, list func(string) []string, depth int) []string {
	var dirs []string
	for line := range strings.Lines(string(conf(name))) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "hwcap":
		case fields[0] != "include":
			dirs = append(dirs, strings.FieldsFunc(fields[0], func(r rune) bool { return r == ':' || r == ',' })...)
		case depth < maxIncludes:
			for _, pattern := range fields[1:] {
				for _, file := range included(pattern, name, list) {
					dirs = append(dirs, ldSoConf(file, conf, list, depth+1)...)
				}
			}
		}
	}
	return dirs
}

// maxIncludes is how deep configurations may include each other; real ones do once.
const maxIncludes = 2

func included(pattern, from string, list func(string) []string) []string {
	if !path.IsAbs(pattern) {
		pattern = path.Join(path.Dir(from), pattern)
	}
	var files []string
	for _, name := range list(path.Dir(pattern)) {
		if ok, err := path.Match(path.Base(pattern), name); ok && err == nil {
			files = append(files, path.Join(path.Dir(pattern), name))
		}
	}
	return files
}
