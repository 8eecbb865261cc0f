package tree

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Kind says what an entry is. Devices, sockets and hard links have no place in an image that pexko makes.
type Kind uint8

// The three kinds of entries.
const (
	Dir Kind = iota + 1
	File
	Symlink
)

// Opener gives the content of a file from its first byte. It may be called any number of times, also
// concurrently, and each call's reader yields exactly Entry.Size bytes or an error.
type Opener func() (io.ReadCloser, error)

// Entry is one node of a file tree.
type Entry struct {
	// Path is slash-separated and relative to the root of the tree: "pex/venv/bin/python".
	Path string
	Kind Kind
	// Mode holds the permission bits (fs.ModePerm), of a directory also setuid, setgid and sticky, which a base's /tmp
	// has; the kind is in Kind. It is ignored for links.
	Mode fs.FileMode
	// UID and GID are numeric; an image's entries carry no user names.
	UID, GID int
	// Size is in bytes and 0 but for files.
	Size int64
	// Link is the target of a symbolic link, as written.
	Link string
	// Origin names the distribution (PEP 503 normalised) that the entry comes from; "" is pexko's or the application's own.
	Origin string
	// Open is nil but for files.
	Open Opener
}

// NewDir returns a directory of mode 0755 that belongs to root.
func NewDir(path string) Entry { return Entry{Path: path, Kind: Dir, Mode: 0o755} }

// NewLink returns a symbolic link at path to target.
func NewLink(path, target string) Entry {
	return Entry{Path: path, Kind: Symlink, Mode: 0o777, Link: target}
}

// NewFile returns a file with the given permission bits that holds content.
func NewFile(path string, mode fs.FileMode, content []byte) Entry {
	return Entry{Path: path, Kind: File, Mode: mode, Size: int64(len(content)), Open: Bytes(content)}
}

// Bytes opens content that is held in memory.
func Bytes(content []byte) Opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// Path opens the file at name on this machine.
func Path(name string) Opener {
	return func() (io.ReadCloser, error) { return os.Open(name) }
}

// Read returns the whole content of a file that is known to be small; more than limit bytes is an error.
func (e Entry) Read(limit int64) ([]byte, error) {
	if e.Kind != File {
		return nil, fmt.Errorf("%s: not a regular file", e.Path)
	}
	if e.Size > limit {
		return nil, fmt.Errorf("%s: %d bytes, more than the limit of %d", e.Path, e.Size, limit)
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	if int64(len(content)) != e.Size {
		return nil, fmt.Errorf("%s: %d bytes where %d were announced; the file changed while it was read", e.Path, len(content), e.Size)
	}
	return content, nil
}
