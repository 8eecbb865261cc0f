// Package ignore decides which paths of a directory tree a list of patterns leaves out.
//
// In comes the text of a .gitignore or .dockerignore file, out comes a list that says Out, In or
// nothing (Silent) of a path. The two languages look alike and differ in almost everything: git's is
// documented in gitignore(5) and anchors a pattern only if it holds a slash; Docker's is anchored
// always and lets a later "!" bring back what lies in a directory that is left out.
//
// Invariant: a list never reads the disk, and matching takes time linear in pattern times path, whatever
// the pattern. Paths are slash-separated, relative and clean; they are compared as bytes, since file
// names need not be text.
package ignore
