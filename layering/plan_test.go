package layering

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mib = 1 << 20

func wheel(name string, size int64, pure bool) Unit {
	return Unit{Name: name, Key: name + "-1", Size: size, Pure: pure}
}

// render is a plan as text: one line a layer, with the names of its units.
func render(units []Unit, layers []Layer) []string {
	var lines []string
	for _, l := range layers {
		var names []string
		for _, i := range l.Units {
			names = append(names, units[i].Name)
		}
		lines = append(lines, l.Name+": "+strings.Join(names, " "))
	}
	return lines
}

// fixed are the units that every image has.
func fixed() []Unit {
	return []Unit{
		{Name: "app", Kind: App, Size: 10},
		{Name: "venv", Kind: Venv, Size: 10},
		{Name: "bootstrap", Kind: Bootstrap, Size: 10},
		{Name: "stdlib", Kind: Stdlib, Size: 10},
	}
}

func TestPlan(t *testing.T) {
	api := []Unit{
		wheel("fastapi", 2*mib, true), wheel("starlette", mib, true), wheel("pydantic", 5*mib, true),
		wheel("pydantic-core", 5*mib, false), wheel("sqlalchemy", 20*mib, false), wheel("greenlet", mib, false),
	}
	for name, c := range map[string]struct {
		units  []Unit
		budget int
		want   []string
	}{
		"nothing": {},
		"no wheels": {units: fixed(), want: []string{
			"standard library: stdlib", "bootstrap: bootstrap", "venv: venv", "app: app",
		}},
		"a base with bytecode": {units: fixed()[:3], want: []string{"bootstrap: bootstrap", "venv: venv", "app: app"}},
		"a small image": {units: append(fixed(), api...), want: []string{
			"standard library: stdlib", "bootstrap: bootstrap", "sqlalchemy: sqlalchemy",
			"platform wheels: greenlet pydantic-core", "pure wheels: fastapi pydantic starlette", "venv: venv", "app: app",
		}},
		"the least budget": {units: append(fixed(), api...), budget: MinBudget, want: []string{
			"standard library: stdlib", "bootstrap: bootstrap",
			"wheels: fastapi greenlet pydantic pydantic-core sqlalchemy starlette", "venv: venv", "app: app",
		}},
		"a budget below the least": {units: api, budget: -1, want: []string{
			"wheels: fastapi greenlet pydantic pydantic-core sqlalchemy starlette",
		}},
		"two layers for wheels": {units: api, budget: MinBudget + 1, want: []string{
			"platform wheels: greenlet pydantic-core sqlalchemy", "pure wheels: fastapi pydantic starlette",
		}},
		"equal sizes, one place": {budget: MinBudget + 2, units: []Unit{
			wheel("b", Large, true), wheel("c", Large, true), wheel("a", Large, true),
		}, want: []string{"a: a", "pure wheels: b c"}},
		"platform wheels below pure ones, large ones first": {units: []Unit{
			wheel("botocore", 90*mib, true), wheel("numpy", 60*mib, false), wheel("torch", 900*mib, false),
		}, want: []string{"torch: torch", "numpy: numpy", "botocore: botocore"}},
		"a wheel just below Large": {units: []Unit{wheel("a", Large-1, true)}, want: []string{"pure wheels: a"}},
		"buckets merge below Small": {units: []Unit{
			wheel("h11", 4*mib, true), wheel("idna", 4*mib, true), wheel("click", 4*mib, true), wheel("anyio", 4*mib-1, true),
		}, want: []string{"pure wheels: anyio click h11 idna"}},
		"and part from Small on": {units: []Unit{
			wheel("h11", 4*mib, true), wheel("idna", 4*mib, true), wheel("click", 4*mib, true), wheel("anyio", 4*mib, true),
		}, want: []string{"pure wheels 3 of 4: h11", "pure wheels 4 of 4: anyio click idna"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, render(c.units, Plan(c.units, c.budget))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A bucket must not move with a library's or pexko's version: a moved bucket is pushed again by everybody.
func TestSlotsAreForever(t *testing.T) {
	for name, want := range map[string][2]int{"numpy": {1, 3}, "requests": {3, 7}, "click": {3, 7}, "torch": {0, 1}} {
		if got := [2]int{slot(name, 4), slot(name, 8)}; got != want {
			t.Errorf("%s: slots %v, were %v", name, got, want)
		}
	}
}

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		want, base, got int
		err             string
	}{
		{0, 5, DefaultBudget, ""},
		{40, 5, 40, ""},
		{200, 5, 122, ""},
		{20, 120, 7, ""},
		{20, 123, 0, "base image has 123 layers"},
		{4, 1, 0, "at least 5"},
		{-3, 1, 0, "at least 5"},
	} {
		got, err := Budget(c.want, c.base)
		if got != c.got || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("Budget(%d, %d) = %d, %v", c.want, c.base, got, err)
		}
	}
}

// random returns a set of units with the steep sizes of real ones.
func random(r *rand.Rand) []Unit {
	units := fixed()[:r.IntN(5)]
	for n := range r.IntN(150) {
		units = append(units, wheel(fmt.Sprintf("dist-%d", n), int64(1000)<<r.IntN(18), r.IntN(5) > 0))
	}
	return units
}

func TestEveryUnitIsInOneLayerAndTheBudgetIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		units, budget := random(r), r.IntN(60)
		layers := Plan(units, budget)
		limit := max(budget, MinBudget)
		if budget == 0 {
			limit = DefaultBudget
		}
		if len(layers) > limit {
			t.Fatalf("%d layers, budget %d", len(layers), budget)
		}
		seen := make([]int, len(units))
		for _, l := range layers {
			if len(l.Units) == 0 {
				t.Fatalf("layer %q is empty", l.Name)
			}
			for _, i := range l.Units {
				seen[i]++
				if units[i].Kind != l.Kind {
					t.Fatalf("layer %q of kind %d holds %q of kind %d", l.Name, l.Kind, units[i].Name, units[i].Kind)
				}
			}
		}
		if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
			t.Fatalf("units in layers: %v", seen)
		}
	}
}

func TestTheOrderOfUnitsDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		units, budget := random(r), r.IntN(60)
		want := render(units, Plan(units, budget))
		r.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
		if diff := cmp.Diff(want, render(units, Plan(units, budget))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// ranked returns the names of the wheels that have a layer of their own by rank.
func ranked(units []Unit, budget int) map[string]bool {
	names := map[string]bool{}
	for _, l := range Plan(units, budget) {
		if l.Kind == Wheel && !strings.Contains(l.Name, " ") && l.Name != "wheels" {
			names[l.Name] = true
		}
	}
	return names
}

// What a changed set makes new is what holds the changed wheel, what holds a wheel that goes to or from the
// largest in consequence, and of the rest only small buckets that merge or part.
func TestOneChangedWheelMovesOnlyItsOwnLayers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		units, budget := random(r), MinBudget+1+r.IntN(60)
		before := map[string]bool{}
		for _, l := range render(units, Plan(units, budget)) {
			_, members, _ := strings.Cut(l, ": ")
			before[members] = true
		}
		changed, added := units, wheel(fmt.Sprintf("dist-new-%d", r.IntN(1000)), int64(1000)<<r.IntN(18), r.IntN(2) > 0)
		if n := len(units); n > 5 && r.IntN(2) == 0 {
			added, changed = units[n-1], units[:n-1]
		} else {
			changed = append(slices.Clone(units), added)
		}
		touched := map[string]bool{added.Name: true}
		was, is := ranked(units, budget), ranked(changed, budget)
		for n := range was {
			if !is[n] {
				touched[n] = true
			}
		}
		for n := range is {
			if !was[n] {
				touched[n] = true
			}
		}
		if len(touched) > 2 {
			t.Fatalf("%s moved %v", added.Name, touched)
		}
		var moved int64
		for _, l := range Plan(changed, budget) {
			members := strings.SplitN(render(changed, []Layer{l})[0], ": ", 2)[1]
			own := slices.ContainsFunc(l.Units, func(i int) bool { return touched[changed[i].Name] })
			left := left(units, changed, touched, members, before)
			if !before[members] && !own && !left {
				moved += planner{changed}.size(l.Units)
			}
		}
		if moved >= int64(len(touched))*Small {
			t.Fatalf("%s of %d bytes moved %d bytes of others", added.Name, added.Size, moved)
		}
	}
}

// left reports whether the layer is one of before that a touched wheel has left.
func left(units, changed []Unit, touched map[string]bool, members string, before map[string]bool) bool {
	for name := range touched {
		names := append(strings.Fields(members), name)
		slices.Sort(names)
		if before[strings.Join(names, " ")] {
			return true
		}
	}
	return false
}

func ExamplePlan() {
	units := []Unit{
		{Name: "app", Kind: App, Size: 4 << 10},
		{Name: "venv", Kind: Venv, Size: 90 << 10},
		{Name: "numpy", Size: 60 << 20},
		{Name: "requests", Size: 400 << 10, Pure: true},
		{Name: "certifi", Size: 300 << 10, Pure: true},
	}
	for _, l := range Plan(units, DefaultBudget) {
		fmt.Println(l.Name, l.Units)
	}
	// Output:
	// numpy [2]
	// pure wheels [4 3]
	// venv [1]
	// app [0]
}
