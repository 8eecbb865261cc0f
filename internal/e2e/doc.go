// Package e2e runs what pexko builds. In go the examples and small projects of its own; the command line itself
// (cli.Main) builds them over the testbed's base images and pushes them, podman pulls and runs them. Out comes
// nothing: the package is tests alone.
//
// The tests state what an image promises, whatever the stages between do: it starts as any user on a read-only
// file system without network, it writes, compiles and extracts nothing, and inside of it everything behaves as in
// a virtual environment.
//
// Invariant: what an image promises is seen in a container of it, never in a stage's output. An image that cannot
// run on this machine (arm64 without qemu) is checked file by file instead.
package e2e
