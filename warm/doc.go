// Package warm lays out what a PEX would become at its first start on a base image: in go a PEX, an inspected base
// and the application's files; out comes the list of units, each a tree of entries at their final paths, with all
// bytecode compiled. Nothing is extracted, and nothing is written here; contents are opened when they are packed.
//
// Invariant: an image with these units starts without writing or compiling anything, as any user, and the trees
// depend on the inputs alone. No path is in two units. The venv unit depends on the dependencies: what the project
// and the application's code bring is in the application's unit, what pex names by a hash of the code too.
//
// # The venv
//
// PEX_ROOT/venv is pex's venv of copies (pex/venv/installer.py, pex/pep_427.py), made of links: each path shows the
// file that pex would have copied there, and the first distribution that brings a path wins it, the application's own
// files before all. A directory that one distribution alone provides is one link to it in installed_wheels; one that
// several provide, or of which something ships that the venv does not show, is a directory, and so on below.
//
//   - .dist-info directories are directories, since RECORD, INSTALLER and REQUESTED are of the venv (info.go).
//   - A library that looks for others relative to itself and outside of its wheel has real directories above it (runpath.go).
//   - Scripts are files, since their first line names the venv's Python (script.go).
//
// The bytecode of a module lies beside it, in the wheel's directory, and names the path by which it is imported
// through the venv. Where a module is linked alone, its bytecode is linked beside the link.
//
// # The entry point
//
// entry.py in the venv is run by its bytecode: no source is read at a start. It does what the venv's own script (pex's
// __main__.py, which is there too) does before it starts the entry point, without reading that; see entry.py.tmpl.
package warm
