package pexko

import (
	"context"

	"github.com/pexko/pexko/project"
)

// Options says what to build. Project is needed; its Settings decide the rest.
type Options struct {
	Project *project.Project
	// Env is the environment of the process ("NAME=value"): pip and the credential helpers are configured there.
	Env []string
	// Progress is told what happens; nil is silent.
	Progress Progress
	// Line is told each line that pex and pip print, without credentials; nil drops them.
	Line func(string)
	// Outputs are files that the caller will write when the build is done. They are tried as destinations are.
	Outputs []string
	// UserAgent is sent to registries; "" is "pexko".
	UserAgent string
}

// Result is what a build made.
type Result struct {
	// References name what was made, by digest: "ghcr.io/org/app@sha256:…" for each repository that was pushed
	// to, else "sha256:…" alone; the path of the PEX if that is all that was asked for.
	References []string `json:"references"`
	// Tags are the references by tag that now name it.
	Tags []string `json:"tags,omitempty"`
	// Digest is that of the manifest, or of the index if there are several platforms.
	Digest string `json:"digest,omitempty"`
	// Images are the images in the order of the platforms.
	Images []ImageResult `json:"images,omitempty"`
}

// ImageResult is the image of one platform.
type ImageResult struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	// Python is the version of the base's interpreter, Entrypoint the command of the image.
	Python     string   `json:"python"`
	Entrypoint []string `json:"entrypoint"`
	// Layers are those above the base's, lowest first.
	Layers []LayerResult `json:"layers"`
}

// LayerResult is one layer of ours.
type LayerResult struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	DiffID string `json:"diffID"`
	// Size is in bytes, compressed.
	Size int64 `json:"size"`
	// Contents are the distributions in it, "name version".
	Contents []string `json:"contents,omitempty"`
}

// Build builds the project's image for each platform and sends it to the destinations of its settings.
// Destinations are tried before anything is built, so that a missing login costs no build. If it fails, or
// ctx ends, each file and directory that was asked for is as before or complete, and no process that was
// started is left.
func Build(ctx context.Context, o Options) (*Result, error) {
	b, err := begin(o)
	if err != nil {
		return nil, err
	}
	defer b.end()
	result, err := b.run(ctx)
	return result, b.explainFullDisk(err)
}

// run is the chain of the stages.
func (b *build) run(ctx context.Context) (*Result, error) {
	entry, err := b.project.Entry()
	if err != nil {
		return nil, err
	}
	if err := b.checkDestinations(ctx); err != nil {
		return nil, err
	}
	variants, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	sets, err := b.wheels(ctx, variants)
	if err == nil {
		err = b.checkEntry(ctx, variants, sets, entry)
	}
	if err != nil {
		return nil, err
	}
	images := make([]*built, len(variants))
	if b.wantsImage() {
		err = b.each(ctx, len(variants), func(ctx context.Context, i int) (err error) {
			images[i], err = b.image(ctx, variants[i], sets[i], entry)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return b.deliver(ctx, sets, entry, images)
}
