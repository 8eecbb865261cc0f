package base

import (
	"context"
	"fmt"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/rootfs"
)

// FS is the file tree of an image; see package rootfs.
type FS = rootfs.FS

// Variant is the image of a base for one platform, and what inspection found in it. Its methods may be used
// concurrently; its fields are not to be changed.
type Variant struct {
	Platform v1.Platform
	Image    v1.Image
	Digest   v1.Hash
	Config   v1.ConfigFile
	// FS is the image's file tree.
	FS *FS

	// Python is the interpreter that was taken, Others are those that could be taken, Unusable those that
	// could not.
	Python   Python
	Others   []Python
	Unusable []Candidate

	Libc   Libc
	System System
	Target Target
	// StdlibBytecode says whether Python has to compile its standard library at each start.
	StdlibBytecode StdlibBytecode

	base    *Base
	machine machine
}

// onceVariant is a variant that several callers may ask for at the same time.
type onceVariant struct {
	sync.Mutex
	variant *Variant
}

// Variant inspects the base's image for the platform. The first time, each layer is read once or twice;
// then the store knows all, and no layer is opened. The error is a *PlatformError or *PythonError where the
// base is not one to build on.
func (b *Base) Variant(ctx context.Context, platform v1.Platform) (*Variant, error) {
	i, err := b.find(platform)
	if err != nil {
		return nil, err
	}
	b.lock.Lock()
	once := b.variants[i.digest]
	if once == nil {
		once = &onceVariant{}
		b.variants[i.digest] = once
	}
	b.lock.Unlock()
	once.Lock()
	defer once.Unlock()
	if once.variant == nil {
		once.variant, err = b.inspect(ctx, i)
	}
	return once.variant, err
}

func (b *Base) inspect(ctx context.Context, i platformImage) (*Variant, error) {
	m, ok := machineOf(i.platform)
	if !ok {
		return nil, fmt.Errorf("%s: pexko does not build for %s", b.Ref, plain(i.platform))
	}
	v := &Variant{Platform: normal(i.platform), Digest: i.digest, base: b, machine: m}
	if err := v.open(ctx, i); err != nil {
		return nil, fmt.Errorf("%s (%s): %w", b.Ref, plain(i.platform), err)
	}
	in := inspector{base: b, platform: v.Platform, machine: m, fs: v.FS, env: environment(v.Config.Config.Env)}
	found, err := in.cached(ctx, i.digest)
	if err != nil {
		return nil, err
	}
	v.Python, v.Others, v.Unusable = found.Python, found.Others, found.Unusable
	v.Libc, v.System, v.StdlibBytecode = found.Libc, found.System, found.StdlibBytecode
	v.Target = newTarget(v.Platform, m, v.Python, v.Libc)
	return v, nil
}

// open reads the image's config and the headers of its layers.
func (v *Variant) open(ctx context.Context, i platformImage) error {
	var err error
	if v.Image, err = i.image(); err != nil {
		return err
	}
	config, err := v.Image.ConfigFile()
	if err != nil {
		return err
	}
	v.Config = *config
	layers, err := v.Image.Layers()
	if err != nil {
		return err
	}
	v.FS, err = rootfs.New(ctx, layers, config.RootFS.DiffIDs, v.base.options.Store)
	return err
}

// environment is the variables of an image's config; of a name that comes twice the last counts.
func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, v := range list {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return env
}
