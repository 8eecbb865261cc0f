package pexko

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pexko/pexko/image"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/registry"
)

// deliver sends what was built to all destinations. Registries come last: what is public is complete.
func (b *build) deliver(ctx context.Context, sets []pex.Set, entry project.EntryPoint, images []*built) (*Result, error) {
	r := &Result{}
	if out := b.settings.PexFile.Value; out != "" {
		if err := b.writePex(ctx, sets, entry, out); err != nil {
			return nil, err
		}
	}
	if !b.wantsImage() {
		r.References = []string{b.settings.PexFile.Value}
		return r, nil
	}
	what, err := b.artifact(images)
	if err != nil {
		return nil, err
	}
	if err := b.describe(r, what, images); err != nil {
		return nil, err
	}
	if err := b.writeLocal(ctx, what); err != nil {
		return nil, err
	}
	return r, b.push(ctx, what, r)
}

// writePex writes the PEX of all targets, as a file that runs by itself.
func (b *build) writePex(ctx context.Context, sets []pex.Set, entry project.EntryPoint, out string) error {
	step := b.Progress.Step("pex file")
	r, err := b.assembly(sets, entry)
	if err != nil {
		return err
	}
	if err := b.tool.Write(ctx, r, pex.Zipapp, out); err != nil {
		return err
	}
	step.Done(out)
	return nil
}

// artifact is the one image, or the index of several.
func (b *build) artifact(images []*built) (registry.Artifact, error) {
	if len(images) == 1 {
		return registry.Artifact{Image: images[0].image}, nil
	}
	children := make([]image.Child, len(images))
	for i, m := range images {
		children[i] = image.Child{Platform: m.platform, Image: m.image}
	}
	index, err := image.Index(children, values(b.settings.Annotations))
	return registry.Artifact{Index: index}, err
}

// describe fills in what the result says of the images.
func (b *build) describe(r *Result, what registry.Artifact, images []*built) error {
	digest, err := what.Digest()
	if err != nil {
		return err
	}
	r.Digest = digest.String()
	for _, m := range images {
		one, err := describeImage(m)
		if err != nil {
			return err
		}
		r.Images = append(r.Images, one)
	}
	return nil
}

func describeImage(m *built) (ImageResult, error) {
	digest, err := m.image.Digest()
	if err != nil {
		return ImageResult{}, err
	}
	one := ImageResult{Platform: m.platform.String(), Digest: digest.String(), Python: m.python, Entrypoint: m.warm.Entrypoint}
	for _, l := range m.layers {
		d, err := l.Descriptor()
		if err != nil {
			return ImageResult{}, err
		}
		diffID, err := l.DiffID()
		if err != nil {
			return ImageResult{}, err
		}
		one.Layers = append(one.Layers, LayerResult{
			Name: l.name, Digest: d.Digest.String(), DiffID: diffID.String(), Size: d.Size, Contents: l.contents,
		})
	}
	return one, nil
}

// writeLocal serves the destinations of this machine.
func (b *build) writeLocal(ctx context.Context, what registry.Artifact) error {
	tags, err := b.tags()
	if err != nil {
		return err
	}
	s := b.settings
	for _, to := range []struct {
		name, path string
		write      func(path string) error
	}{
		{"layout", s.OCILayout.Value, func(dir string) error { return registry.WriteLayout(ctx, dir, layoutTags(tags), what) }},
		{"archive", s.OCIArchive.Value, func(file string) error { return registry.WriteArchive(ctx, file, tags, what) }},
		{"tarball", s.Tarball.Value, func(file string) error { return registry.WriteTarball(ctx, file, tags, what) }},
	} {
		if to.path == "" {
			continue
		}
		step := b.Progress.Step(to.name)
		if err := to.write(to.path); err != nil {
			return err
		}
		step.Done(to.path)
	}
	if !s.Load.Set() {
		return nil
	}
	return b.load(ctx, what, tags)
}

// layoutTags are the tags alone, each once: a layout holds one image of a tag, whatever its repository.
func layoutTags(tags []name.Tag) []string {
	var all []string
	for _, t := range tags {
		if !slices.Contains(all, t.TagStr()) {
			all = append(all, t.TagStr())
		}
	}
	return all
}

func (b *build) load(ctx context.Context, what registry.Artifact, tags []name.Tag) error {
	step := b.Progress.Step("load")
	loaded, err := registry.Load(ctx, b.engine(), tags, what)
	if err != nil {
		return err
	}
	step.Done(fmt.Sprintf("%s: %v", loaded.Engine, loaded.Refs))
	return nil
}

// engine is the container engine that is asked for, "" if any will do.
func (b *build) engine() string {
	if engine := b.settings.Load.Value; engine != "auto" {
		return engine
	}
	return b.getenv("PEXKO_ENGINE")
}

// tags name the image where there is no registry: as it is pushed or, if it is not, by the project's name.
func (b *build) tags() ([]name.Tag, error) {
	var tags []name.Tag
	for _, n := range b.settings.LocalReferences() {
		tag, err := name.NewTag(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// references are what is pushed to.
func (b *build) references() ([]name.Reference, error) {
	var refs []name.Reference
	for _, n := range b.settings.PushReferences() {
		ref, err := b.registry.Parse(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// push sends the image to the registries and adds its references to the result.
func (b *build) push(ctx context.Context, what registry.Artifact, r *Result) error {
	refs, err := b.references()
	if err != nil {
		return err
	}
	if len(refs) == 0 {
		r.References = []string{r.Digest}
		return nil
	}
	step := b.Progress.Step("push")
	pushed, err := b.registry.Push(ctx, refs, what)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, ref := range refs {
		r.Tags = append(r.Tags, ref.Name())
		byDigest := ref.Context().Digest(r.Digest).Name()
		if !seen[byDigest] {
			seen[byDigest] = true
			r.References = append(r.References, byDigest)
		}
	}
	step.Done(transferred(pushed))
	return nil
}

// transferred says what a push moved.
func transferred(p registry.Pushed) string {
	if p.Uploaded+p.Mounted+p.Existed == 0 {
		return "unchanged"
	}
	return fmt.Sprintf("%d blobs sent (%s), %d mounted, %d there already", p.Uploaded, megabytes(p.Bytes), p.Mounted, p.Existed)
}

// transfers relays what the registry client tells.
func (b *build) transfers() func(registry.Event) {
	return func(e registry.Event) {
		if e.Kind == registry.Waiting {
			b.Progress.Warn(fmt.Sprintf("%s: %s; trying again in %s", e.Name, e.Reason, e.Wait))
		}
	}
}
