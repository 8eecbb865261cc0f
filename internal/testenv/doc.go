// Package testenv is how tests reach real parts: registries, base images, containers, host Pythons,
// wheels from an index. Nothing of it is part of the product.
//
// In come the variables that `hack/testbed env` prints; out go addresses, paths and small drivers:
//
//	prefix := testenv.Registry(t)                  // a place of this test's own in a real registry
//	auth := testenv.AuthRegistry(t)                // one that answers 401 without a password
//	layout := testenv.Base(t, "bookworm")          // an OCI layout; BaseRef has the same in the registry
//	python := testenv.Python(t, "3.11")            // a host CPython with pip
//	wheels := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"idna==3.10"}})
//	index := testenv.Index(t, wheels, testenv.IndexOptions{})
//	podman := testenv.Podman(t)
//	image := podman.Pull(prefix+"/app:latest", "linux/amd64")
//	got := podman.Run(testenv.Container{Image: image, ReadOnly: true, User: "12345:0"})
//	testenv.Golden(t, "layers.txt", digests)
//
// Index, Python and Golden need no testbed.
//
// Invariant: a test that cannot have what it asks for fails and says what to run; it does not pass by
// skipping. There are two exceptions, both told to whoever runs the tests: under `go test -short` what
// needs the testbed is skipped, and what `hack/testbed status` lists as left out on this machine
// (arm64 containers without binfmt, bases/local without a CPython 3.12) is skipped with that reason.
// Tests may run in parallel, in any number of processes; what a test leaves in the registry is removed
// when it ends, what a killed one left by `hack/testbed down`.
package testenv
