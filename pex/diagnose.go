package pex

import (
	"errors"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/wheel"
)

// What pex and pip say when they cannot bring a wheel. Each is read for the name alone, where there is no lock
// that knows better; the text itself goes into the error. (pex: resolver.py:845; pip: exceptions.py,
// index/package_finder.py.)
var (
	foreign     = regexp.MustCompile(`No pre-built wheel was available for (\S+) (\S+?)\.?$`)
	fromSdist   = regexp.MustCompile(`from the sdist (\S+) but`)
	noMatch     = regexp.MustCompile(`No matching distribution found for ([A-Za-z0-9][\w.-]*)\s*(\[[^]]*\])?\s*(?:===?\s*([^\s,;(]+))?`)
	failedBuild = regexp.MustCompile(`Failed to build '?([A-Za-z0-9][\w.-]*)`)
	skipped     = regexp.MustCompile(`(?:Skipping link: none of the wheel's tags|Link requires a different Python \(\S+ not in: '([^']*)'\)).*?: (\S+)`)
)

// diagnose makes of a failed pex3 wheel what it means to the user.
func (c *collection) diagnose(err error) error {
	var failed *ProcessError
	if !errors.As(err, &failed) {
		return err
	}
	said := failed.Output
	for _, meaning := range []func([]string) error{c.foreignSdist, c.missingInLock} {
		if found := meaning(said); found != nil {
			return found
		}
	}
	by := "the lock"
	if c.r.Lock != nil {
		by = filepath.Base(c.r.Lock.Path)
	}
	if explained := c.tool.explain(c.python, err, c.log(), by); explained != err { //nolint:errorlint // the very error or another
		return explained
	}
	for _, meaning := range []func([]string) error{c.missingOnIndex, c.failedBuild} {
		if found := meaning(said); found != nil {
			return found
		}
	}
	return err
}

// fileOf is the file name that a URL ends in.
func fileOf(link string) string {
	link, _, _ = strings.Cut(link, "#")
	link, _, _ = strings.Cut(link, "?")
	name := path.Base(strings.TrimRight(link, ":"))
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return name
}

// foreignSdist is an sdist whose wheel, built here, does not run on the target.
func (c *collection) foreignSdist(said []string) error {
	all := strings.Join(said, " ")
	for _, line := range said {
		m := foreign.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		e := c.missing(m[1], m[2], line)
		if s := fromSdist.FindStringSubmatch(all); s != nil {
			e.Sdist = s[1]
		}
		return e
	}
	return nil
}

func (c *collection) missing(name, version, detail string) *MissingWheelError {
	e := &MissingWheelError{
		Distribution: name, Version: version, Target: c.r.Target, Detail: detail, tags: c.target.bestTags(2),
	}
	if c.r.Lock != nil {
		e.Exist = c.r.Lock.Wheels(name)
	}
	if len(e.Exist) == 0 {
		e.Exist = offered(c.log(), name, version)
	}
	return e
}

// missingInLock finds the packages of the lock that have wheels, none of them for the target, and that pex
// complains about. Those that it does not mention are not wanted there: pywin32, say.
func (c *collection) missingInLock(said []string) error {
	if c.r.Lock == nil {
		return nil
	}
	mentioned := words(said)
	for _, p := range c.r.Lock.Packages {
		files := c.r.Lock.Wheels(p.Name)
		if len(files) == 0 || !mentioned[pep.Normalize(p.Name)] || slices.ContainsFunc(files, c.runs) {
			continue
		}
		e := c.missing(p.Name, p.Version, strings.Join(said, "\n"))
		e.Sdist = sdistOf(p)
		return e
	}
	return nil
}

func (c *collection) runs(file string) bool {
	name, err := wheel.ParseName(file)
	if err != nil {
		return false
	}
	_, ok := c.target.tags.Rank(name)
	return ok
}

var word = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]|[A-Za-z0-9]`)

// words are the normalised words of a text that may be names.
func words(lines []string) map[string]bool {
	found := map[string]bool{}
	for _, line := range lines {
		for _, w := range word.FindAllString(line, -1) {
			found[pep.Normalize(w)] = true
		}
	}
	return found
}

// missingOnIndex is what pip says when nothing fits; its log says what it passed over.
func (c *collection) missingOnIndex(said []string) error {
	for _, line := range said {
		if m := noMatch.FindStringSubmatch(line); m != nil {
			return c.missing(m[1], m[3], strings.Join(complaints(said), "\n"))
		}
	}
	return nil
}

// complaints are pip's errors, without the command line that pex puts before them.
func complaints(said []string) []string {
	var all []string
	for _, line := range said {
		if strings.Contains(line, "ERROR:") {
			all = append(all, plain(line))
		}
	}
	return all
}

// failedBuild is an sdist that could not be built at all.
func (c *collection) failedBuild(said []string) error {
	for _, line := range said {
		if m := failedBuild.FindStringSubmatch(line); m != nil {
			return &SdistError{Distribution: m[1], Target: c.r.Target, Python: c.python, Output: said}
		}
	}
	return nil
}

// offered reads from pip's log which wheels of a version it saw and passed over, for their tags or their
// Requires-Python.
func offered(log, name, version string) []string {
	var found []string
	eachLine(log, func(line string) {
		m := skipped.FindStringSubmatch(line)
		if m == nil {
			return
		}
		parsed, err := wheel.ParseName(fileOf(m[2]))
		if err != nil || parsed.Normalized() != pep.Normalize(name) || version != "" && newerFirst(parsed.Version, version) != 0 {
			return
		}
		line = parsed.File
		if m[1] != "" {
			line += " (for Python " + m[1] + ")"
		}
		found = append(found, line)
	})
	slices.Sort(found)
	return slices.Compact(found)
}
