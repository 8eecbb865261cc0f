package project

import "strconv"

// Flags is what the command line says; a zero field says nothing. Values are checked by Load.
type Flags struct {
	Name                           string   // --name
	Base                           string   // --base
	Platforms                      []string // --platform, split at commas
	Python                         string   // --python
	EntryPoint, Script             string   // -e/--entry-point, -c/--script
	PythonArgs, Args               []string // --python-arg, --arg
	Hermetic                       *bool    // --hermetic
	Env, Labels, Annotations       []string // --env, --label, --annotation: NAME=value
	User, WorkDir                  string   // --user, --workdir
	Expose                         []string // --expose
	StopSignal                     string   // --stop-signal
	Lock                           string   // --lock, relative to the current directory
	Extras, Groups                 []string // --extra, --group
	MaxLayers                      int      // --max-layers
	Compression, Bytecode          string   // --compression, --bytecode
	Push, Tags                     []string // --push, -t/--tag
	OCILayout, OCIArchive, Tarball string   // --oci-layout, --oci-archive, --tarball
	PexFile, Load                  string   // --pex; --load: "auto" when the flag has no value
	Insecure                       *bool    // --insecure-registry
	CacheDir, HostPython           string   // --cache-dir, --host-python
	Jobs                           int      // --jobs
}

// given is what one place says about one setting. A table's lines are NAME=value.
type given struct {
	from  []Origin // one for each value, or one for all
	value []string
}

func (g given) origin(i int) Origin {
	if i < len(g.from) {
		return g.from[i]
	}
	return g.from[0]
}

// given collects the flags that say something, by their names.
func (f Flags) given() map[string]given {
	all := map[string]given{}
	put := func(flag string, values ...string) {
		if len(values) > 0 && !(len(values) == 1 && values[0] == "") {
			all["--"+flag] = given{[]Origin{{Level: Flag, Name: "--" + flag}}, values}
		}
	}
	put("name", f.Name)
	put("base", f.Base)
	put("platform", f.Platforms...)
	put("python", f.Python)
	put("entry-point", f.EntryPoint)
	put("script", f.Script)
	put("python-arg", f.PythonArgs...)
	put("arg", f.Args...)
	put("hermetic", boolText(f.Hermetic))
	put("env", f.Env...)
	put("label", f.Labels...)
	put("annotation", f.Annotations...)
	put("user", f.User)
	put("workdir", f.WorkDir)
	put("expose", f.Expose...)
	put("stop-signal", f.StopSignal)
	put("lock", f.Lock)
	put("extra", f.Extras...)
	put("group", f.Groups...)
	put("max-layers", intText(f.MaxLayers))
	put("compression", f.Compression)
	put("bytecode", f.Bytecode)
	put("push", f.Push...)
	put("tag", f.Tags...)
	put("oci-layout", f.OCILayout)
	put("oci-archive", f.OCIArchive)
	put("tarball", f.Tarball)
	put("pex", f.PexFile)
	put("load", f.Load)
	put("insecure-registry", boolText(f.Insecure))
	put("cache-dir", f.CacheDir)
	put("host-python", f.HostPython)
	put("jobs", intText(f.Jobs))
	return all
}

func boolText(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func intText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
