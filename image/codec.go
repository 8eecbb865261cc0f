package image

import (
	"fmt"
	"io"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Epoch is the time of everything in an image: the modification time of each tar entry, the creation time
// of image and history. It is the earliest that a zip file can express, and pex's own.
var Epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Codec names what turns a tree into the bytes of a layer: the order and form of tar entries, the
// compressors' module with its version, their levels. Equal trees have equal digests only under one Codec, so
// it is a part of every cache key. The golden digests in the tests say when it has to change.
const Codec = "tar1,klauspost-compress-1.20.3,gzip6,zstd-default"

// gzipLevel costs twice the time of level 1 and saves 12 %, also at every pull (306 MB of site-packages).
const gzipLevel = 6

// Compression is how layers are compressed. The zero value is Gzip.
type Compression string

// The compressions. Every runtime and registry takes gzip. Zstandard is smaller by a quarter and unpacks in
// half the time, but wants containerd 1.5, Docker 23 or podman.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// ParseCompression returns the compression of that name; "" is Gzip.
func ParseCompression(name string) (Compression, error) {
	switch c := Compression(name); c {
	case "":
		return Gzip, nil
	case Gzip, Zstd:
		return c, nil
	}
	return "", fmt.Errorf("compression %q: want gzip or zstd", name)
}

func (c Compression) name() string {
	if c == "" {
		return string(Gzip)
	}
	return string(c)
}

func (c Compression) mediaType() types.MediaType {
	if c == Zstd {
		return types.OCILayerZStd
	}
	return types.OCILayer
}

// compressor returns a writer of one stream to w. The output depends on neither the sizes of the writes nor
// the number of processors; layers are compressed side by side instead.
func (c Compression) compressor(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case "", Gzip:
		return gzip.NewWriterLevel(w, gzipLevel)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("compression %q: want gzip or zstd", string(c))
}

func (c Compression) decompressor(r io.Reader) (io.ReadCloser, error) {
	if c == Zstd {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return gzip.NewReader(r)
}
