package pex

import (
	"errors"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/lock"
	"github.com/pexko/pexko/wheel"
)

// repeatable reports whether the lock names the same bytes at any time: all hashed, none of it a directory.
func repeatable(l *lock.Lock) bool {
	return l != nil && l.Hashed && !slices.ContainsFunc(l.Packages, func(p lock.Package) bool {
		return p.Source != nil && p.Source.From == lock.FromDirectory
	})
}

// preflight asks the lock itself whether it has what the target needs, before any process starts: it knows all
// that is missing at once. Of a part of the lock only pex knows what is in it.
func (r WheelsRequest) preflight(p platform) error {
	if r.Lock == nil || len(r.Requirements) > 0 {
		return nil
	}
	_, err := r.Lock.Select(p.markers, p.tags, r.Extras, r.Groups)
	var missing *lock.MissingWheel
	if err == nil || len(r.Exclude) == 0 || !errors.As(err, &missing) {
		return err
	}
	for _, one := range joined(err) {
		if !errors.As(one, &missing) || !slices.ContainsFunc(r.Exclude, func(name string) bool {
			return pep.Normalize(name) == missing.Distribution
		}) {
			return err
		}
	}
	return nil
}

// joined takes apart what errors.Join put together.
func joined(err error) []error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if many, ok := e.(interface{ Unwrap() []error }); ok { //nolint:errorlint // looks for this very level
			return many.Unwrap()
		}
	}
	return []error{err}
}

// checkLocked compares a downloaded wheel with the hashes that the lock has for its distribution. pip and pex
// have done so; here it is known that they have.
func (c *collection) checkLocked(w *wheel.Wheel) error {
	if c.r.Lock == nil {
		return nil
	}
	var want []string
	for _, p := range c.r.Lock.Packages {
		if p.Name != w.Name.Normalized() {
			continue
		}
		for _, f := range p.Wheels {
			if f.SHA256() != "" {
				want = append(want, strings.ToLower(f.SHA256()))
			}
		}
		for _, h := range p.Hashes {
			if sum, ok := strings.CutPrefix(h, "sha256:"); ok {
				want = append(want, strings.ToLower(sum))
			}
		}
	}
	if len(want) == 0 || slices.Contains(want, w.SHA256) {
		return nil
	}
	return &HashError{File: w.Name.File, Want: strings.Join(want, " or "), Got: w.SHA256, By: c.r.Lock.Path}
}

func sdistOf(p lock.Package) string {
	if p.Sdist == nil {
		return ""
	}
	return p.Sdist.Name
}
