package pexko

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/registry"
	"github.com/pexko/pexko/wheel"
)

// build is one run: the project and the tools that its stages share.
type build struct {
	Options
	project  *project.Project
	settings project.Settings
	store    *cas.Store
	registry *registry.Client
	base     *base.Base   // set by inspect
	tool     *pex.Tool    // set by wheels
	own      *wheel.Wheel // the project's own, set by wheels; nil without a build system
	jobs     int
}

// begin opens what a build works with.
func begin(o Options) (*build, error) {
	if o.Project == nil {
		return nil, errors.New("pexko.Options without a Project")
	}
	if o.Progress == nil {
		o.Progress = silent{}
	}
	o.Progress = &once{Progress: o.Progress}
	if o.UserAgent == "" {
		o.UserAgent = "pexko"
	}
	s := o.Project.Settings
	store, err := cas.Open(s.CacheDir.Value)
	if err != nil {
		return nil, err
	}
	b := &build{Options: o, project: o.Project, settings: s, store: store, jobs: s.Jobs.Value}
	if b.jobs <= 0 {
		b.jobs = runtime.GOMAXPROCS(0)
	}
	b.registry = registry.New(registry.Options{Store: store, Insecure: s.Insecure.Value, UserAgent: o.UserAgent, Progress: b.transfers()})
	for _, note := range o.Project.Notes {
		o.Progress.Warn(note)
	}
	return b, nil
}

// getenv reads the environment of the build; the last of several settings counts.
func (b *build) getenv(name string) string {
	value := ""
	for _, kv := range b.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

func (b *build) end() { b.store.Close() }

// each runs do for 0 to n-1, at most as many at once as there are jobs, and ends the others at the first error.
func (b *build) each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.jobs)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
