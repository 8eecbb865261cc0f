package pexko

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/image"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/layering"
	"github.com/pexko/pexko/warm"
)

// layer is one layer of the plan, packed.
type layer struct {
	*image.Layer
	name     string
	contents []string
}

// pack plans the layers of a warm tree and writes each into the store.
func (b *build) pack(ctx context.Context, v *base.Variant, t *warm.Tree) ([]layer, error) {
	budget, err := layering.Budget(b.settings.MaxLayers.Value, len(v.Config.RootFS.DiffIDs))
	if err != nil {
		return nil, err
	}
	compression, err := image.ParseCompression(b.settings.Compression.Value)
	if err != nil {
		return nil, err
	}
	units := filled(t.Units)
	plan := layering.Plan(planned(units), budget)
	layers := make([]layer, len(plan))
	err = b.each(ctx, len(plan), func(ctx context.Context, i int) error {
		l := layer{name: plan[i].Name}
		var files tree.Tree
		var keys []string
		for _, u := range plan[i].Units {
			files = append(files, units[u].Tree...)
			keys = append(keys, units[u].Key)
			if units[u].Kind == warm.Wheel {
				l.contents = append(l.contents, units[u].Name+" "+units[u].Version)
			}
		}
		parent := parentIn(v)
		packed, err := image.WriteLayer(ctx, b.store, files, image.LayerOptions{
			Compression: compression, CreatedBy: createdBy(l), Parent: parent, Key: layerKey(keys, files, parent),
		})
		l.Layer, layers[i] = packed, l
		if err != nil {
			return fmt.Errorf("layer %s: %w", l.name, err)
		}
		layers[i] = l
		return nil
	})
	return layers, err
}

// filled leaves out units without entries: a base with all its bytecode, say.
func filled(units []warm.Unit) []warm.Unit {
	var all []warm.Unit
	for _, u := range units {
		if len(u.Tree) > 0 {
			all = append(all, u)
		}
	}
	return all
}

// planned is what the plan may know of the units.
func planned(units []warm.Unit) []layering.Unit {
	kinds := map[warm.Kind]layering.Kind{
		warm.Stdlib: layering.Stdlib, warm.Bootstrap: layering.Bootstrap, warm.Wheel: layering.Wheel,
		warm.Venv: layering.Venv, warm.Application: layering.App,
	}
	all := make([]layering.Unit, len(units))
	for i, u := range units {
		all[i] = layering.Unit{Name: u.Name, Key: u.Key, Size: u.Tree.Size(), Pure: u.Pure, Kind: kinds[u.Kind]}
	}
	return all
}

// createdBy is the layer's line in the history; long lists are cut.
func createdBy(l layer) string {
	line := "pexko: " + l.name
	if len(l.contents) == 1 {
		return "pexko: " + l.contents[0]
	}
	if len(l.contents) > 0 {
		line += ": " + strings.Join(l.contents, ", ")
	}
	if len(line) > 300 {
		line = line[:297] + "..."
	}
	return line
}

// parentIn gives directories that a layer must name the mode and owner that they have in the base.
func parentIn(v *base.Variant) func(string) tree.Entry {
	return func(path string) tree.Entry {
		if e, ok := v.FS.Stat(path); ok {
			return e
		}
		return tree.NewDir(path)
	}
}

// layerKey names the content of a layer: its units and the directories above them, as the base has them.
func layerKey(units []string, files tree.Tree, parent func(string) tree.Entry) string {
	h := sha256.New()
	io.WriteString(h, strings.Join(units, "\n"))
	files.WithParents(func(path string) tree.Entry {
		e := parent(path)
		fmt.Fprintf(h, "\n%s %d %o %d %d", e.Path, e.Kind, e.Mode, e.UID, e.GID)
		return e
	})
	return hex.EncodeToString(h.Sum(nil))
}
