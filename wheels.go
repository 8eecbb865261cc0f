package pexko

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/lock"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// wheels gathers what each target gets: the wheels of the lock and the project's own.
func (b *build) wheels(ctx context.Context, variants []*base.Variant) ([]pex.Set, error) {
	targets, err := targetsOf(variants)
	if err != nil {
		return nil, err
	}
	b.tool, err = pex.Provide(ctx, pex.Options{
		Store: b.store, Env: b.Env, Python: b.settings.HostPython.Value, TargetMinor: minor(targets[0].Python),
		Jobs: b.settings.Jobs.Value, Warn: b.Progress.Warn, Line: b.Line,
	})
	if err != nil {
		return nil, err
	}
	pins, err := b.lock()
	if err != nil {
		return nil, err
	}
	if b.own, err = b.ownWheel(ctx, pins, targets); err != nil {
		return nil, err
	}
	step := b.Progress.Step("wheels")
	sets := make([]pex.Set, len(targets))
	err = b.each(ctx, len(targets), func(ctx context.Context, i int) error {
		request, err := b.request(pins, targets[i], step)
		if err != nil {
			return err
		}
		found, err := b.tool.Wheels(ctx, request)
		sets[i] = pex.Set{Target: targets[i], Wheels: with(found, b.own)}
		if err != nil || pins == nil {
			return err
		}
		return b.checkLocked(pins, variants[i], sets[i])
	})
	if err != nil {
		return nil, err
	}
	step.Done(describeSets(sets))
	return sets, nil
}

// targetsOf tells pex about the variants as plain data.
func targetsOf(variants []*base.Variant) ([]pex.Target, error) {
	targets := make([]pex.Target, len(variants))
	for i, v := range variants {
		platform, err := v.Target.CompletePlatform()
		if err != nil {
			return nil, err
		}
		targets[i] = pex.Target{Key: v.Target.Key(), Platform: v.Platform.String(), Python: v.Target.Python, CompletePlatform: platform}
	}
	return targets, nil
}

// lock reads the project's lock, nil if it has none.
func (b *build) lock() (*lock.Lock, error) {
	path := b.settings.Lock.Value
	if path == "" {
		found, _, err := lock.Find(b.project.Dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		path = found
	}
	pins, err := lock.Read(path)
	if err != nil {
		return nil, err
	}
	for _, text := range pins.Warnings {
		b.Progress.Warn(text)
	}
	return pins, nil
}

// request is what one target's wheels are asked for with. Without a lock the project's wheel itself says what
// it requires, since its metadata is what its backend made of pyproject.toml, dynamic fields included.
func (b *build) request(pins *lock.Lock, target pex.Target, step Step) (pex.WheelsRequest, error) {
	s := b.settings
	r := pex.WheelsRequest{Target: target, Lock: pins, Update: step.Update}
	if pins != nil {
		r.Extras, r.Groups = s.Extras.Value, s.Groups.Value
		return r, nil
	}
	requirements, err := b.project.Requirements(s.Extras.Value, s.Groups.Value)
	if err != nil {
		return r, err
	}
	if b.own != nil && len(b.own.Metadata.RequiresDist) > 0 {
		requirements = append(requirements, requirementOf(b.own, s.Extras.Value))
	}
	r.Requirements = requirements
	return r, nil
}

// requirementOf names a wheel on this machine as a PEP 508 direct reference.
func requirementOf(w *wheel.Wheel, extras []string) string {
	name := w.Name.Distribution
	if len(extras) > 0 {
		name += "[" + strings.Join(extras, ",") + "]"
	}
	return name + " @ " + (&url.URL{Scheme: "file", Path: filepath.ToSlash(w.Path)}).String()
}

// with adds the project's wheel to what was found, in place of another of its name.
func with(found []*wheel.Wheel, own *wheel.Wheel) []*wheel.Wheel {
	if own == nil {
		return found
	}
	others := slices.DeleteFunc(slices.Clone(found), func(w *wheel.Wheel) bool { return w.Name.Normalized() == own.Name.Normalized() })
	return append(others, own)
}

func describeSets(sets []pex.Set) string {
	var parts []string
	for _, s := range sets {
		var size int64
		for _, w := range s.Wheels {
			size += w.Size
		}
		parts = append(parts, fmt.Sprintf("%s: %d wheels, %s", s.Target.Platform, len(s.Wheels), megabytes(size)))
	}
	return strings.Join(parts, "; ")
}

// code is the user's own, relative to the import root: what lies in the PEX beside its distributions. Links are
// followed first, since one in src may name what is beside src.
func (b *build) code() (tree.Tree, error) {
	if len(b.project.ImportRoots) == 0 {
		return nil, nil // a project that is built is among the wheels
	}
	files, err := b.project.Files.Files()
	if err != nil {
		return nil, err
	}
	var code tree.Tree
	for _, root := range b.project.ImportRoots {
		for _, e := range files {
			if root == "." {
				code = append(code, e)
			} else if rest, ok := strings.CutPrefix(e.Path, root+"/"); ok {
				e.Path = rest
				code = append(code, e)
			}
		}
	}
	return code, nil
}
