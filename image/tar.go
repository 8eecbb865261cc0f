package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/pexko/pexko/internal/tree"
)

// writeTar writes the tree as a tar archive. The tree is sorted and holds all parents (tree.WithParents).
func writeTar(ctx context.Context, w io.Writer, t tree.Tree) error {
	tw := tar.NewWriter(w)
	dirs := map[string]bool{".": true}
	buffer := make([]byte, 256<<10)
	for _, e := range t {
		if !dirs[path.Dir(e.Path)] {
			return fmt.Errorf("%s: %s is not a directory", e.Path, path.Dir(e.Path))
		}
		dirs[e.Path] = e.Kind == tree.Dir
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeEntry(ctx, tw, e, buffer); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return tw.Close()
}

// writeEntry writes header and content. The header's format is left open: archive/tar then writes USTAR, and
// PAX records for just what USTAR cannot say (long or non-ASCII names, more than 8 GiB).
func writeEntry(ctx context.Context, tw *tar.Writer, e tree.Entry, buffer []byte) error {
	h := &tar.Header{
		Name:    e.Path,
		Mode:    mode(e.Mode),
		Uid:     e.UID,
		Gid:     e.GID,
		ModTime: Epoch,
	}
	switch e.Kind {
	case tree.Dir:
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case tree.Symlink:
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.Link, 0o777 // the mode of a link is never looked at
	case tree.File:
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	}
	if err := tw.WriteHeader(h); err != nil || e.Kind != tree.File {
		return err
	}
	return writeContent(ctx, tw, e, buffer)
}

// mode is a mode as tar and chmod(2) write it.
func mode(m fs.FileMode) int64 {
	bits := int64(m.Perm())
	for flag, bit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

func writeContent(ctx context.Context, tw *tar.Writer, e tree.Entry, buffer []byte) (err error) {
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	n, err := io.CopyBuffer(tw, contextReader{ctx, io.LimitReader(r, e.Size)}, buffer)
	if err != nil {
		return err
	}
	// Reading to the very end notices a file that grew, and lets a reader that verifies a digest do so.
	more, err := io.CopyN(io.Discard, r, 1)
	switch {
	case err != nil && err != io.EOF:
		return err
	case n != e.Size || more != 0:
		return fmt.Errorf("it has not the %d bytes that were announced; it changed while it was read", e.Size)
	}
	return nil
}

// contextReader ends a copy when the context does.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
