package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/internal/tree"
)

// Project is one Python application, ready to be built.
type Project struct {
	// Dir is the directory as it was given, cleaned.
	Dir string
	// Name is [project] name as written, else the base name of the directory. Version is "" if the file says none.
	Name, Version string
	// BuildSystem is nil if the project is not built as a package: its files then lie in the image as they are.
	BuildSystem *BuildSystem
	// RequiresPython is a PEP 440 specifier set, "" admits all.
	RequiresPython string
	// Dependencies are PEP 508 requirements; those of extras stand by the extra's normalised name.
	Dependencies         []string
	OptionalDependencies map[string][]string
	// Scripts and GUIScripts map the name of a command to MODULE[:FUNCTION].
	Scripts, GUIScripts map[string]string
	// Dynamic are the fields of [project] that only the build backend knows.
	Dynamic []string
	// Settings is everything that can be set about the build.
	Settings Settings
	// Files is what lies below /app, relative to it: the project's own files unless it is built as a package, and what
	// the setting files names. It holds files and links, sorted; parents are implied.
	Files tree.Tree
	// ImportRoots are the directories below /app from which modules are imported ("." or "src"); none if the project
	// is built as a package.
	ImportRoots []string
	// Notes are what the user should know although nothing is wrong, as whole sentences.
	Notes []string

	doc     *document // nil without a pyproject.toml
	named   bool      // Name is that of [project]
	groups  map[string]group
	sources []string // files of the project that rules do not leave out, for the search for an entry point
	roots   []string // import roots of the sources
}

// Options says what else decides about a project. The zero value is a build without flags and environment.
type Options struct {
	Flags Flags
	// Env looks up environment variables; nil has none.
	Env Lookup
	// Outputs are further paths that this run writes, which are no files of the project.
	Outputs []string
}

// maxPyproject is far above the largest pyproject.toml in the wild (some 100 kB).
const maxPyproject = 4 << 20

// Load reads the project in a directory. Errors are of this package: *NoProjectError, *ConfigError (several are
// joined), *FileError, or those of reading files.
func Load(dir string, o Options) (*Project, error) {
	p := &Project{Dir: filepath.Clean(dir)}
	if err := p.checkDir(); err != nil {
		return nil, err
	}
	if err := p.readPyproject(); err != nil {
		return nil, err
	}
	if err := p.settle(o); err != nil {
		return nil, err
	}
	if p.doc == nil && !p.hasLock() {
		return nil, p.nothing()
	}
	return p, p.collect(o)
}

func (p *Project) checkDir() error {
	info, err := os.Stat(p.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such directory", p.Dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: not a directory", p.Dir)
	}
	return nil
}

// readPyproject reads pyproject.toml if there is one.
func (p *Project) readPyproject() error {
	name := filepath.Join(p.Dir, "pyproject.toml")
	data, err := readLimited(name, maxPyproject)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.doc, err = parseDocument(name, data); err != nil {
		return err
	}
	m, err := readMetadata(p.doc)
	if err != nil {
		return err
	}
	p.BuildSystem, p.RequiresPython, p.Dynamic, p.groups = m.build, m.requiresPython, m.dynamic, m.groups
	p.Name, p.Version, p.named = m.name, m.version, m.name != ""
	p.Dependencies, p.OptionalDependencies = m.dependencies, m.optional
	p.Scripts, p.GUIScripts = m.scripts, m.gui
	return nil
}

// settle decides the name and the settings.
func (p *Project) settle(o Options) error {
	image := imageName(pep.Normalize(p.Name))
	if !p.named {
		abs, err := filepath.Abs(p.Dir)
		if err != nil {
			return err
		}
		p.Name = filepath.Base(abs)
		image = imageName(p.Name)
	}
	s, err := resolve(o.Flags, o.Env, p.doc, image)
	if err != nil {
		return err
	}
	p.Settings = s
	if s.Name.Value == "" {
		return wrong(Origin{}, "%s: the directory's name cannot be an image's", p.Dir).fix("write name into [tool.pexko], or give --name")
	}
	return errors.Join(p.checkChosen()...)
}

// locks are the files that make a project of a directory without pyproject.toml.
func locks() []string { return []string{"requirements.txt", "pylock.toml"} }

func (p *Project) hasLock() bool { return p.Settings.Lock.Set() || len(p.present(locks())) > 0 }

func (p *Project) present(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(p.Dir, name))
		return err != nil
	})
}

func (p *Project) nothing() error {
	found := p.present([]string{"setup.py", "setup.cfg", "Pipfile", "environment.yml", "uv.lock", "poetry.lock"})
	return &NoProjectError{Dir: p.Dir, Found: found}
}

// readLimited reads a small file; more than limit bytes is an error.
func readLimited(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return data, err
}
