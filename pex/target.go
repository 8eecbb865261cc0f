package pex

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pexko/pexko/wheel"
)

// Target is where the PEX is to run, as plain data: the base image knows it, pex is told.
type Target struct {
	// Key names the target in caches: equal keys mean equal markers and tags.
	Key string
	// Platform is the image's, "linux/arm64", and Python the interpreter's version, "3.13.5"; both for messages.
	Platform, Python string
	// CompletePlatform is the JSON that pex takes for --complete-platform: marker_environment (PEP 508) and
	// compatible_tags (PEP 425, best first).
	CompletePlatform []byte
}

// String is how messages name it: "linux/arm64 with Python 3.13.5".
func (t Target) String() string { return t.Platform + " with Python " + t.Python }

// platform is CompletePlatform, read.
type platform struct {
	target  Target
	markers map[string]string
	tags    wheel.TagSet
}

func (t Target) read() (platform, error) {
	var j struct {
		Markers map[string]string `json:"marker_environment"`
		Tags    []string          `json:"compatible_tags"`
	}
	if err := json.Unmarshal(t.CompletePlatform, &j); err != nil {
		return platform{}, fmt.Errorf("complete platform of %s: %w", t, err)
	}
	var tags []wheel.Tag
	for _, text := range j.Tags {
		parsed, err := wheel.ParseTags(text)
		if err != nil {
			return platform{}, fmt.Errorf("complete platform of %s: %w", t, err)
		}
		tags = append(tags, parsed...)
	}
	if len(tags) == 0 || len(j.Markers) == 0 {
		return platform{}, fmt.Errorf("complete platform of %s: no tags or no markers", t)
	}
	return platform{target: t, markers: j.Markers, tags: wheel.NewTagSet(tags)}, nil
}

// bestTags are the first tags, for messages.
func (p platform) bestTags(n int) string {
	var names []string
	for _, tag := range p.tags.Tags()[:min(n, len(p.tags.Tags()))] {
		names = append(names, tag.String())
	}
	return strings.Join(names, ", ")
}
