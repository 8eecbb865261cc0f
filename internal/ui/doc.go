// Package ui draws what a person sees of a run, on standard error and nowhere else.
//
// In come steps and warnings (the root package's Progress hooks) and errors; out goes text. On a
// terminal the running steps stand at the bottom and are redrawn in place; off a terminal each
// finished step is one line, so that a CI log reads as a list of what was done. Errors end with their
// hints, one "hint:" line each, taken from the error's Hint method and never from its text.
//
// Invariant: nothing here is a result; a program that reads standard output never sees any of it.
package ui
