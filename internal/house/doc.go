// Package house holds the rules of this code base that a test can check: which package may import which,
// what only the command line may touch, and how long a function or file may grow.
//
// It has no code of its own; its tests read the sources of the module. A rule that is broken for a
// reason is changed here, with the reason.
package house
