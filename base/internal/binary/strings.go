package binary

import (
	"bufio"
	"errors"
	"io"
	"os"
)

// maxString is how much of a string is looked at: its end. What is looked for is shorter.
const maxString = 512

// Strings calls visit for every run of bytes in the file at name that a NUL byte ends, which is what C
// string literals are in an ELF file. Linkers store a literal that is the end of another only once, so
// what is looked for may be the end of a string; of longer ones the last 512 bytes are passed. The slice
// is valid during the call.
func Strings(name string, visit func(s []byte)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	var long []byte // the end of a string that did not fit into the buffer
	for {
		s, err := r.ReadSlice(0)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long[:0], s[len(s)-maxString:]...)
			continue
		case err == io.EOF:
			return nil // no NUL byte ends what is left
		case err != nil:
			return err
		}
		s = s[:len(s)-1]
		if long != nil {
			s = append(long, s...)
			long = nil
		}
		if len(s) > 0 {
			visit(s[max(0, len(s)-maxString):])
		}
	}
}
