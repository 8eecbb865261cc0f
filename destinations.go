package pexko

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/registry"
)

// wantsImage says that more is asked for than the PEX itself.
func (b *build) wantsImage() bool {
	s := b.settings
	return len(s.PushReferences()) > 0 || s.OCILayout.Set() || s.OCIArchive.Set() || s.Tarball.Set() || s.Load.Set()
}

// checkDestinations finds out what would make the delivery fail, before the work.
func (b *build) checkDestinations(ctx context.Context) error {
	if !b.wantsImage() && !b.settings.PexFile.Set() {
		return &DestinationError{Repo: b.settings.Name.Value}
	}
	if err := b.checkLocal(ctx); err != nil {
		return err
	}
	refs, err := b.references()
	if err != nil || len(refs) == 0 {
		return err
	}
	step := b.Progress.Step("access")
	if err := b.registry.CheckPush(ctx, refs); err != nil {
		return err
	}
	step.Done(strings.Join(b.settings.PushReferences(), ", "))
	return nil
}

// checkLocal looks at the places on this machine. All failures are reported, joined.
func (b *build) checkLocal(ctx context.Context) error {
	s := b.settings
	var errs []error
	for _, file := range append([]string{s.OCIArchive.Value, s.Tarball.Value, s.PexFile.Value}, b.Outputs...) {
		if file != "" {
			errs = append(errs, checkFile(file))
		}
	}
	if s.OCILayout.Set() {
		errs = append(errs, registry.CheckLayout(s.OCILayout.Value))
	}
	if s.Load.Set() {
		errs = append(errs, registry.CheckEngine(ctx, b.engine()))
	}
	return errors.Join(errs...)
}

// checkFile finds out whether a file can be put in place. What is no regular file (a pipe, /dev/stdout) is
// written as it is.
func checkFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return &PathError{Path: name, Problem: "is a directory", Fix: "name a file in it"}
	case err == nil && !info.Mode().IsRegular():
		return nil
	}
	dir := filepath.Dir(name)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &PathError{Path: name, Problem: "there is no directory " + dir, Fix: "make it first, or name another place"}
	}
	probe, err := os.CreateTemp(dir, ".pexko-*")
	if err != nil {
		return &PathError{Path: name, Problem: "cannot be written: " + err.Error(), Fix: "name another place"}
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// PathError is a place at which a file cannot be put.
type PathError struct{ Path, Problem, Fix string }

// Error is "path: problem".
func (e *PathError) Error() string { return e.Path + ": " + e.Problem }

// Hint is what to do about it.
func (e *PathError) Hint() string { return e.Fix }

// checkPlatforms finds destinations that cannot take what will be built.
func (b *build) checkPlatforms(platforms []v1.Platform) error {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	built := strings.Join(names, ", ")
	if b.settings.Tarball.Set() && len(platforms) > 1 {
		return &PathError{
			Path: b.settings.Tarball.Value, Problem: "an archive for docker load holds one platform, and these are to be built: " + built,
			Fix: "choose one with --platform, or write --oci-archive",
		}
	}
	here := func(p v1.Platform) bool { return p.OS == "linux" && p.Architecture == runtime.GOARCH }
	if b.settings.Load.Set() && !slices.ContainsFunc(platforms, here) {
		return fmt.Errorf("--load: this machine runs linux/%s, and these are to be built: %s; add it to --platform", runtime.GOARCH, built)
	}
	return nil
}

// DestinationError says that nothing was said about where the image is to go.
type DestinationError struct{ Repo string }

// Error says so.
func (e *DestinationError) Error() string {
	return "no destination: nothing says where the image is to go"
}

// Hint lists the destinations.
func (e *DestinationError) Hint() string {
	return strings.Join([]string{
		"--push REPO[:TAG]    a registry, for example ghcr.io/org/" + e.Repo + "; or PEXKO_REPO=ghcr.io/org",
		"--load               podman or docker on this machine",
		"--oci-layout DIR     an OCI layout; --oci-archive FILE the same as one file",
		"--tarball FILE       an archive for docker load",
		"--pex FILE           the PEX itself",
	}, "\n")
}
