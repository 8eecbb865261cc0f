// Package pexko turns a Python project into a container image that starts warm.
//
// The package is the story and nothing else: Build reads a project, looks into the base image, gathers
// the wheels that the lock names, has pex make a PEX of them, lays out what that PEX would have written
// at its first start, splits it into layers and hands the image to its destinations. Each stage is a
// package of its own with one noun type; this package only carries values from one to the next.
//
// No stage runs anything of the image. Python runs in two places: package pex runs the pinned pex under
// a Python of this machine, and package bytecode compiles sources by an interpreter of exactly the
// image's version.
//
// Invariant: the same project, lock, base and pexko give the same digest, whatever the machine.
package pexko
