package pex

import (
	"slices"
	"strings"
)

// pipConfig is what pip is told by variables and files: only for messages, and for the few values that pex
// would override. pip itself reads its configuration.
type pipConfig struct {
	env   environment
	files []setting
}

// origin is one of pip's settings with where it stands.
type origin struct{ Value, From string }

// Later kinds override earlier ones (pip/_internal/configuration.py, OVERRIDE_ORDER).
var kinds = []string{"global", "user", "site", "env"}

// lookup finds the value that pip takes for an option, given by its spellings ("timeout", "default-timeout"):
// a PIP_ variable, else the last file that names it, the command's section before [global].
func (c pipConfig) lookup(names ...string) (origin, bool) {
	for _, name := range names {
		variable := "PIP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if value := c.env.get(variable); value != "" {
			return origin{value, variable}, true
		}
	}
	for _, section := range []string{"download", "global"} {
		for _, kind := range slices.Backward(kinds) {
			for _, s := range slices.Backward(c.files) {
				key := strings.ReplaceAll(s.Key, "_", "-")
				if s.Kind == kind && s.Section == section && slices.Contains(names, key) {
					return origin{s.Value, s.File + " [" + section + "]"}, true
				}
			}
		}
	}
	return origin{}, false
}

// networkArgs are the options of pex that stand for settings of pip which pex overrides with its own
// defaults (pip/tool.py:126).
func (c pipConfig) networkArgs() []string {
	var args []string
	for flag, names := range map[string][]string{
		"--timeout": {"timeout", "default-timeout"}, "--retries": {"retries"}, "--resume-retries": {"resume-retries"},
	} {
		if o, ok := c.lookup(names...); ok {
			args = append(args, flag+"="+o.Value)
		}
	}
	slices.Sort(args)
	return args
}

// indexes says where packages come from and which setting says so, a line each, credentials hidden.
func (c pipConfig) indexes(hide redactor) []string {
	var lines []string
	index, ok := c.lookup("index-url")
	none, off := c.lookup("no-index")
	switch {
	case off && !slices.Contains([]string{"0", "false", "no", "off"}, strings.ToLower(none.Value)):
		lines = append(lines, "no index ("+none.From+" turns it off)")
	case ok:
		lines = append(lines, "index "+hide.text(index.Value)+" ("+index.From+")")
	default:
		lines = append(lines, "pip's default index (neither PIP_INDEX_URL nor a pip.conf names another)")
	}
	for _, name := range []string{"extra-index-url", "find-links", "proxy"} {
		if o, ok := c.lookup(name); ok {
			lines = append(lines, name+" "+hide.text(strings.Join(strings.Fields(o.Value), " "))+" ("+o.From+")")
		}
	}
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"} {
		if value := c.env.get(name); value != "" {
			lines = append(lines, "proxy "+hide.text(value)+" ("+name+")")
			break
		}
	}
	return lines
}

// siteFile is the pip.conf of the host Python's own environment, if it has one: pip in pex's environment
// would not look there.
func (c pipConfig) siteFile() (string, bool) {
	i := slices.IndexFunc(c.files, func(s setting) bool { return s.Kind == "site" })
	if i < 0 {
		return "", false
	}
	return c.files[i].File, true
}
