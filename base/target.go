package base

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/wheel"
)

// Target is what wheels are chosen for: a platform with a Python on it.
type Target struct {
	Platform v1.Platform
	// Python is X.Y.Z, with "rc1" and the like for prereleases.
	Python string
	// Markers is the PEP 508 environment without platform_release and platform_version, which are the kernel's.
	Markers map[string]string
	// Tags are the PEP 425 tags that run there, best first, in pex's order.
	Tags []wheel.Tag
}

// CompletePlatform is the JSON that pex takes as --complete-platform.
func (t Target) CompletePlatform() ([]byte, error) {
	tags := make([]string, len(t.Tags))
	for i, tag := range t.Tags {
		tags[i] = tag.String()
	}
	return json.Marshal(struct {
		Markers map[string]string `json:"marker_environment"`
		Tags    []string          `json:"compatible_tags"`
	}{t.Markers, tags})
}

// Key names the target in caches: the same for the same markers and tags, and fit for a file name.
func (t Target) Key() string {
	h := sha256.New()
	b, err := t.CompletePlatform()
	if err != nil { // strings alone cannot fail to be encoded
		panic(err)
	}
	h.Write(b)
	return fmt.Sprintf("cp%s-%s-%x", t.Python, t.Markers["platform_machine"], h.Sum(nil)[:8])
}

func newTarget(platform v1.Platform, m machine, p Python, l Libc) Target {
	return Target{Platform: platform, Python: p.Version, Markers: markers(m, p), Tags: tags(p, platformTags(m, l))}
}

// markers is what packaging's default_environment returns there. implementation_version spells a
// prerelease in another way than python_full_version does: 3.14.0c1 and 3.14.0rc1.
func markers(m machine, p Python) map[string]string {
	full := p.Version
	if p.Local {
		full += "+" // platform.python_version(); packaging reads it as a local version
	}
	return map[string]string{
		"implementation_name":            "cpython",
		"implementation_version":         strings.Replace(p.Version, "rc", "c", 1),
		"os_name":                        "posix",
		"platform_machine":               m.uname,
		"platform_python_implementation": "CPython",
		"platform_system":                "Linux",
		"python_full_version":            full,
		"python_version":                 p.minorVersion(),
		"sys_platform":                   "linux",
	}
}
