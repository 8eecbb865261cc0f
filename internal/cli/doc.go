// Package cli is the command line: arguments, environment and streams come in, an exit code goes out.
//
// It is the only place that reads the environment, the clock and the process's streams, and that
// handles signals; the stages below get what they need as values. Standard output carries the result
// alone (references, one a line); all else goes to standard error.
//
// Exit codes: 0 done, 1 failed, 2 wrong use (flags, configuration), 130 interrupted.
package cli
