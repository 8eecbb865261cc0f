package warm

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// EntryPoint is what an image starts: a module as `python -m` does, a function of a module, or a script.
type EntryPoint struct {
	// Module is dotted; a package is run by its __main__.
	Module string
	// Function of Module, dotted if it is an attribute of a class; "" runs the module.
	Function string
	// Script is the name of a script of a distribution, in place of a module.
	Script string
}

// String is what a user writes for it: module, module:function or script.
func (e EntryPoint) String() string {
	switch {
	case e.Script != "":
		return e.Script
	case e.Function != "":
		return e.Module + ":" + e.Function
	}
	return e.Module
}

// EntryError is an entry point that is not in the image. It is found while the image is built, since at run time it
// would be found in production.
type EntryError struct {
	Entry      EntryPoint
	Reason     string
	Candidates []string // what the entry point may have been meant to be, the likeliest first
}

// Error names the entry point and why it cannot be started.
func (e *EntryError) Error() string { return fmt.Sprintf("entry point %s: %s", e.Entry, e.Reason) }

// Hint names the candidates.
func (e *EntryError) Hint() string {
	if len(e.Candidates) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(e.Candidates, ", ") + "?"
}

// resolve finds an entry point in the merged venv.
func (b *build) resolve(e EntryPoint) (start, error) {
	switch {
	case e.Script != "":
		return b.resolveScript(e)
	case e.Module == "":
		return start{}, &EntryError{Entry: e, Reason: "there is none; an image has to start something"}
	}
	s := start{module: e.Module, function: e.Function}
	return s, b.checkModule(e)
}

// resolveScript finds the distribution whose script won the name. What its entry_points.txt says of it is called
// without the script's own text; a script that a wheel brings as a file is run as it is.
func (b *build) resolveScript(e EntryPoint) (start, error) {
	s := start{script: path.Join("bin", e.Script)}
	n := b.m.find(s.script)
	if n == nil || n.leaf == nil || e.Script != path.Base(s.script) {
		return s, &EntryError{e, "no distribution in the image has a script of that name", b.scriptsLike(e.Script)}
	}
	c := b.scripts[s.script]
	if c == nil { // a program, or a script in another language
		s.foreign = true
		return s, nil
	}
	points, err := c.entryPoints()
	if err != nil {
		return s, err
	}
	for _, p := range points {
		if p.Name == e.Script {
			s.module, s.function = p.Module, strings.Join(p.Attrs, ".")
			return s, b.checkModule(EntryPoint{Module: s.module, Function: s.function, Script: e.Script})
		}
	}
	return s, nil
}

// entryPoints are the scripts that the distribution's metadata describes. Of one name in both groups pex makes the first.
func (c *chroot) entryPoints() ([]wheel.EntryPoint, error) {
	e, ok := c.files[path.Join(c.info, "entry_points.txt")]
	if !ok {
		return nil, nil
	}
	text, err := e.Read(textLimit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.wheel, err)
	}
	console, gui, err := wheel.ParseEntryPoints(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: entry_points.txt: %w", c.wheel, err)
	}
	return append(console, gui...), nil
}

// checkModule refuses a module that is certainly not there, and a function that it certainly does not define.
func (b *build) checkModule(e EntryPoint) error {
	found, source, ok := b.module(e.Module)
	switch {
	case !found:
		return &EntryError{e, fmt.Sprintf("no module %s in the application, its dependencies or the standard library", e.Module), b.modulesLike(e)}
	case !ok:
		return nil
	case e.Function == "" && e.Script == "" && path.Base(source.Path) == "__init__.py":
		if main, _, _ := b.module(e.Module + ".__main__"); !main {
			return &EntryError{e, fmt.Sprintf("%s is a package without __main__.py; python -m cannot run it", e.Module), b.modulesBelow(e.Module)}
		}
	}
	if e.Function == "" {
		return nil
	}
	text, err := source.Read(moduleLimit)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(e.Function, ".")
	if defined, candidates := defines(string(text), name); !defined {
		for i, c := range candidates {
			candidates[i] = e.Module + ":" + c
		}
		return &EntryError{e, fmt.Sprintf("module %s (%s) has no %s", e.Module, source.Path, name), nearest(e.Module+":"+name, candidates)}
	}
	return nil
}

// moduleLimit is the size in bytes of the largest module that is looked into for a function.
const moduleLimit = 16 << 20

// module looks for a module where the interpreter will: site-packages and the standard library. ok tells
// that its source is at hand.
func (b *build) module(name string) (found bool, source tree.Entry, ok bool) {
	at := strings.ReplaceAll(name, ".", "/")
	if !importable(name) {
		return false, tree.Entry{}, false
	}
	for _, file := range []string{at + "/__init__.py", at + ".py"} {
		if n := b.m.find(path.Join(b.p.libs(), file)); n != nil && n.leaf != nil {
			source, ok = b.sourceOf(n.leaf)
			return true, source, ok
		}
	}
	if n := b.m.find(path.Join(b.p.libs(), at)); n != nil && n.leaf == nil {
		return true, tree.Entry{}, false // a namespace package
	}
	return b.extension(at) || b.base != nil && b.base.HasModule(name) || b.elsewhere(at), tree.Entry{}, false
}

func importable(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.ContainsAny(part, "/\\ ") {
			return false
		}
	}
	return true
}

// sourceOf is the file behind a leaf, under the name by which it is known to the user.
func (b *build) sourceOf(l *leaf) (tree.Entry, bool) {
	e := l.entry()
	if l.made == nil {
		e.Path = path.Join(l.from.dir, l.at)
	}
	return e, e.Kind == tree.File
}

// extension tells whether a compiled module is there: at.so, at.abi3.so, at.cpython-311-x86_64-linux-gnu.so.
func (b *build) extension(at string) bool {
	dir := b.m.find(path.Join(b.p.libs(), path.Dir(at)))
	if dir == nil {
		return false
	}
	for name := range dir.kids {
		if strings.HasPrefix(name, path.Base(at)+".") && strings.HasSuffix(name, ".so") {
			return true
		}
	}
	return false
}

// elsewhere tells whether a .pth file may put the module on the path: in a directory that one names, or anywhere if one runs
// code. setuptools' does, and adds nothing.
func (b *build) elsewhere(at string) bool {
	site := b.m.find(b.p.libs())
	for _, name := range sorted(site.kids) {
		l := site.kids[name].leaf
		if l == nil || !strings.HasSuffix(name, ".pth") || l.from == b.m.own || name == "distutils-precedence.pth" {
			continue
		}
		source, ok := b.sourceOf(l)
		if !ok {
			continue
		}
		text, err := source.Read(textLimit)
		if err != nil {
			return true
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "import") && b.m.root.has(at) {
				return true
			}
			if dir := b.m.find(path.Join(b.p.libs(), line)); line != "" && dir != nil && dir.holds(at) {
				return true
			}
		}
	}
	return false
}

// has tells whether some directory at or below the node holds the module.
func (n *node) has(at string) bool {
	if n.holds(at) {
		return true
	}
	for _, kid := range n.kids {
		if kid.leaf == nil && kid.has(at) {
			return true
		}
	}
	return false
}

// holds tells whether the node's directory is one from which the module can be imported.
func (n *node) holds(at string) bool {
	m := merged{root: n}
	return m.find(at) != nil || m.find(at+".py") != nil
}
