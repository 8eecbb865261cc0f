package cas

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Blob names content that the store holds.
type Blob struct {
	Digest string // SHA-256 in lower-case hex, without a prefix
	Size   int64  // bytes
}

// Writer takes the content of one blob. It digests what goes by; nothing has the blob's name before
// Commit. It is not safe for concurrent use.
type Writer struct {
	store *Store
	file  *os.File // nil after Commit and Abort
	sum   hash.Hash
	size  int64
	err   error // the first failed write; Commit repeats it
}

// Create starts a blob. The caller has to Commit or Abort it; `defer w.Abort()` is right for both.
func (s *Store) Create() (*Writer, error) {
	f, err := s.tempFile()
	if err != nil {
		return nil, err
	}
	return &Writer{store: s, file: f, sum: sha256.New()}, nil
}

// Write appends to the blob.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.file == nil {
		return 0, fs.ErrClosed
	}
	n, err := w.file.Write(p)
	w.sum.Write(p[:n])
	w.size += int64(n)
	w.err = w.store.wrap(err)
	return n, w.err
}

// Commit makes the blob durable and gives it its name. A blob of the same content that is already there
// is replaced, since it may be a damaged one.
func (w *Writer) Commit() (Blob, error) {
	defer w.Abort()
	if w.err != nil {
		return Blob{}, w.err
	}
	if w.file == nil {
		return Blob{}, fs.ErrClosed
	}
	b := Blob{Digest: hex.EncodeToString(w.sum.Sum(nil)), Size: w.size}
	temp, err := w.file.Name(), errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	if err == nil {
		err = place(temp, w.store.BlobPath(b.Digest))
	}
	if err != nil {
		_ = os.Remove(temp)
		return Blob{}, w.store.wrap(err)
	}
	return b, nil
}

// Abort drops what was written. It does nothing after Commit or another Abort.
func (w *Writer) Abort() {
	if w.file == nil {
		return
	}
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
	w.file = nil
}

// hexDigest is what a blob's file may be called. Digests come from locks and manifests, hence hostile.
var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// BlobPath is where the blob lies if it is there. Reading it there is not verified: it is for programs
// that want a path, and for what verifies by other means.
func (s *Store) BlobPath(digest string) string {
	return s.path("blobs", "sha256", filepath.Base(digest))
}

// OpenBlob opens a blob and gives its size in bytes. The reader ends in io.EOF only if all that was read
// has the digest; else the last Read says what is wrong, and the damaged blob is gone. A blob that is not
// there is fs.ErrNotExist.
func (s *Store) OpenBlob(digest string) (io.ReadCloser, int64, error) {
	if !hexDigest.MatchString(digest) {
		return nil, 0, fmt.Errorf("blob %q: not a SHA-256 digest in hex", digest)
	}
	f, err := os.Open(s.BlobPath(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, s.wrap(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, s.wrap(errors.Join(err, f.Close()))
	}
	return &blobReader{store: s, file: f, want: digest, left: info.Size(), sum: sha256.New()}, info.Size(), nil
}

// blobReader yields a blob and verifies it at its end.
type blobReader struct {
	store *Store
	file  *os.File
	want  string
	left  int64 // bytes still expected
	sum   hash.Hash
}

func (r *blobReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.sum.Write(p[:n])
	r.left -= int64(n)
	switch {
	case err == io.EOF:
		return n, r.verify()
	case err != nil:
		return n, r.store.wrap(err)
	}
	return n, nil
}

func (r *blobReader) verify() error {
	got := hex.EncodeToString(r.sum.Sum(nil))
	if got == r.want && r.left == 0 {
		return io.EOF
	}
	r.store.discard(r.file)
	return r.store.wrap(fmt.Errorf("blob %s was damaged (its content has the digest %s) and is removed; run the command again", r.want, got))
}

func (r *blobReader) Close() error { return r.file.Close() }

// discard removes the damaged file f, unless another process has put a good one in its place.
func (s *Store) discard(f *os.File) {
	if sameFile(f, f.Name()) {
		_ = os.Remove(f.Name())
	}
}
