package project

import (
	"errors"
	"slices"
	"strings"
)

// Lookup reads one environment variable and says whether it is set; os.LookupEnv is one.
type Lookup func(name string) (string, bool)

// kind is the TOML type of a setting.
type kind uint8

const (
	text kind = iota
	texts
	number
	boolean
	table
)

func (k kind) String() string {
	return [...]string{"a string", "a list of strings", "a whole number", "true or false", "a table of strings"}[k]
}

// setting is one row of the table that decides everything: where it may be set, its type and default, and
// how its value is checked and stored.
type setting struct {
	key      string // in [tool.pexko], "" if the file cannot set it
	flag     string // "--base", "" if no flag sets it
	variable string // "PEXKO_BASE", "" if the environment cannot set it
	kind     kind
	numbers  bool // the file may also write whole numbers: expose = [8080]
	standard []string
	store    func(*Settings, given) error
}

// resolve decides every setting: a flag wins over the environment, that over [tool.pexko] of the file, and that
// over the default; tables (env, labels, annotations, files) are decided name by name. Lists are not
// added up: the highest level that names any wins. An empty variable counts as not set. file is nil
// without a pyproject.toml; name is the default for Name. All errors are reported at once, as ConfigErrors.
func resolve(f Flags, env Lookup, file *document, name string) (Settings, error) {
	fromFile, errs := fileSettings(file)
	levels := []map[string]given{f.given(), environment(env), fromFile}
	s := Settings{Env: map[string]Setting[string]{}, Labels: map[string]Setting[string]{}, Annotations: map[string]Setting[string]{}, Files: map[string]Setting[string]{}}
	s.Name.Value, s.CacheDir.Value = name, cacheDir(env)
	for _, row := range settings() {
		if err := row.decide(&s, levels); err != nil {
			errs = append(errs, err)
		}
	}
	if err := s.oneEntry(); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// decide stores what the highest level says. Tables are stored from the lowest level to the highest.
func (r setting) decide(s *Settings, levels []map[string]given) error {
	var said []given
	for i, name := range []string{r.flag, r.variable, r.key} {
		if g, ok := levels[i][name]; ok && name != "" {
			said = append(said, g)
		}
	}
	if len(said) == 0 && r.standard != nil {
		said = append(said, given{[]Origin{{}}, r.standard})
	}
	if r.kind != table && len(said) > 1 {
		said = said[:1]
	}
	var errs []error
	for _, g := range slices.Backward(said) {
		errs = append(errs, r.store(s, g))
	}
	return errors.Join(errs...)
}

// oneEntry keeps the stronger of entry-point and script. A flag -c thus replaces the file's entry-point; both at
// one level contradict each other. Arguments are those of the entry point that they were written for: a flag -c
// leaves the file's args behind.
func (s *Settings) oneEntry() error {
	e, c := &s.EntryPoint, &s.Script
	switch {
	case e.Value == "" || c.Value == "":
	case e.From.Level > c.From.Level:
		*c = Setting[string]{}
	case c.From.Level > e.From.Level:
		*e = Setting[string]{}
	default:
		return wrong(c.From, "an entry point is given too (%s); there can be only one", e.From)
	}
	if max(e.From.Level, c.From.Level) > s.Args.From.Level {
		s.Args = Setting[[]string]{}
	}
	return nil
}

// environment collects the variables that are set and not empty, by their names. Lists are split at commas.
func environment(env Lookup) map[string]given {
	all := map[string]given{}
	for _, row := range settings() {
		value, ok := "", false
		if env != nil && row.variable != "" {
			value, ok = env(row.variable)
		}
		if !ok || value == "" {
			continue
		}
		values := []string{value}
		if row.kind == texts {
			values = splitCommas(value)
		}
		all[row.variable] = given{[]Origin{{Level: Environment, Name: row.variable}}, values}
	}
	return all
}

func splitCommas(list string) []string {
	var values []string
	for v := range strings.SplitSeq(list, ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// cacheDir is the directory for pexko below the user's caches (XDG base directory specification), "" without a home.
func cacheDir(env Lookup) string {
	if env == nil {
		return ""
	}
	if dir, ok := env("XDG_CACHE_HOME"); ok && strings.HasPrefix(dir, "/") {
		return dir + "/pexko"
	}
	if home, ok := env("HOME"); ok && home != "" {
		return home + "/.cache/pexko"
	}
	return ""
}
