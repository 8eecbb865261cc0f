// Package action has the tests of action.yml, the composite step for GitHub Actions. In goes the file, its steps are
// run as a runner runs them; nothing comes out, the package is tests alone.
//
// Invariant: what stands in a workflow's inputs reaches pexko as arguments and never becomes part of a program.
package action
