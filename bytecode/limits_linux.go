package bytecode

import "golang.org/x/sys/unix"

// stackSize is the usual soft limit of a main thread's stack in bytes. Whether a deeply nested source
// overflows it must not depend on the shell that pexko is started from.
const stackSize = 8 << 20

// limitProcess sets what a process hands down to its forked children: the stack, and no core files. Where
// a sandbox forbids it, the limits stay those of the shell.
func limitProcess(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	var stack unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_STACK, nil, &stack) == nil {
		stack.Cur = min(stackSize, stack.Max)
		_ = unix.Prlimit(pid, unix.RLIMIT_STACK, &stack, nil)
	}
}
