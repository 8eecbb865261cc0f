// Package lock reads what pins a project's dependencies and says what a target needs of it. It never fetches.
//
// In comes the path of a lock; out comes a Lock: its packages with the files that it offers for them, one digest over the
// lock and all that it includes, and whether every file is pinned by a hash. Select then answers for one target, given as
// PEP 508's variables and PEP 425's tags: which packages apply, at which version, and which wheel it prefers.
//
// Three kinds are read: hashed requirements files by pip's grammar, pylock.toml by PEP 751, and pex's own lock. Those of
// uv, Poetry, PDM and Pipenv are recognised, and the error carries the command that turns them into one of the three.
//
// A project directory has at most one lock that counts, by this rule (Find): pylock.toml; else pex.lock, or lock.json if that
// is a pex lock; else requirements.txt; else the error for uv.lock, poetry.lock, pdm.lock or Pipfile.lock.
//
// Invariant: nothing in a lock is skipped unseen. What a package cannot be understood by is an error with the file and the
// line or the package; keys that a newer minor version of a format adds are ignored and said in Lock.Warnings. URLs may hold
// credentials and never appear in errors.
package lock
