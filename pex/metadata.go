package pex

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// maxMetadata bounds METADATA and .layout.json in bytes; a METADATA holds the README of its project.
const maxMetadata = 16 << 20

// metadata is what the activation of a distribution depends on.
type metadata struct {
	Name, Version  string
	RequiresPython pep.Specifiers
	RequiresDist   []pep.Requirement
}

// readMetadata finds METADATA in a chroot: beside the RECORD that .layout.json names, or in its only .dist-info.
func readMetadata(chroot tree.Tree) (metadata, error) {
	var layout struct {
		Record string `json:"record_relpath"`
	}
	if text, err := readEntry(chroot, ".layout.json", maxMetadata); err == nil {
		if err := json.Unmarshal(text, &layout); err != nil {
			return metadata{}, fmt.Errorf(".layout.json: %w", err)
		}
	}
	for _, e := range chroot {
		dir, file := path.Split(e.Path)
		info := strings.TrimSuffix(dir, "/")
		if file != "METADATA" || strings.Contains(info, "/") || !strings.HasSuffix(info, ".dist-info") {
			continue
		}
		if layout.Record == "" || path.Dir(layout.Record) == info {
			text, err := e.Read(maxMetadata)
			if err != nil {
				return metadata{}, err
			}
			return parseMetadata(text)
		}
	}
	return metadata{}, errors.New("no METADATA in it")
}

func parseMetadata(text []byte) (metadata, error) {
	parsed, err := wheel.ParseMetadata(text)
	if err != nil {
		return metadata{}, fmt.Errorf("METADATA: %w", err)
	}
	m := metadata{Name: parsed.Name, Version: parsed.Version}
	if m.RequiresPython, err = pep.ParseSpecifiers(parsed.RequiresPython); err != nil {
		return metadata{}, fmt.Errorf("METADATA: Requires-Python: %w", err)
	}
	if m.RequiresDist, err = requirements(parsed.RequiresDist); err != nil {
		return metadata{}, fmt.Errorf("METADATA: Requires-Dist: %w", err)
	}
	return m, nil
}
