package cas

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
)

// MaxRecord bounds a record in bytes; what is larger is a blob. Records are held in memory whole.
const MaxRecord = 128 << 20

// checksum covers key and content, so that a file under a wrong name is noticed as well.
func checksum(key string, data []byte) []byte {
	h := sha256.New()
	io.WriteString(h, key)
	h.Write([]byte{0})
	h.Write(data)
	return h.Sum(nil)
}

func (s *Store) recordPath(space, key string) (string, error) {
	name, err := keyName(space, key)
	if err != nil {
		return "", err
	}
	return s.path("records", space, name[:2], name), nil
}

// Get returns what was Put under the key; false when nothing was, or when it was damaged and is now gone.
func (s *Store) Get(space, key string) ([]byte, bool, error) {
	name, err := s.recordPath(space, key)
	if err != nil {
		return nil, false, err
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.wrap(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxRecord+sha256.Size+1))
	if err != nil {
		return nil, false, s.wrap(err)
	}
	if len(raw) < sha256.Size || !bytes.Equal(raw[:sha256.Size], checksum(key, raw[sha256.Size:])) {
		s.discard(f)
		return nil, false, nil
	}
	return raw[sha256.Size:], true, nil
}

// Put stores data under the key, in place of what was there.
func (s *Store) Put(space, key string, data []byte) error {
	name, err := s.recordPath(space, key)
	if err != nil {
		return err
	}
	if len(data) > MaxRecord {
		return s.wrap(errors.New("record " + space + " " + key + ": larger than a record may be; store it as a blob"))
	}
	f, err := s.tempFile()
	if err != nil {
		return err
	}
	_, err = f.Write(checksum(key, data))
	if err == nil {
		_, err = f.Write(data)
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = place(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return s.wrap(err)
}
