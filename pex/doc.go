// Package pex turns wheels and application files into a PEX by running the pinned pex, and is, beside
// package bytecode, the only place where Python runs.
//
// In come a lock (or requirements), a project directory and the targets as plain data; out come the
// wheels of each target, the project's own wheel, and one value, File: PEX-INFO, distributions in the
// order in which pex activates them, user code, bootstrap. The stages are separate on purpose:
//
//	tool, err := pex.Provide(ctx, options)          // starts nothing; Python, pex and pip are got when first wanted
//	set, err := tool.Wheels(ctx, request)           // one target's wheels, verified, in the store
//	wheel, report, err := tool.BuildProject(ctx, …) // PEP 517, in a copy of the tree
//	file, err := tool.Assemble(ctx, …)              // pex --pre-resolved-dists: no pip, no network
//
// What is pinned, with SHA-256, stands in pinned.go: pex, and the pip with which pex resolves and builds.
// The user's own pip downloads them (so that its configuration, indexes and credentials apply), and pex's
// own code installs that pip below a PEX_ROOT in the store. pex itself would fetch it with a pip of 2020 or
// of ensurepip; Debian's Python lacks what either needs.
//
// Any CPython from 3.10 on with a working pip serves as host. It is another one than the target's, as a
// rule: foreign targets are described by complete platforms (resolve/target_options.py:155).
//
// Invariants: the same wheels, code and options make the same PEX, byte for byte, whatever the host
// Python, directory, umask, locale or time zone; a File read back has the hashes that its PEX-INFO says;
// a lock that did not change starts no process (Tool.Stats). Credentials of indexes reach pip by its own
// ways and are taken out of every line and error that leaves the package.
//
// Lines of pex are cited as file:line of pex 2.105.2, below its package directory.
package pex
