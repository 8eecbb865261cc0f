package pex

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// notSource are directories that are no part of a project's source: histories, caches and what builds leave.
var notSource = []string{
	".git", ".hg", ".svn", ".bzr", "__pycache__", "__pypackages__", "node_modules",
	".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".eggs", ".venv", ".direnv",
}

// epoch is the modification time of all files that a backend sees, SOURCE_DATE_EPOCH's.
var epoch = time.Unix(315532800, 0)

// workingCopy copies a project into dir, which is empty, with modes 0644 and 0755 and one modification time,
// for a backend to write into: setuptools leaves build/ and *.egg-info where it builds, and would take up
// again what an earlier build left there. Left out are notSource, virtual environments, caches (pexko's own, with
// the copy in it, may lie in the project), the directories without, and bytecode. A directory that cannot be read, such as a database's,
// is empty in the copy; a file that cannot is an error.
//
// A repository's history is not copied, but can be asked: backends that take the version from it (setuptools-scm,
// hatch-vcs) find it through a .git file (gitrepository-layout).
func workingCopy(ctx context.Context, project, dir string, without ...string) error {
	source, err := os.OpenRoot(project)
	if err != nil {
		return err
	}
	defer source.Close()
	c := copying{ctx: ctx, source: source, dir: dir}
	for _, skipped := range append(without, dir) {
		info, err := os.Stat(skipped)
		if err != nil {
			return err
		}
		c.without = append(c.without, info)
	}
	if err := fs.WalkDir(source.FS(), ".", c.visit); err != nil {
		return err
	}
	return linkHistory(project, dir)
}

type copying struct {
	ctx     context.Context
	source  *os.Root
	dir     string
	without []fs.FileInfo // directories; dir is one
}

func (c copying) visit(name string, d fs.DirEntry, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission) && name != "." && d.IsDir():
		return fs.SkipDir
	case err != nil:
		return err
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case name == ".":
		return nil
	case d.IsDir():
		if c.skips(name) {
			return fs.SkipDir
		}
		return os.Mkdir(c.to(name), 0o755)
	case name == ".git" || isBytecode(name):
		return nil
	case d.Type()&fs.ModeSymlink != 0:
		return c.link(name)
	case !d.Type().IsRegular():
		return nil // sockets and pipes of what runs in the directory
	}
	return c.file(name)
}

func (c copying) to(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

func (c copying) skips(name string) bool {
	has := func(entry string) bool {
		_, err := c.source.Stat(path.Join(name, entry))
		return err == nil
	}
	switch base := path.Base(name); {
	case slices.Contains(notSource, base), has("pyvenv.cfg"), c.isCache(name):
		return true
	case strings.HasSuffix(base, ".egg-info"):
		return has("PKG-INFO")
	case name == "build": // of setuptools; else a directory like any other
		return has("lib") || slices.ContainsFunc(c.names(name), func(n string) bool {
			return strings.HasPrefix(n, "bdist.") || strings.HasPrefix(n, "lib.")
		})
	}
	return false
}

// isCache knows the copy itself, what is to be left out, and caches by the Cache Directory Tagging Specification
// (bford.info/cachedir).
func (c copying) isCache(name string) bool {
	info, err := c.source.Stat(name)
	if err == nil && slices.ContainsFunc(c.without, func(w fs.FileInfo) bool { return os.SameFile(w, info) }) {
		return true
	}
	tag := path.Join(name, "CACHEDIR.TAG")
	if info, err := c.source.Lstat(tag); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := c.source.Open(tag)
	if err != nil {
		return false
	}
	defer f.Close()
	const signature = "Signature: 8a477f597d28d172789f06886806bc55"
	head := make([]byte, len(signature))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == signature
}

func (c copying) names(dir string) []string {
	entries, _ := fs.ReadDir(c.source.FS(), dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// link makes the same link; one that leaves the project by a relative path is made absolute, so that a backend
// finds what it would find in the project.
func (c copying) link(name string) error {
	to, err := c.source.Readlink(name)
	if err != nil {
		return err
	}
	inside := path.Join(path.Dir(name), filepath.ToSlash(to))
	if !filepath.IsAbs(to) && !fs.ValidPath(inside) {
		if to, err = filepath.Abs(filepath.Join(c.source.Name(), filepath.FromSlash(inside))); err != nil {
			return err
		}
	}
	return os.Symlink(to, c.to(name))
}

func (c copying) file(name string) error {
	from := filepath.Join(c.source.Name(), filepath.FromSlash(name))
	if err := copyFile(from, c.to(name)); err != nil {
		return err
	}
	return os.Chtimes(c.to(name), epoch, epoch)
}

// linkHistory makes dir/.git refer to the project's repository if the project is its top directory. From below
// it, git would see all else as deleted, and versions would become those of a changed tree.
func linkHistory(project, dir string) error {
	at := filepath.Join(project, ".git")
	info, err := os.Stat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	at, err = filepath.Abs(at)
	if err != nil {
		return err
	}
	text := []byte("gitdir: " + at + "\n")
	if !info.IsDir() { // a worktree or submodule has a file already, perhaps with a relative path
		if text, err = os.ReadFile(at); err != nil {
			return err
		}
		gitdir := string(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("gitdir:"))))
		if !filepath.IsAbs(gitdir) {
			gitdir = filepath.Join(filepath.Dir(at), gitdir)
		}
		text = []byte("gitdir: " + gitdir + "\n")
	}
	return os.WriteFile(filepath.Join(dir, ".git"), text, 0o644)
}
