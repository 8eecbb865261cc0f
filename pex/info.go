package pex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxInfo bounds PEX-INFO in bytes; a PEX of 500 distributions has 100 kB.
const maxInfo = 16 << 20

// Info is PEX-INFO (pex_info.py:40): every key that pex 2.105.2 knows, with pex's default where the key is
// absent. Keys that it does not know are in Raw alone. Hashes are lower-case hex.
type Info struct {
	PexVersion    string            // build_properties.pex_version; "" in PEXes of other tools
	CodeHash      string            // SHA-1 of the user code
	PexHash       string            // SHA-1 of PEX-INFO without this key: names the PEX in PEX_ROOT
	BootstrapHash string            // SHA-1 of the bootstrap: names it in PEX_ROOT
	Distributions map[string]string // wheel file name -> fingerprint, an opaque directory name in PEX_ROOT
	Requirements  []string          // roots of the resolve at boot, PEP 508
	Excluded      []string          // requirements that the resolve at boot skips
	Overridden    []string          // "requirement" or "project=requirement" in place of what a distribution requires

	EntryPoint        string            // "module" or "module:attribute"; "" if Script, or a REPL
	Script            string            // file name of a script of a distribution
	InjectPythonArgs  []string          // for the interpreter
	InjectArgs        []string          // before the user's
	InjectEnv         map[string]string // set unless set already
	BindResourcePaths map[string]string // environment variable -> resource whose path it gets
	StripPexEnv       bool              // remove PEX_* before the entry point; default true

	PexRoot                      string   // "" means the user's cache directory
	PexPaths                     []string // further PEXes; from pex_paths, or the older pex_path
	InheritPath                  string   // "false", "prefer" or "fallback"
	IgnoreErrors                 bool     // start although requirements are missing
	EmitWarnings                 bool     // default true
	InterpreterConstraints       []string
	InterpreterSelectionStrategy string // "oldest" or "newest"
	MaxInstallJobs               int    // default 1
	DepsAreWheelFiles            bool   // distributions are wheels, not installed chroots
	IncludesTools                bool   // default: Venv

	Venv                   bool
	VenvBinPath            string // "false", "prepend" or "append"
	VenvCopies             bool
	VenvSitePackagesCopies bool
	VenvSystemSitePackages bool
	VenvHermeticScripts    bool // default true

	Raw []byte // PEX-INFO as it was read
}

// infoJSON is the form on disk. Pointers tell an absent key from a zero value.
type infoJSON struct {
	BuildProperties struct {
		PexVersion string `json:"pex_version"`
	} `json:"build_properties"`
	CodeHash      string            `json:"code_hash"`
	PexHash       string            `json:"pex_hash"`
	BootstrapHash string            `json:"bootstrap_hash"`
	Distributions map[string]string `json:"distributions"`
	Requirements  []string          `json:"requirements"`
	Excluded      []string          `json:"excluded"`
	Overridden    []string          `json:"overridden"`

	EntryPoint        *string           `json:"entry_point"`
	Script            *string           `json:"script"`
	InjectPythonArgs  []string          `json:"inject_python_args"`
	InjectArgs        []string          `json:"inject_args"`
	InjectEnv         map[string]string `json:"inject_env"`
	BindResourcePaths map[string]string `json:"bind_resource_paths"`
	StripPexEnv       *bool             `json:"strip_pex_env"`

	PexRoot                      *string  `json:"pex_root"`
	PexPath                      *string  `json:"pex_path"`
	PexPaths                     []string `json:"pex_paths"`
	InheritPath                  *string  `json:"inherit_path"`
	IgnoreErrors                 bool     `json:"ignore_errors"`
	EmitWarnings                 *bool    `json:"emit_warnings"`
	InterpreterConstraints       []string `json:"interpreter_constraints"`
	InterpreterSelectionStrategy *string  `json:"interpreter_selection_strategy"`
	MaxInstallJobs               *int     `json:"max_install_jobs"`
	DepsAreWheelFiles            bool     `json:"deps_are_wheel_files"`
	IncludesTools                *bool    `json:"includes_tools"`

	Venv                   bool    `json:"venv"`
	VenvBinPath            *string `json:"venv_bin_path"`
	VenvCopies             bool    `json:"venv_copies"`
	VenvSitePackagesCopies bool    `json:"venv_site_packages_copies"`
	VenvSystemSitePackages bool    `json:"venv_system_site_packages"`
	VenvHermeticScripts    *bool   `json:"venv_hermetic_scripts"`
}

// ParseInfo reads PEX-INFO of any pex version from 2.0 on.
func ParseInfo(raw []byte) (Info, error) {
	if len(raw) > maxInfo {
		return Info{}, fmt.Errorf("PEX-INFO: %d bytes, more than the limit of %d", len(raw), maxInfo)
	}
	var j infoJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return Info{}, fmt.Errorf("PEX-INFO: %w", err)
	}
	for wheel, fingerprint := range j.Distributions {
		if !plainName(wheel) || !plainName(fingerprint) {
			return Info{}, fmt.Errorf("PEX-INFO: distribution %q: %q is no name in a PEX", wheel, fingerprint)
		}
	}
	info := Info{
		PexVersion: j.BuildProperties.PexVersion, CodeHash: j.CodeHash, PexHash: j.PexHash, BootstrapHash: j.BootstrapHash,
		Distributions: j.Distributions, Requirements: j.Requirements, Excluded: j.Excluded, Overridden: j.Overridden,

		EntryPoint: or(j.EntryPoint, ""), Script: or(j.Script, ""), InjectPythonArgs: j.InjectPythonArgs,
		InjectArgs: j.InjectArgs, InjectEnv: j.InjectEnv, BindResourcePaths: j.BindResourcePaths,
		StripPexEnv: or(j.StripPexEnv, true),

		PexRoot: or(j.PexRoot, ""), PexPaths: pexPaths(j), InheritPath: or(j.InheritPath, "false"),
		IgnoreErrors: j.IgnoreErrors, EmitWarnings: or(j.EmitWarnings, true),
		InterpreterConstraints:       j.InterpreterConstraints,
		InterpreterSelectionStrategy: or(j.InterpreterSelectionStrategy, "oldest"),
		MaxInstallJobs:               or(j.MaxInstallJobs, 1), DepsAreWheelFiles: j.DepsAreWheelFiles,
		IncludesTools: or(j.IncludesTools, j.Venv),

		Venv: j.Venv, VenvBinPath: or(j.VenvBinPath, "false"), VenvCopies: j.VenvCopies,
		VenvSitePackagesCopies: j.VenvSitePackagesCopies, VenvSystemSitePackages: j.VenvSystemSitePackages,
		VenvHermeticScripts: or(j.VenvHermeticScripts, true),

		Raw: bytes.Clone(raw),
	}
	return info, nil
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// pexPaths is pex_paths or, as before pex 2.1.105, the parts of pex_path.
func pexPaths(j infoJSON) []string {
	if len(j.PexPaths) > 0 || or(j.PexPath, "") == "" {
		return j.PexPaths
	}
	return strings.Split(*j.PexPath, ":")
}

// plainName reports whether s can be one component of a path.
func plainName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\\\x00")
}

// checkHash compares pex_hash with what pex computes (pex_builder.py:477): the SHA-1 of the JSON without it.
func (i Info) checkHash() error {
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(i.Raw))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return err
	}
	if _, ok := all["pex_hash"].(string); !ok {
		return errors.New("PEX-INFO: no pex_hash")
	}
	delete(all, "pex_hash")
	if got := sha1Hex(pythonJSON(nil, all, compact)); got != i.PexHash {
		return &CorruptError{What: "PEX-INFO", Key: "pex_hash", Want: i.PexHash, Got: got}
	}
	return nil
}

// ContentsHash names the venv of this PEX in PEX_ROOT: venvs/<n>/<pex_hash>/<contents hash>
// (variables.py:834). interpreter is the real path of the interpreter on the target; it counts only if the
// PEX has no interpreter constraints.
func (i Info) ContentsHash(interpreter string) (string, error) {
	if len(i.PexPaths) > 0 {
		return "", fmt.Errorf("PEX-INFO: pex_path names other PEXes (%s), whose hashes are not known here", strings.Join(i.PexPaths, ", "))
	}
	contents := map[string]any{"PEX_PYTHON_PATH": nil, "pex_path": map[string]any{}}
	if len(i.InterpreterConstraints) == 0 {
		contents["interpreter"] = interpreter
	}
	return sha1Hex(pythonJSON(nil, contents, spaced)), nil
}
