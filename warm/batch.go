package warm

import (
	"context"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// Compiler is what warm needs of bytecode.Compiler.
type Compiler interface {
	// Compile gives the results in the order of the sources; a source that is no valid Python is a Result
	// that says so.
	Compile(ctx context.Context, sources []bytecode.Source) ([]bytecode.Result, error)
}

// Skipped is a Python file that has no bytecode, as the import system would not find any for it either.
type Skipped struct {
	Path   string // as imported, absolute
	Reason string // in one line
}

// batch collects what is to be compiled, so that one call keeps all processes busy.
type batch struct {
	sources []bytecode.Source
	done    []func(pyc tree.Entry) error
}

// add has a source compiled. The pyc is given to done as a file without a path.
func (b *batch) add(imported string, mode bytecode.Mode, source tree.Entry, done func(pyc tree.Entry) error) {
	b.sources = append(b.sources, bytecode.Source{Path: imported, Mode: mode, Size: source.Size, Open: source.Open})
	b.done = append(b.done, done)
}

// run compiles all; without a compiler, nothing.
func (b *batch) run(ctx context.Context, c Compiler) ([]Skipped, error) {
	if c == nil {
		return nil, nil
	}
	results, err := c.Compile(ctx, b.sources)
	if err != nil {
		return nil, err
	}
	var skipped []Skipped
	for i, r := range results {
		if r.Skipped != "" {
			skipped = append(skipped, Skipped{b.sources[i].Path, r.Skipped})
			continue
		}
		if err := b.done[i](tree.Entry{Kind: tree.File, Mode: 0o644, Size: r.Size, Open: r.Open}); err != nil {
			return nil, err
		}
	}
	return skipped, nil
}
