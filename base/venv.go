package base

import (
	"context"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// leaveVenv follows a Python in a virtual environment (pyvenv.cfg, PEP 405) to the one that it stands for:
// images' own environments are not what the application runs in.
func (id identifier) leaveVenv(ctx context.Context, c candidate) (candidate, error) {
	dir, ok := id.venvOf(c.invoked)
	if !ok {
		return c, nil
	}
	if real, ok := id.venvOf("/" + c.real); ok { // not linked but copied
		text, err := id.text(ctx, path.Join(real, "pyvenv.cfg"))
		if err != nil {
			return c, err
		}
		if c.real, ok = id.home(text, path.Base(c.real)); !ok {
			return c, because("of the virtual environment %s, whose base Python is not in the image", dir)
		}
	}
	c.how += ", through the virtual environment " + dir
	c.invoked = "/" + c.real
	return c, nil
}

// venvOf is the virtual environment that an executable belongs to, as site.py looks for it: beside it, or a
// directory up.
func (id identifier) venvOf(executable string) (string, bool) {
	for _, dir := range []string{path.Dir(executable), path.Dir(path.Dir(executable))} {
		if e, ok := id.fs.Stat(path.Join(dir, "pyvenv.cfg")); ok && e.Kind != tree.Dir {
			return dir, true
		}
	}
	return "", false
}

// home finds the executable that pyvenv.cfg names by its directory.
func (id identifier) home(config []byte, name string) (string, bool) {
	for line := range strings.Lines(string(config)) {
		key, dir, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(strings.ToLower(key)) != "home" {
			continue
		}
		for _, name := range []string{name, "python3", "python"} {
			real, ok := executable(id.fs, path.Join("/", strings.TrimSpace(dir), name))
			if !ok {
				continue
			}
			if _, again := id.venvOf("/" + real); !again {
				return real, true
			}
		}
	}
	return "", false
}
