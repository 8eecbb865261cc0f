package pexko

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/warm"
	"github.com/pexko/pexko/wheel"
)

// checkEntry refuses an entry point that is not there, before anything is made of it. That of an image is
// looked for in its warm tree; if only the PEX is wanted, one is laid out for this alone.
func (b *build) checkEntry(ctx context.Context, variants []*base.Variant, sets []pex.Set, entry project.EntryPoint) error {
	if entry.Script != "" {
		return checkScript(entry.Script, sets)
	}
	if b.wantsImage() {
		return nil
	}
	r, err := b.assembly(sets[:1], entry)
	if err != nil {
		return err
	}
	file, err := b.tool.Assemble(ctx, r)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = warm.Make(ctx, file, variants[0], b.app(entry), nil, warm.Options{})
	return err
}

// ScriptError is a console script that none of the wheels brings.
type ScriptError struct {
	Script string
	Target string
	// Scripts are those that there are, sorted.
	Scripts []string
}

// Error names the script, and those that there are.
func (e *ScriptError) Error() string {
	text := fmt.Sprintf("entry point %s: no distribution for %s has a script of that name", e.Script, e.Target)
	if len(e.Scripts) == 0 {
		return text + ", or any other"
	}
	return text + "; there are " + strings.Join(e.Scripts, ", ")
}

// Hint says what to do about it.
func (e *ScriptError) Hint() string {
	return "name one of them with -c, a module with -e, or add the distribution that brings the script to the lock"
}

// checkScript looks for a script in the wheels of every target.
func checkScript(script string, sets []pex.Set) error {
	for _, set := range sets {
		var all []string
		for _, w := range set.Wheels {
			all = append(all, scriptsOf(w)...)
		}
		slices.Sort(all)
		if all = slices.Compact(all); !slices.Contains(all, script) {
			return &ScriptError{Script: script, Target: set.Target.Platform, Scripts: all}
		}
	}
	return nil
}

// scriptsOf are the commands that a wheel installs: those of its metadata, and the files that it brings as scripts (PEP 427).
func scriptsOf(w *wheel.Wheel) []string {
	var all []string
	for _, p := range slices.Concat(w.Console, w.GUI) {
		all = append(all, p.Name)
	}
	if w.Record == nil {
		return all
	}
	for _, row := range w.Record.Rows {
		if dir := path.Dir(row.Path); strings.HasSuffix(dir, ".data/scripts") && !strings.HasSuffix(row.Path, "/") {
			all = append(all, path.Base(row.Path))
		}
	}
	return all
}
