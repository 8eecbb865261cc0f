package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// Kind is the format of a lock.
type Kind string

// The kinds. Read reads the first three; of the others it says how to make one of those.
const (
	Requirements Kind = "requirements.txt"
	Pylock       Kind = "pylock.toml"
	PexLock      Kind = "pex lock"

	UV      Kind = "uv.lock"
	Poetry  Kind = "poetry.lock"
	PDM     Kind = "pdm.lock"
	Pipfile Kind = "Pipfile.lock"
)

// maxFile bounds one file in bytes; the largest known lock, a workspace of 900 packages, has 4 MB.
const maxFile = 64 << 20

// Lock is what one lock file says.
type Lock struct {
	Kind Kind
	// Path is the file that was read.
	Path string
	// SHA256 is the file's digest in hexadecimal, or, if it includes others, one over the digests of all Files in their order.
	// It covers neither environment variables that pip will fill in nor local archives and directories.
	SHA256 string
	// Files are Path and everything it includes (-r, -c), in the order of reading; a file included twice is there twice.
	Files []string
	// Packages are in the order of the lock. A name may be there several times, under markers that exclude each other.
	Packages []Package
	// Hashed says that every package comes with a hash of its files, so that the same bytes come at any time. A lock of
	// no packages is hashed.
	Hashed bool
	// Extras and Groups are what Select may be asked for, DefaultGroups what it takes besides (PEP 751). Only pylock.toml
	// has them.
	Extras, Groups, DefaultGroups []string
	// Options are the lines of requirements files that hold neither a requirement nor an include, as written: for pip, not
	// for messages, for an index URL may hold credentials.
	Options []string
	// Warnings are for whoever builds.
	Warnings []string

	selector selector
}

// selector is what Select asks; each kind of lock has its own.
type selector interface {
	selectFor(t target) ([]Pin, error)
}

// Package is one distribution that a lock holds.
type Package struct {
	// Name is normalised (PEP 503). It is "" for a local path or URL in a requirements file that does not tell.
	Name string
	// Version is as written, "" if only a source tree or an index knows it.
	Version string
	// Marker says for which targets the package is meant, "" for all.
	Marker string
	// Wheels are what the lock offers, in its order. Requirements files name none but direct references.
	Wheels []File
	// Sdist is the source distribution, or nil.
	Sdist *File
	// Source is where the package comes from if that is no index, or nil.
	Source *Source
	// Hashes are a requirement's --hash options, "sha256:…": any of its files has one of them.
	Hashes []string
	// Line says where the package stands: "requirements.txt:12", "pylock.toml: packages[3]".
	Line string

	marker         pep.Marker
	requiresPython pep.Specifiers
}

// File is a wheel or source distribution that a lock names.
type File struct {
	// Name is the file name.
	Name string
	// URL is where the lock says it lies, or a path. It may hold credentials: it is not for messages.
	URL string
	// Hashes are the digests in hexadecimal by algorithm: "sha256".
	Hashes map[string]string
	// Size is in bytes, 0 if the lock does not say.
	Size int64

	tags wheel.Name // of a wheel
}

// SHA256 is the digest in hexadecimal, "" if the lock has another algorithm alone.
func (f File) SHA256() string { return f.Hashes["sha256"] }

// Source is a package's origin other than an index.
type Source struct {
	// From is FromVCS, FromDirectory or FromArchive.
	From From
	// URL or path, as written. It may hold credentials: it is not for messages.
	URL string
	// Commit is the revision of FromVCS, "" if the lock does not pin one.
	Commit string
	// Subdirectory is where the project lies below it, "" for the top.
	Subdirectory string
	// Editable asks for an installation in place, which an image cannot have.
	Editable bool
}

// Read reads a lock of any kind that is supported; of another kind it returns *Unsupported.
func Read(path string) (*Lock, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	l := &Lock{Kind: kindOf(filepath.Base(path), content), Path: path, Files: []string{path}, SHA256: digest(content)}
	switch l.Kind {
	case Requirements:
		err = l.readRequirements(content)
	case Pylock:
		err = l.readPylock(content)
	case PexLock:
		err = l.readPexLock(content)
	default:
		err = &Unsupported{path, l.Kind}
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s: more than the limit of %d bytes; is it a lock?", path, maxFile)
	}
	return content, nil
}

// Wheels are the file names that the lock offers for a distribution, in its order, of all versions.
func (l *Lock) Wheels(name string) []string {
	var all []string
	for _, p := range l.Packages {
		if p.Name == wheel.Normalize(name) {
			all = append(all, fileNames(p.Wheels)...)
		}
	}
	return all
}

func fileNames(files []File) []string {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}

// strongHashes are the algorithms that pip accepts for --hash, with the length of their digests in hexadecimal.
func strongHashes() map[string]int { return map[string]int{"sha256": 64, "sha384": 96, "sha512": 128} }

// isHash reports whether digest is one of a strong algorithm.
func isHash(algorithm, digest string) bool {
	_, err := hex.DecodeString(digest)
	return err == nil && len(digest) == strongHashes()[algorithm] && digest != ""
}

// isPinned reports whether the file has a strong hash.
func (f File) isPinned() bool {
	for algorithm, digest := range f.Hashes {
		if isHash(algorithm, strings.ToLower(digest)) {
			return true
		}
	}
	return false
}

// isHashed reports whether all that can be installed of the package is pinned: its files, or a commit.
func (p Package) isHashed() bool {
	switch {
	case len(p.Hashes) > 0:
		return true
	case p.Source != nil && p.Source.From == FromVCS:
		return p.Source.Commit != ""
	case p.Source != nil && p.Source.From == FromDirectory:
		return true // part of the project's own files
	}
	files := p.files()
	return len(files) > 0 && !slices.ContainsFunc(files, func(f File) bool { return !f.isPinned() })
}

func (p Package) files() []File {
	files := slices.Clone(p.Wheels)
	if p.Sdist != nil {
		files = append(files, *p.Sdist)
	}
	return files
}

func allHashed(packages []Package) bool {
	return !slices.ContainsFunc(packages, func(p Package) bool { return !p.isHashed() })
}
