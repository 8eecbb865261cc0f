package rootfs

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/pexko/pexko/internal/tree"
)

// What a layer may hold. The largest bases known, with CUDA and a data science stack, have some 400,000
// entries and 30 GB.
const (
	maxLayers   = 1024
	maxEntries  = 1 << 20
	maxPath     = 4096      // PATH_MAX of Linux
	maxNames    = 256 << 20 // bytes of all names and link targets, since they are held in memory
	maxUnpacked = 64 << 30  // bytes of one layer's tar
)

// headSize is how much of a compiled module is kept with its header: all that PEP 552 puts before the
// code, which is what tells whether Python will use it.
const headSize = 16

// kind extends tree.Kind by what only layers have.
type kind uint8

const (
	other kind = kind(0) // devices, pipes: they hide what was below and are nothing to us
	dir        = kind(tree.Dir)
	file       = kind(tree.File)
	link       = kind(tree.Symlink)
	hard  kind = 16 // another name of an earlier file; link holds that one's path
	skip  kind = 17 // a header that makes no file
)

// record is one header of a layer's tar. Its index in the layer's list counts all headers, so that it
// finds the content again even where a layer names a path twice.
type record struct {
	name     string // clean, relative; "." is the root
	kind     kind
	mode     fs.FileMode // permission bits with setuid, setgid and sticky
	uid, gid int
	size     int64
	mtime    int64 // seconds since 1970
	link     string
	head     []byte // of compiled modules
}

func newRecord(h *tar.Header, content io.Reader) (record, error) {
	name, err := cleanName(h.Name)
	if err != nil {
		return record{}, err
	}
	if h.Size < 0 {
		return record{}, fmt.Errorf("%s: negative size", name)
	}
	r := record{
		name: name, kind: kindOf(h), uid: h.Uid, gid: h.Gid,
		mode:  h.FileInfo().Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky),
		mtime: h.ModTime.Truncate(time.Second).Unix(),
	}
	switch r.kind {
	case file:
		r.size = h.Size
		if isCompiled(name) && h.Size >= headSize {
			r.head = make([]byte, headSize)
			_, err = io.ReadFull(content, r.head)
		}
	case link:
		r.link = h.Linkname
		if r.link == "" || len(r.link) > maxPath || strings.ContainsRune(r.link, 0) {
			err = fmt.Errorf("a symbolic link without a usable target")
		}
	case hard:
		r.link, err = cleanName(h.Linkname)
	}
	if err != nil {
		return record{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func kindOf(h *tar.Header) kind {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		return file
	case tar.TypeDir:
		return dir
	case tar.TypeSymlink:
		return link
	case tar.TypeLink:
		return hard
	case tar.TypeXGlobalHeader:
		return skip
	}
	return other
}

func isCompiled(name string) bool {
	return strings.HasSuffix(name, ".pyc") && path.Base(path.Dir(name)) == "__pycache__"
}

// cleanName returns the path of a header relative to the root. A name that has ".." anywhere is refused:
// no honest tool writes one.
func cleanName(name string) (string, error) {
	if len(name) > maxPath {
		return "", fmt.Errorf("%.40q…: a path of %d bytes, more than %d", name, len(name), maxPath)
	}
	if strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%q: a path with a NUL byte", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("%q: a path that climbs out of the image", name)
		}
	}
	return path.Join(".", strings.TrimLeft(name, "/")), nil
}
