package wheel

import (
	"bufio"
	"compress/flate"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// content reads one entry and verifies size and CRC at its end.
type content struct {
	io.Reader        // what decompresses
	close     func() // of the decompressor
	source    *bufio.Reader
	left      int64
	sum       hash.Hash32
	want      uint32
	bad       func(problem string) error
}

func newContent(file io.ReaderAt, e Entry, bad func(string) error) (*content, error) {
	c := &content{left: e.Size, sum: crc32.NewIEEE(), want: e.crc, bad: bad, close: func() {}}
	c.source = bufio.NewReader(io.NewSectionReader(file, e.data, e.compressed))
	switch e.Method {
	case methodStored:
		c.Reader = c.source
	case methodDeflate:
		r := flate.NewReader(c.source)
		c.Reader, c.close = r, func() { r.Close() }
	default:
		r, err := zstd.NewReader(c.source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, bad(err.Error())
		}
		c.Reader, c.close = r, r.Close
	}
	return c, nil
}

// Read fails at the first byte that is too many, so that no more than Size bytes are ever unpacked.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return 0, c.bad("longer than the directory says")
	}
	c.sum.Write(p[:n])
	if err == nil {
		return n, nil
	}
	return n, c.end(err)
}

func (c *content) end(err error) error {
	_, more := c.source.Peek(1)
	switch {
	case err != io.EOF:
		return fmt.Errorf("%w (%w)", c.bad("cannot be unpacked"), err)
	case c.left > 0:
		return c.bad("shorter than the directory says")
	case c.sum.Sum32() != c.want:
		return c.bad("the content does not match its CRC")
	case more != io.EOF:
		return c.bad("bytes behind the end of the compressed data")
	}
	return io.EOF
}

// Close frees the decompressor.
func (c *content) Close() error {
	c.close()
	return nil
}
