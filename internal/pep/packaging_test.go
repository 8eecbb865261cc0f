package pep

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answers is what testdata/generate.py writes: packaging's view of the same texts. A list of one text and null
// is a text that packaging refuses.
type answers struct {
	Packaging    string
	Names        [][2]string
	Versions     [][]any
	Order        [][]string
	Probes       []string
	Specifiers   [][]any
	Requirements [][]any
	Environments []map[string]string
	Markers      [][]any
	Active       [][2][]string
	LockMarkers  [][]any `json:"lock_markers"`
}

func TestAnswersOfPackaging(t *testing.T) {
	text, err := os.ReadFile("testdata/packaging.json")
	if err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, text)
}

func checkAnswers(t *testing.T, text []byte) {
	var want answers
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	t.Run("names", want.checkNames)
	t.Run("versions", want.checkVersions)
	t.Run("order", want.checkOrder)
	t.Run("specifiers", want.checkSpecifiers)
	t.Run("requirements", want.checkRequirements)
	t.Run("markers", want.checkMarkers)
	t.Run("lock markers", want.checkLockMarkers)
}

func (a answers) checkNames(t *testing.T) {
	for _, row := range a.Names {
		if got := Normalize(row[0]); got != row[1] {
			t.Errorf("%q: %q, packaging %q", row[0], got, row[1])
		}
	}
}

func (a answers) checkVersions(t *testing.T) {
	for _, row := range a.Versions {
		v, err := ParseVersion(row[0].(string))
		got := []any{row[0], nil}
		if err == nil {
			got = []any{row[0], v.String(), v.Public(), v.Local(), v.IsPrerelease()}
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Errorf("%q (-packaging +ours):\n%s", row[0], diff)
		}
	}
}

func (a answers) checkOrder(t *testing.T) {
	var all []string
	for _, equal := range a.Order {
		all = append(all, equal...)
	}
	slices.Sort(all) // so that the order below is Compare's own
	slices.SortStableFunc(all, func(x, y string) int { return must(ParseVersion(x)).Compare(must(ParseVersion(y))) })
	var got [][]string
	for _, text := range all {
		last := len(got) - 1
		if last >= 0 && must(ParseVersion(got[last][0])).Compare(must(ParseVersion(text))) == 0 {
			got[last] = append(got[last], text)
			continue
		}
		got = append(got, []string{text})
	}
	if diff := cmp.Diff(a.Order, got); diff != "" {
		t.Errorf("(-packaging +ours):\n%s", diff)
	}
}

func must(v Version, err error) Version {
	if err != nil {
		panic(err)
	}
	return v
}

func (a answers) checkSpecifiers(t *testing.T) {
	for _, row := range a.Specifiers {
		set, err := ParseSpecifiers(row[0].(string))
		if err != nil || row[1] == nil {
			if err == nil || row[1] != nil {
				t.Errorf("%q: %v, packaging %v", row[0], err, row[1])
			}
			continue
		}
		if set.String() != row[1] {
			t.Errorf("%q: %q, packaging %q", row[0], set, row[1])
		}
		for i, prereleases := range []bool{true, false} {
			for j, probe := range a.Probes {
				if got := set.Contains(probe, prereleases); got != (row[2+i].(string)[j] == '1') {
					t.Errorf("%q contains %q with prereleases=%v: %v", row[0], probe, prereleases, got)
				}
			}
		}
		if row[4] != true {
			t.Errorf("%q: packaging treats prereleases=None and True apart, which Contains rules out", row[0])
		}
	}
}

func (a answers) checkRequirements(t *testing.T) {
	for _, row := range a.Requirements {
		r, err := ParseRequirement(row[0].(string))
		got := []any{row[0], nil}
		if err == nil {
			extras := []any{}
			for _, extra := range r.Extras {
				extras = append(extras, extra)
			}
			got = []any{row[0], r.String(), r.Name, extras, r.Specifiers.String(), r.URL, r.Marker.String()}
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Errorf("%q: %v (-packaging +ours):\n%s", row[0], err, diff)
		}
	}
}

func (a answers) checkMarkers(t *testing.T) {
	for _, row := range a.Markers {
		m, ok := a.checkMarker(t, row)
		for i, env := range a.Environments {
			if ok {
				got, err := m.Evaluate(env)
				checkAnswer(t, row, i, got, err)
			}
		}
	}
}

func (a answers) checkLockMarkers(t *testing.T) {
	for _, row := range a.LockMarkers {
		m, ok := a.checkMarker(t, row)
		for i, env := range a.Environments {
			for j, active := range a.Active {
				if ok {
					got, err := m.EvaluateLock(env, active[0], active[1])
					checkAnswer(t, row, i*len(a.Active)+j, got, err)
				}
			}
		}
	}
}

func (a answers) checkMarker(t *testing.T, row []any) (Marker, bool) {
	m, err := ParseMarker(row[0].(string))
	switch {
	case err != nil && row[1] != nil, err == nil && row[1] == nil:
		t.Errorf("%q: %v, packaging %v", row[0], err, row[1])
	case err == nil && m.String() != row[1]:
		t.Errorf("%q: %q, packaging %q", row[0], m, row[1])
	}
	return m, err == nil && row[1] != nil
}

// checkAnswer compares one answer with packaging's. Where packaging finds an error anywhere, ours may be an
// answer that the faulty part cannot change.
func checkAnswer(t *testing.T, row []any, i int, got bool, err error) {
	want := row[2].(string)[i]
	switch {
	case want == 'e':
		if err == nil && !strings.Contains(row[0].(string), " and ") && !strings.Contains(row[0].(string), " or ") {
			t.Errorf("%q in environment %d: %v, packaging an error", row[0], i, got)
		}
	case err != nil || got != (want == '1'):
		t.Errorf("%q in environment %d: %v, %v, packaging %c", row[0], i, got, err, want)
	}
}
