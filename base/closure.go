package base

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/base/internal/binary"
)

// maxLibraries is how many shared libraries a Python and its extension modules may ask for; a Debian with
// Tk has some 60.
const maxLibraries = 1024

// closure collects the shared libraries that a program loads.
type closure struct {
	identifier
	libraries []string        // paths by which the loader finds them
	order     []string        // their directories
	dirs      map[string]bool // the same as a set
	rigid     []string        // libraries with an absolute DT_RPATH
	done      map[string]bool // names that were looked for
}

// request is a file whose needs are to be met.
type request struct {
	path     string
	required bool // by the program itself: without it nothing starts
}

// of collects what the program and the extension modules among files load. Each round reads the image
// once, for all that the round before asked for.
func (c *closure) of(ctx context.Context, program string, files []string) error {
	elf, err := c.elf(ctx, program)
	if err != nil {
		return err
	}
	linker, err := c.newLinker(ctx, program, elf)
	if err != nil {
		return err
	}
	round := []request{{program, true}}
	for _, f := range files {
		if strings.HasSuffix(f, ".so") {
			round = append(round, request{f, false})
		}
	}
	for len(round) > 0 {
		var next []request
		for _, r := range round {
			more, err := c.needs(ctx, linker, r)
			if err != nil {
				return err
			}
			next = append(next, more...)
		}
		if len(c.libraries) > maxLibraries {
			return fmt.Errorf("%s needs more than %d libraries", program, maxLibraries)
		}
		if err := c.fetch(ctx, c.libraries...); err != nil {
			return err
		}
		round = next
	}
	return nil
}

// needs finds the libraries that a file asks for and that nothing asked for before.
func (c *closure) needs(ctx context.Context, l linker, r request) ([]request, error) {
	e, err := c.elf(ctx, r.path)
	var why reason
	if errors.As(err, &why) && !r.required {
		return nil, nil // a linker script or a damaged module: that one does not load there either
	}
	if err != nil {
		return nil, err
	}
	if len(e.RunPath) == 0 && rigid(e) {
		c.rigid = append(c.rigid, r.path)
	}
	var more []request
	for _, name := range e.Needed {
		if c.done[name] {
			continue
		}
		found, ok := l.find(name, e, path.Dir(r.path))
		switch {
		case ok:
			c.done[name] = true
			c.add(found)
			more = append(more, request{found, r.required})
		case r.required && !strings.HasPrefix(name, "libc."): // musl's loader is its libc, by any name
			return nil, fmt.Errorf("/%s needs %s, which is not in the image", r.path, name)
		}
	}
	return more, nil
}

func (c *closure) add(library string) {
	c.libraries = append(c.libraries, library)
	if dir := path.Dir(library); !c.dirs[dir] {
		c.dirs[dir] = true
		c.order = append(c.order, dir)
	}
}

// rigid says whether a file has a DT_RPATH that does not move with it.
func rigid(e binary.ELF) bool {
	for _, d := range e.RPath {
		if !strings.HasPrefix(d, "$ORIGIN") && !strings.HasPrefix(d, "${ORIGIN}") {
			return true
		}
	}
	return false
}

// likely are the libraries that builds of CPython and its extension modules ask for, at the first or second hand.
// They are read along with the standard library, because each round of following what is needed costs a pass over
// the image. What is missing here is only read later; what nobody needs stays unused.
var likely = strings.Fields(`libbz2 libc libcom_err libcrypt libcrypto libdb-5.3 libdl libexpat libffi libgcc_s libgdbm
	libgdbm_compat libgssapi_krb5 libk5crypto libkeyutils libkrb5 libkrb5support liblzma libm libmpdec libncursesw
	libnsl libpanelw libpthread libreadline libresolv librt libsqlite3 libssl libtinfo libtirpc libutil libuuid libz
	libzstd`)

// worthLoading are the likely libraries, and the configuration of the loader.
func (id identifier) worthLoading(program string) []string {
	wanted := map[string]bool{}
	for _, name := range likely {
		wanted[name] = true
	}
	prefix := path.Dir(path.Dir(program))
	triplet := id.machine.triplet
	files := []string{"/etc/ld.so.conf"}
	for _, name := range id.scratch.names("/etc/ld.so.conf.d") {
		files = append(files, path.Join("/etc/ld.so.conf.d", name))
	}
	for _, dir := range []string{path.Join(prefix, "lib"), path.Join(prefix, "lib64"), "lib/" + triplet, "usr/lib/" + triplet, "lib64", "lib", "usr/lib"} {
		for _, name := range id.scratch.names(dir) {
			stem, _, ok := strings.Cut(name, ".so")
			if ok && (wanted[stem] || strings.HasPrefix(stem, "libpython3")) {
				files = append(files, path.Join(dir, name))
			}
		}
	}
	return files
}
