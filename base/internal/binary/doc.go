// Package binary reads what ELF files of a base image say about themselves: what they are made for, which
// loader and libraries they ask for, and a few strings and numbers that only their content tells.
//
// In comes a file on disk, extracted from an image; out come facts. Nothing is run. The files are hostile
// input and debug/elf is documented as not hardened against such, so sizes are capped before it is asked
// and its panics become errors.
//
// Invariant: whatever the file holds, a call returns, in memory bounded by the named limits.
package binary
