package project

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// collect finds the files of the project and its import roots.
func (p *Project) collect(o Options) error {
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Lstat("pyvenv.cfg"); err == nil {
		return &FileError{"pyvenv.cfg", "the project's directory is itself a virtual environment", "move the environment below it: python -m venv .venv"}
	}
	s := p.Settings
	outputs := append(slices.Clone(o.Outputs), s.OCILayout.Value, s.OCIArchive.Value, s.Tarball.Value, s.PexFile.Value, s.CacheDir.Value)
	r, err := newRules(root, dir, s, outputs)
	if err != nil {
		return err
	}
	w := &walk{root: root, rules: r, strict: p.BuildSystem == nil}
	if err := w.directory(".", scope{lists: r.outer}, keep); err != nil {
		return err
	}
	return p.take(w)
}

// take keeps what the walk found as far as it belongs into the image.
func (p *Project) take(w *walk) error {
	for _, f := range w.files {
		p.sources = append(p.sources, f.Path)
	}
	if err := p.findRoots(); err != nil {
		return err
	}
	named, secrets, err := p.namedFiles(w)
	if err != nil {
		return err
	}
	var files tree.Tree
	if p.BuildSystem == nil {
		files, p.ImportRoots = w.files, p.roots
		secrets = append(w.secrets, secrets...)
	}
	p.noteSecrets(secrets)
	p.Files = overlay(files, named)
	p.Files.Sort()
	return p.checkFiles()
}

func (p *Project) noteSecrets(names []string) {
	if len(names) == 0 {
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s may hold secrets and is left out of the image; pass them when it runs, or name the file in include of [tool.pexko].", strings.Join(names, ", ")))
}

// findRoots decides the directories from which the sources are imported.
func (p *Project) findRoots() error {
	s := p.Settings.Roots
	if len(s.Value) == 0 {
		p.roots = []string{p.guessRoot()}
		return nil
	}
	if p.BuildSystem != nil {
		return wrong(s.From, "has no effect: a project with a [build-system] is imported as its backend packs it")
	}
	for _, root := range s.Value {
		if root != "." && !slices.ContainsFunc(p.sources, func(f string) bool { return strings.HasPrefix(f, root+"/") }) {
			return wrong(s.From, "%s: no such directory with files in the project", root)
		}
	}
	p.roots = s.Value
	return nil
}
