package pex

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// pip is how the pip that pex uses is run: the pinned one, in a virtual environment below PEX_ROOT.
type pip struct {
	Argv  []string `json:"argv"`
	Cache string   `json:"cache"` // its cache of what it downloaded
}

// pip returns pex's pip under p, after installing it below root if need be.
func (t *Tool) pip(ctx context.Context, p Python, root string) (pip, error) {
	key := fmt.Sprintf("%s %s %s", root, p.Executable, p.Version)
	record, _, err := t.o.Store.Get("pex-pip", key) // what is not there does not parse
	if err != nil {
		return pip{}, err
	}
	if made, ok := readPip(record); ok {
		return made, nil
	}
	home, err := t.home(ctx, p)
	if err != nil {
		return pip{}, err
	}
	argv := []string{p.Path, "-c", bootstrapProgram, PipVersion}
	for _, pin := range pinned[1:] {
		argv = append(argv, filepath.Join(home, "wheels", pin.file))
	}
	what := "installing pip " + PipVersion + " for pex"
	record, err = t.runPex(ctx, p, command{what: what, argv: argv, answer: true}, root)
	if err != nil {
		return pip{}, err
	}
	made, ok := readPip(record)
	if !ok {
		return pip{}, fmt.Errorf("%s: no usable command in %q", what, record)
	}
	return made, t.o.Store.Put("pex-pip", key, record)
}

// readPip decodes a record and sees that what it names is there.
func readPip(record []byte) (pip, bool) {
	var made pip
	if json.Unmarshal(record, &made) != nil || len(made.Argv) < 2 {
		return pip{}, false
	}
	for _, file := range []string{made.Argv[0], made.Argv[len(made.Argv)-1]} {
		if _, err := os.Stat(file); err != nil {
			return pip{}, false
		}
	}
	return made, true
}

// command is a pip command line with the options that pex itself gives (pip/tool.py:388).
func (p pip) command(args ...string) []string {
	argv := append([]string{}, p.Argv...)
	argv = append(argv, "--exists-action=a", "--no-input", "--no-color", "--cache-dir="+p.Cache)
	return append(argv, args...)
}
