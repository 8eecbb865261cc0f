package pex

import _ "embed"

// The programs that this package has Python run beside pex and pip themselves. They are given with -c, so
// that nothing of them lies on disk.
var (
	//go:embed driver/probe.py
	probeProgram string
	//go:embed driver/bootstrap.py
	bootstrapProgram string
	//go:embed driver/run.py
	runProgram string
)
