package base

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/rootfs"
)

// inspection is what is found out about an image by reading it, and remembered by its digest.
type inspection struct {
	Python         Python
	Others         []Python
	Unusable       []Candidate
	Libc           Libc
	System         System
	StdlibBytecode StdlibBytecode
}

// inspectionVersion is part of the key of a remembered inspection. It changes with what inspection finds.
const inspectionVersion = "1"

// inspector looks into one image.
type inspector struct {
	base     *Base
	platform v1.Platform
	machine  machine
	fs       *rootfs.FS
	env      map[string]string // of the image's config
}

// cached gives the inspection of the image with the digest, from the store if it was made before.
func (in inspector) cached(ctx context.Context, digest v1.Hash) (inspection, error) {
	const space = "inspection"
	key := strings.Join([]string{inspectionVersion, digest.String(), in.base.options.Python}, " ")
	store := in.base.options.Store
	if b, ok, err := store.Get(space, key); err != nil {
		return inspection{}, err
	} else if ok {
		var i inspection
		if json.Unmarshal(b, &i) == nil {
			return i, nil
		}
	}
	i, err := in.inspect(ctx)
	if err != nil {
		return inspection{}, err
	}
	b, err := json.Marshal(i)
	if err != nil {
		return inspection{}, err
	}
	return i, store.Put(space, key, b)
}

func (in inspector) inspect(ctx context.Context) (inspection, error) {
	dir, remove, err := in.base.options.Store.TempDir()
	if err != nil {
		return inspection{}, err
	}
	defer remove()
	id := identifier{newScratch(in.fs, dir), in.machine, in.env}
	found := candidates(in.fs, in.searchPath())
	if err := id.fetch(ctx, id.modest(in.worthReading(found))...); err != nil {
		return inspection{}, in.wrap(err)
	}
	i, chosen, err := in.choose(ctx, id, found)
	if err != nil {
		return inspection{}, err
	}
	if i.Libc, err = id.libc(ctx, chosen); err != nil {
		return inspection{}, in.wrap(err)
	}
	if i.System, err = id.system(ctx); err != nil {
		return inspection{}, in.wrap(err)
	}
	if i.StdlibBytecode, _, err = stdlibBytecode(in.fs, i.Python); err != nil {
		return inspection{}, in.wrap(err)
	}
	return i, nil
}

func (in inspector) searchPath() string {
	if p, ok := in.env["PATH"]; ok {
		return p
	}
	return defaultPath
}

func (in inspector) wrap(err error) error {
	return fmt.Errorf("%s (%s): %w", in.base.Ref, plain(in.platform), err)
}

// choose identifies the candidates and takes the one that was asked for, or the first on PATH.
func (in inspector) choose(ctx context.Context, id identifier, found []candidate) (inspection, program, error) {
	found, err := in.asked(found)
	if err != nil {
		return inspection{}, program{}, err
	}
	var i inspection
	var chosen *program
	problem := ""
	for _, c := range found {
		p, err := id.identify(ctx, c)
		var why reason
		switch {
		case errors.As(err, &why):
			i.Unusable = append(i.Unusable, Candidate{c.invoked, why.text})
			if chosen == nil && problem == "" && !c.offPath && why != errPython2 {
				problem = fmt.Sprintf("%s (%s) cannot be used: %s", c.invoked, c.how, why.text)
			}
		case err != nil:
			return inspection{}, program{}, in.wrap(err)
		case chosen == nil && problem == "" && !c.offPath:
			chosen = &p
		default:
			i.Others = append(i.Others, p.Python)
		}
	}
	i.Others = distinct(i.Others, chosen)
	if chosen == nil {
		return inspection{}, program{}, in.noPython(problem, i)
	}
	i.Python = chosen.Python
	i.Python.How += agreement(in.env["PYTHON_VERSION"], i.Python.Version)
	return i, *chosen, nil
}

// distinct leaves out Pythons that are the chosen one or another, which virtual environments lead to as well.
func distinct(all []Python, chosen *program) []Python {
	seen := map[string]bool{}
	if chosen != nil {
		seen[chosen.Path] = true
	}
	return slices.DeleteFunc(all, func(p Python) bool {
		before := seen[p.Path]
		seen[p.Path] = true
		return before
	})
}

// asked puts the Python that the options name in front of the others.
func (in inspector) asked(found []candidate) ([]candidate, error) {
	want := in.base.options.Python
	if want == "" {
		return found, nil
	}
	how := "asked for as " + want
	paths := []string{want}
	if !path.IsAbs(want) {
		paths = nil
		for _, d := range strings.Split(in.searchPath(), ":") {
			paths = append(paths, path.Join(d, want))
		}
	}
	for _, p := range paths {
		if real, ok := executable(in.fs, p); ok {
			return append([]candidate{{invoked: p, real: real, how: how}}, without(found, real)...), nil
		}
	}
	e := in.noPython(fmt.Sprintf("no executable %s in it", want), inspection{})
	e.Asked = want
	for _, c := range found {
		e.Looked = append(e.Looked, Candidate{c.invoked, "is there"})
	}
	return nil, e
}

func without(found []candidate, real string) []candidate {
	var rest []candidate
	for _, c := range found {
		if c.real != real {
			rest = append(rest, c)
		}
	}
	return rest
}

func (in inspector) noPython(problem string, i inspection) *PythonError {
	if problem == "" {
		problem = "no Python on its PATH"
	}
	return &PythonError{
		Base: in.base.Ref, Platform: in.platform, PATH: in.searchPath(), Problem: problem, Looked: i.Unusable, Usable: i.Others,
	}
}

// worthReading are the files that identifying the candidates will probably ask for, so that they are read
// in one pass over the image. What is missing here is only read later.
func (in inspector) worthReading(found []candidate) []string {
	paths := []string{
		"/etc/passwd", "/etc/group", "/etc/os-release", "/usr/lib/os-release", "/etc/ld.so.conf",
		"/lib/" + in.machine.triplet + "/libc.so.6", "/lib64/libc.so.6", "/lib/libc.so.6",
	}
	add := func(dir string, like ...string) {
		nodes, err := in.fs.List(dir)
		if err != nil {
			return
		}
		for _, n := range nodes {
			for _, pattern := range like {
				if ok, _ := path.Match(pattern, path.Base(n.Path)); ok {
					paths = append(paths, n.Path)
				}
			}
		}
	}
	add("/etc/ld.so.conf.d", "*.conf")
	add("/etc", "ld-musl-*.path")
	add("/lib", "ld-musl-*")
	for _, c := range found {
		paths = append(paths, c.real)
		prefix := path.Dir(path.Dir(c.real))
		for _, lib := range []string{"lib", "lib64", "lib/" + in.machine.triplet} {
			add(path.Join(prefix, lib), "libpython3.*.so.*")
		}
	}
	return paths
}

// libc identifies the C library that the program is loaded with.
func (id identifier) libc(ctx context.Context, p program) (Libc, error) {
	l := Libc{Kind: Glibc, Loader: p.elf.Interp}
	if strings.Contains(path.Base(l.Loader), "ld-musl") {
		l.Kind = Musl
	}
	file := l.Loader
	if l.Kind == Glibc {
		lib, ok := p.linker.find("libc.so.6", p.elf, p.linker.origin)
		if !ok {
			return Libc{}, fmt.Errorf("%s needs libc.so.6, which is in none of %s", p.Path, strings.Join(p.linker.system, ":"))
		}
		file = lib
	}
	if _, ok := id.file(l.Loader); !ok {
		return Libc{}, fmt.Errorf("the loader of %s, %s, is not in the image", p.Path, l.Loader)
	}
	name, err := id.local(ctx, file)
	if err != nil {
		return Libc{}, err
	}
	if l.Version, err = libcVersion(l.Kind, name); err != nil {
		return Libc{}, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

func (id identifier) system(ctx context.Context) (System, error) {
	var s System
	_, s.Shell = executable(id.fs, "/bin/sh")
	for _, f := range []struct {
		name  string
		parse func([]byte)
	}{
		{"/usr/lib/os-release", func(b []byte) { s.OS = parseOS(b) }},
		{"/etc/os-release", func(b []byte) { s.OS = parseOS(b) }},
		{"/etc/passwd", func(b []byte) { s.Users = parseUsers(b) }},
		{"/etc/group", func(b []byte) { s.Groups = parseGroups(b) }},
	} {
		text, err := id.text(ctx, f.name)
		if err != nil {
			return System{}, err
		}
		if text != nil {
			f.parse(text)
		}
	}
	return s, nil
}
