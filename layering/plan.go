package layering

import (
	"cmp"
	"fmt"
	"slices"
)

// Kind says what a unit is, hence where its layer stands. The zero value is a wheel.
type Kind uint8

// The kinds of units. All but wheels have a layer to themselves.
const (
	Wheel     Kind = iota
	Stdlib         // bytecode beside the base's own modules
	Bootstrap      // pex's boot files
	Venv           // links, scripts, dist-info: what the lock alone changes
	App            // what the code changes
)

// Unit is a part of an application that is never divided between layers.
type Unit struct {
	// Name is the distribution's normalised name (PEP 503). It picks the bucket, so that a new version stays where the old one was.
	Name string
	// Key tells units of the same name apart; of a wheel, its fingerprint.
	Key string
	// Size is in bytes, uncompressed, bytecode included.
	Size int64
	// Pure says that a wheel is the same on every platform.
	Pure bool
	Kind Kind
}

// Layer is one layer of the plan.
type Layer struct {
	Kind Kind
	// Name says what the layer holds, for people: "numpy", "pure wheels", "pure wheels 3-4 of 4", "app".
	Name string
	// Units are indices into the units that were planned, in the order of their names. Never empty.
	Units []int
}

const (
	// DefaultBudget is the number of layers beyond the base that Plan uses at most when it is given 0.
	DefaultBudget = 20
	// MinBudget is the least with which the plan holds: one layer of each kind.
	MinBudget = reserved + 1
	// MaxLayers is how many layers an image may have, its base's included; containerd and Docker refuse more.
	MaxLayers = 127

	// Large is the size from which a wheel may have a layer of its own, in bytes of Unit.Size (about 2 MB of compressed wheel).
	Large = 8 << 20
	// Small is the size below which neighbouring buckets share a layer, in the same bytes (about 4 MB of compressed wheels).
	Small = 16 << 20

	reserved = 4 // layers of stdlib, bootstrap, venv and app
)

// Budget returns how many layers the plan may use on a base with that many layers: want (0 is the
// default), less what MaxLayers forbids. It is an error when want or the base leave less than MinBudget.
func Budget(want, baseLayers int) (int, error) {
	if want == 0 {
		want = DefaultBudget
	}
	if want < MinBudget {
		return 0, fmt.Errorf("%d layers are too few: allow at least %d (standard library, bootstrap, wheels, venv and application)", want, MinBudget)
	}
	room := MaxLayers - baseLayers
	if room < MinBudget {
		return 0, fmt.Errorf("the base image has %d layers and an image may have %d: choose or make a base with at most %d", baseLayers, MaxLayers, MaxLayers-MinBudget)
	}
	return min(want, room), nil
}

// Plan divides the units into at most budget layers, lowest first. A budget of 0 is DefaultBudget, one
// below MinBudget is MinBudget. Every unit is in exactly one layer.
func Plan(units []Unit, budget int) []Layer {
	if budget == 0 {
		budget = DefaultBudget
	}
	p := planner{units: units}
	layers := p.kind(Stdlib, "standard library")
	layers = append(layers, p.kind(Bootstrap, "bootstrap")...)
	layers = append(layers, p.wheels(max(budget, MinBudget)-reserved)...)
	layers = append(layers, p.kind(Venv, "venv")...)
	return append(layers, p.kind(App, "app")...)
}

// planner works on indices into the units.
type planner struct{ units []Unit }

// kind returns the one layer of all units of the kind, or none.
func (p planner) kind(k Kind, name string) []Layer {
	all := p.where(func(u Unit) bool { return u.Kind == k })
	if len(all) == 0 {
		return nil
	}
	return []Layer{{Kind: k, Name: name, Units: all}}
}

// where returns the units that satisfy is, in the order of their names.
func (p planner) where(is func(Unit) bool) []int {
	var found []int
	for i, u := range p.units {
		if is(u) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, p.byName)
	return found
}

func (p planner) byName(a, b int) int {
	x, y := p.units[a], p.units[b]
	return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Key, y.Key))
}

func (p planner) bySize(a, b int) int {
	return cmp.Or(cmp.Compare(p.units[b].Size, p.units[a].Size), p.byName(a, b))
}

func (p planner) size(units []int) int64 {
	var n int64
	for _, i := range units {
		n += p.units[i].Size
	}
	return n
}

// wheels plans the wheels on at most the given number of layers, which is at least 1.
func (p planner) wheels(layers int) []Layer {
	all := p.where(func(u Unit) bool { return u.Kind == Wheel })
	if layers == 1 {
		return p.bucket("wheels", all, 1)
	}
	buckets := max(2, layers*3/8)
	platform := max(1, buckets/3)
	large, rest := p.split(all, layers-buckets)
	pure := func(i int) bool { return p.units[i].Pure }
	plan := p.alone(large)
	plan = append(plan, p.bucket("platform wheels", slices.DeleteFunc(slices.Clone(rest), pure), platform)...)
	return append(plan, p.bucket("pure wheels", slices.DeleteFunc(rest, func(i int) bool { return !pure(i) }), buckets-platform)...)
}

// split returns the largest wheels, at most count and none below Large, and the others.
func (p planner) split(all []int, count int) (large, rest []int) {
	ranked := slices.Clone(all)
	slices.SortFunc(ranked, p.bySize)
	for n, i := range ranked {
		if n == count || p.units[i].Size < Large {
			return ranked[:n], ranked[n:]
		}
	}
	return ranked, nil
}

// alone gives each of the wheels a layer: platform wheels first, the largest first of each.
func (p planner) alone(wheels []int) []Layer {
	slices.SortStableFunc(wheels, func(a, b int) int {
		return cmp.Compare(btoi(p.units[a].Pure), btoi(p.units[b].Pure))
	})
	var layers []Layer
	for _, i := range wheels {
		layers = append(layers, Layer{Kind: Wheel, Name: p.units[i].Name, Units: []int{i}})
	}
	return layers
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
