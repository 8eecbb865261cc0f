package rootfs

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Layer is what is read of a layer; v1.Layer has it.
type Layer interface {
	// Uncompressed opens the layer's tar. Each call starts at its first byte.
	Uncompressed() (io.ReadCloser, error)
}

// layer is a Layer whose tar is known to have the digest.
type layer struct {
	Layer
	diffID v1.Hash
}

func (l layer) wrap(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("layer %s: %w", l.diffID, err)
}

// each calls visit for the headers of the layer in their order, with a reader of the entry's content. It
// returns nil only if the tar turned out to have its digest, so what visit saw is to be used only then.
func (l layer) each(ctx context.Context, visit func(index int, h *tar.Header, content io.Reader) error) error {
	s, err := l.open(ctx)
	if err != nil {
		return l.wrap(err)
	}
	defer s.Close()
	for {
		h, err := s.next()
		if err == io.EOF {
			return l.wrap(s.verify())
		}
		if err != nil {
			return l.wrap(err)
		}
		if err := visit(s.index, h, s.tar); err != nil {
			return l.wrap(err)
		}
	}
}

// stream is a layer being read.
type stream struct {
	io.Closer
	layer   layer
	stopped func() error // not nil when the caller gave up
	raw     io.Reader
	sum     hash.Hash
	tar     *tar.Reader
	left    int64 // bytes that the tar may still have
	index   int   // of the header at hand
}

func (l layer) open(ctx context.Context) (*stream, error) {
	r, err := l.Uncompressed()
	if err != nil {
		return nil, err
	}
	s := &stream{Closer: r, layer: l, stopped: ctx.Err, raw: r, sum: sha256.New(), left: maxUnpacked, index: -1}
	s.tar = tar.NewReader(s)
	return s, nil
}

// Read passes bytes of the layer to the tar reader, and their digest on to verify.
func (s *stream) Read(p []byte) (int, error) {
	if err := s.stopped(); err != nil {
		return 0, err
	}
	n, err := s.raw.Read(p)
	s.sum.Write(p[:n])
	if s.left -= int64(n); s.left < 0 {
		return 0, fmt.Errorf("more than %d bytes unpacked", int64(maxUnpacked))
	}
	return n, err
}

func (s *stream) next() (*tar.Header, error) {
	h, err := s.tar.Next()
	if err != nil {
		return nil, err
	}
	s.index++
	if s.index >= maxEntries {
		return nil, fmt.Errorf("more than %d entries", maxEntries)
	}
	return h, nil
}

// verify reads what follows the end of the archive and compares the digest.
func (s *stream) verify() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", s.sum.Sum(nil)); got != s.layer.diffID.Hex {
		return fmt.Errorf("its content has the digest sha256:%s; the image is damaged or was tampered with", got)
	}
	return nil
}

// records reads the headers of the layer.
func (l layer) records(ctx context.Context) ([]record, error) {
	var all []record
	err := l.each(ctx, func(_ int, h *tar.Header, content io.Reader) error {
		r, err := newRecord(h, content)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
