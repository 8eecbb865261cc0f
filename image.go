package pexko

import (
	"context"
	"fmt"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/image"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/warm"
)

// built is the image of one platform.
type built struct {
	platform v1.Platform
	image    v1.Image
	python   string
	layers   []layer
	warm     *warm.Tree
}

// image makes the image of one platform: PEX, warm tree, layers, configuration.
func (b *build) image(ctx context.Context, v *base.Variant, set pex.Set, entry project.EntryPoint) (*built, error) {
	name := v.Platform.String()
	step := b.Progress.Step("pex")
	r, err := b.assembly([]pex.Set{set}, entry)
	if err != nil {
		return nil, err
	}
	file, err := b.tool.Assemble(ctx, r)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	step.Done(fmt.Sprintf("%s: %d distributions", name, len(file.Distributions)))

	step = b.Progress.Step("warm")
	t, err := b.warm(ctx, v, file, entry)
	if err != nil {
		return nil, err
	}
	step.Done(fmt.Sprintf("%s: %s", name, counted(t)))
	if len(t.Collisions) > 0 {
		b.Progress.Warn(collided(t.Collisions))
	}

	step = b.Progress.Step("layers")
	layers, err := b.pack(ctx, v, t)
	if err != nil {
		return nil, err
	}
	step.Done(fmt.Sprintf("%s: %d layers, %s", name, len(layers), megabytes(sizeOf(layers))))

	img, err := b.assemble(v, t, layers)
	if err != nil {
		return nil, err
	}
	return &built{platform: v.Platform, image: img, python: v.Python.Version, layers: layers, warm: t}, nil
}

// assembly is what pex makes the PEX of. It takes no platform's own options: the image's command has them.
func (b *build) assembly(sets []pex.Set, entry project.EntryPoint) (pex.AssembleRequest, error) {
	s := b.settings
	code, err := b.code()
	if err != nil {
		return pex.AssembleRequest{}, err
	}
	r := pex.AssembleRequest{
		Sets: sets, Code: code, Script: entry.Script, Venv: true, IncludeTools: true,
		InjectPythonArgs: s.PythonArgs.Value, InjectArgs: s.Args.Value,
	}
	if entry.Script == "" {
		r.EntryPoint = entry.Module
		if entry.Function != "" {
			r.EntryPoint += ":" + entry.Function
		}
	}
	return r, nil
}

// warm lays out what the PEX would write at its first start.
func (b *build) warm(ctx context.Context, v *base.Variant, file *pex.File, entry project.EntryPoint) (*warm.Tree, error) {
	compiler, version, err := b.compiler(ctx, v)
	if err != nil {
		return nil, err
	}
	if compiler == nil {
		return warm.Make(ctx, file, v, b.app(entry), nil, warm.Options{})
	}
	return warm.Make(ctx, file, v, b.app(entry), compiler, warm.Options{Compiler: version})
}

// app is the application as the warm tree has to know it.
func (b *build) app(entry project.EntryPoint) warm.App {
	app := warm.App{
		Name: b.settings.Name.Value, Files: b.project.Files, ImportRoots: b.project.ImportRoots,
		Entry:    warm.EntryPoint{Module: entry.Module, Function: entry.Function, Script: entry.Script},
		Hermetic: b.settings.Hermetic.Value,
	}
	if b.own != nil {
		app.Project = b.own.Name.Normalized() // a pyproject.toml need not name the distribution that its backend builds
	}
	return app
}

// compiler is what compiles for the variant, and by which release of Python; nil without bytecode.
func (b *build) compiler(ctx context.Context, v *base.Variant) (*bytecode.Compiler, string, error) {
	var interpreter bytecode.Interpreter
	var err error
	switch b.settings.Bytecode.Value {
	case "none":
		return nil, "", nil
	case "host":
		interpreter, err = bytecode.AnyHostInterpreter(ctx, minor(v.Python.Version), b.Env)
		if err == nil && interpreter.Version != v.Python.Version {
			b.Progress.Warn(fmt.Sprintf("--bytecode=host: compiled by Python %s for %s; the digest is not comparable with that of another machine",
				interpreter.Version, v.Python.Version))
		}
	default:
		interpreter, err = b.base.InterpreterFor(ctx, v, b.Env)
	}
	if err != nil {
		return nil, "", err
	}
	return bytecode.New(interpreter, bytecode.Options{Jobs: b.jobs, Store: b.store}), interpreter.Version, nil
}

// assemble puts the layers on the base.
func (b *build) assemble(v *base.Variant, t *warm.Tree, layers []layer) (v1.Image, error) {
	s := b.settings
	packed := make([]*image.Layer, len(layers))
	for i, l := range layers {
		packed[i] = l.Layer
	}
	return image.Assemble(v.Image, packed, image.Config{
		Env: append(slices.Clone(t.Env), pairs(s.Env)...), Path: []string{path.Join(t.VenvDir, "bin")}, Entrypoint: t.Entrypoint,
		User: s.User.Value, WorkingDir: s.WorkDir.Value, ExposedPorts: s.Expose.Value, StopSignal: s.StopSignal.Value,
		Labels: values(s.Labels), Annotations: values(s.Annotations),
		Base: image.Base{Name: b.base.Name, Digest: b.base.Digest},
	})
}
