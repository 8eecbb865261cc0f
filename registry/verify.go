package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// verified reads content that is to have the descriptor's digest and size; its last Read says if it has not.
func verified(r io.ReadCloser, d v1.Descriptor) io.ReadCloser {
	return &verifier{ReadCloser: r, want: d, sum: sha256.New(), left: d.Size}
}

type verifier struct {
	io.ReadCloser
	want v1.Descriptor
	sum  hash.Hash
	left int64
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	v.left -= int64(n)
	switch {
	case v.left < 0:
		return n, fmt.Errorf("%s: longer than the %d bytes that its manifest says", v.want.Digest, v.want.Size)
	case err != io.EOF:
		return n, err
	case v.left > 0:
		return n, fmt.Errorf("%s: %w (%d of %d bytes)", v.want.Digest, io.ErrUnexpectedEOF, v.want.Size-v.left, v.want.Size)
	case v.want.Digest.Algorithm != "sha256" || hex.EncodeToString(v.sum.Sum(nil)) != v.want.Digest.Hex:
		return n, fmt.Errorf("%s: the content has another digest, sha256:%x", v.want.Digest, v.sum.Sum(nil))
	}
	return n, io.EOF
}

// readAll reads verified content that is held in memory: manifests and configurations.
func readAll(r io.ReadCloser, d v1.Descriptor) ([]byte, error) {
	defer r.Close()
	if d.Size > maxManifest {
		return nil, fmt.Errorf("%s: %d bytes are more than a manifest or configuration may have (%d)", d.Digest, d.Size, maxManifest)
	}
	return io.ReadAll(r)
}

// maxManifest is the size of a manifest, index or configuration in bytes that is still read. Registries accept 4 MiB.
const maxManifest = 16 << 20

func inMemory(content []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}
