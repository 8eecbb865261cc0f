package pex

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Version is the release of pex that makes the PEXes, and PipVersion the pip with which it resolves and
// builds: with its default on older Pythons, pip 20.3.4, pex makes PEXes that fail at boot.
const (
	Version    = "2.105.2"
	PipVersion = "26.2.1"
)

// pin is one wheel that the package relies on.
type pin struct{ name, version, file, sha256 string }

func (p pin) requirement() string { return p.name + "==" + p.version }

// pinned are pex and, after it, what pex installs with that pip (pip/version.py:511): setuptools and wheel
// in its versions, and packaging, which wheel requires.
var pinned = [...]pin{
	{
		"pex", Version, "pex-2.105.2-py2.py35.py36.py37.py38.py39.py310.py311-none-any.whl",
		"5a4d73fbeab30ddf70e360971cb19b9fa80b2a29cfe83e786215fcdd5ef1af9d",
	},
	{
		"pip", PipVersion, "pip-26.2.1-py3-none-any.whl",
		"71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e",
	},
	{
		"setuptools", "83.0.0", "setuptools-83.0.0-py3-none-any.whl",
		"29b23c360f22f414dc7336bb39178cc7bcbf6021ed2733cde173f09dba19abb3",
	},
	{
		"wheel", "0.47.0", "wheel-0.47.0-py3-none-any.whl",
		"212281cab4dff978f6cedd499cd893e1f620791ca6ff7107cf270781e587eced",
	},
	{
		"packaging", "26.3", "packaging-26.3-py3-none-any.whl",
		"d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c",
	},
}

// toolKey names the pinned set in the store.
func toolKey() string {
	sum := sha256.New()
	for _, p := range pinned {
		fmt.Fprintln(sum, p.file, p.sha256)
	}
	return Version + "-" + hex.EncodeToString(sum.Sum(nil))
}

// hashedRequirements is the pinned set as pip's requirements file.
func hashedRequirements() []byte {
	var lines strings.Builder
	for _, p := range pinned {
		fmt.Fprintf(&lines, "%s --hash=sha256:%s\n", p.requirement(), p.sha256)
	}
	return []byte(lines.String())
}
