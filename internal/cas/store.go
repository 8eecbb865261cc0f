package cas

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
)

// Store is a cache below one directory. It is safe for concurrent use.
type Store struct {
	dir   string
	count atomic.Uint64 // names of temporary files

	mu   sync.Mutex
	temp *workspace // made at the first need of it
}

// Open returns the store rooted at dir, which is made if it is not there, and sweeps what dead processes
// left unfinished in it.
func Open(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache directory %s: %w", dir, err)
	}
	s := &Store{dir: abs}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, s.wrap(err)
	}
	for _, sub := range []string{filepath.Join("blobs", "sha256"), "tmp"} {
		if err := os.MkdirAll(s.path(sub), 0o777); err != nil {
			return nil, s.wrap(err)
		}
	}
	sweep(s.path("tmp"))
	return s, s.wrap(s.tag())
}

// cacheTag marks a directory that backups, and pexko itself where it lies in a project, leave out
// (https://bford.info/cachedir/).
const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of pexko; whatever is deleted here is made again.\n"

func (s *Store) tag() error {
	f, err := os.OpenFile(s.path("CACHEDIR.TAG"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(cacheTag)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// Close removes what this store has unfinished: uncommitted writers and temporary directories. It may be
// left out (the next Open of any process sweeps), and the store may be used again afterwards.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp == nil {
		return nil
	}
	err := s.temp.remove()
	s.temp = nil
	return s.wrap(err)
}

// Root is the absolute path of the store's directory.
func (s *Store) Root() string { return s.dir }

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// spaceName keeps a space usable as a directory name on every file system.
var spaceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// keyName is the file name for a key: keys hold paths and markers, and lengths no file system allows.
func keyName(space, key string) (string, error) {
	if !spaceName.MatchString(space) {
		return "", fmt.Errorf("cache space %q: want lower-case letters, digits and '-'", space)
	}
	if key == "" {
		return "", fmt.Errorf("cache space %s: the empty key", space)
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:]), nil
}
