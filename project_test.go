package pexko

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/lock"
)

func TestBuildConstraintsAreWhatTheLockHasAndTheProjectAdmits(t *testing.T) {
	pins := &lock.Lock{Packages: []lock.Package{
		{Name: "hatchling", Version: "1.27.0"},
		{Name: "pluggy", Version: "1.6.0"},
		{Name: "setuptools", Version: "65.0"}, // the application's, too old for the build
		{Name: "numpy", Version: "2.4.6"},
		{Name: "numpy", Version: "2.5.5"}, // forked
		{Name: "api", Version: "1.0", Source: &lock.Source{From: lock.FromDirectory}},
		{Name: "nameless"},
	}}
	got := buildConstraints(pins, []string{"hatchling>=1.20", "setuptools>=70"})
	if diff := cmp.Diff([]string{"hatchling==1.27.0", "pluggy==1.6.0"}, got); diff != "" {
		t.Error(diff)
	}
	if got := buildConstraints(nil, nil); got != nil {
		t.Errorf("without a lock: %v", got)
	}
}
