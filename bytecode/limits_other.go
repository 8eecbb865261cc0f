//go:build !linux

package bytecode

// limitProcess leaves the limits of the shell: only Linux can set those of another process.
func limitProcess(int) {}
