package pexko

import (
	"context"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base"
)

// inspect opens the base and looks into its image for each platform that is wanted.
func (b *build) inspect(ctx context.Context) ([]*base.Variant, error) {
	step := b.Progress.Step("base")
	ref := b.settings.Base.Value
	opened, err := base.Open(ctx, ref, b.registry, base.Options{Store: b.store, Python: b.settings.Python.Value})
	if err != nil {
		return nil, err
	}
	b.base = opened
	platforms, err := b.platforms()
	if err == nil {
		err = b.checkPlatforms(platforms)
	}
	if err != nil {
		return nil, err
	}
	variants := make([]*base.Variant, len(platforms))
	err = b.each(ctx, len(platforms), func(ctx context.Context, i int) (err error) {
		variants[i], err = opened.Variant(ctx, platforms[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	step.Done(describeBase(ref, variants))
	for _, v := range variants {
		b.noteBase(v)
		if err := b.checkBase(v); err != nil {
			return nil, err
		}
	}
	return variants, nil
}

// supported are the base's platforms that pexko builds for; what is left out is said.
func (b *build) supported() []v1.Platform {
	all, supported := b.base.Platforms(), b.base.Supported()
	if n := len(all) - len(supported); n > 0 {
		b.Progress.Warn(fmt.Sprintf("--platform all: %d platforms of the base are left out, since Python has no wheels for them; %d are built", n, len(supported)))
	}
	return supported
}

// platforms are those of the settings; all means the base's.
func (b *build) platforms() ([]v1.Platform, error) {
	names := b.settings.Platforms.Value
	if len(names) == 1 && names[0] == "all" {
		return b.supported(), nil
	}
	platforms := make([]v1.Platform, len(names))
	for i, name := range names {
		p, err := v1.ParsePlatform(name)
		if err != nil {
			return nil, fmt.Errorf("%s: platform %q: %w", b.settings.Platforms.From, name, err)
		}
		platforms[i] = *p
	}
	return platforms, nil
}

// describeBase says which Python was found where.
func describeBase(ref string, variants []*base.Variant) string {
	parts := []string{ref}
	for _, v := range variants {
		parts = append(parts, fmt.Sprintf("%s: Python %s at %s, %s", v.Platform.String(), v.Python.Version, v.Python.Invoked, v.Libc))
	}
	return strings.Join(parts, "; ")
}

// noteBase says what of the base the user may not expect.
func (b *build) noteBase(v *base.Variant) {
	if len(v.Others) == 0 || b.settings.Python.Set() {
		return
	}
	var others []string
	for _, o := range v.Others {
		others = append(others, fmt.Sprintf("%s (%s)", o.Path, o.Version))
	}
	b.Progress.Warn(fmt.Sprintf("%s: the base holds several Pythons; taken is %s (%s), the first on its PATH; --python chooses %s",
		v.Platform.String(), v.Python.Path, v.Python.Version, strings.Join(others, " or ")))
}
