package wheel

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/pep"
)

// answers is what testdata/generate.py writes. A list of one text and null is a text that Python refuses.
type answers struct{ Names, Tags, Rows, Messages [][]any }

func readAnswers(t *testing.T) answers {
	text, err := os.ReadFile("testdata/python.json")
	if err != nil {
		t.Fatal(err)
	}
	var a answers
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func tagStrings(tags []Tag) []any {
	set := map[string]bool{}
	for _, tag := range tags {
		set[tag.String()] = true
	}
	var all []string
	for tag := range set {
		all = append(all, tag)
	}
	slices.Sort(all)
	sorted := make([]any, len(all))
	for i, tag := range all {
		sorted[i] = tag
	}
	return sorted
}

func TestNamesAsPackagingReadsThem(t *testing.T) {
	for _, row := range readAnswers(t).Names {
		file := row[0].(string)
		if strings.Contains(file, "é") {
			continue // packaging's pattern admits letters beyond ASCII; no distribution's name holds one
		}
		n, err := ParseName(file)
		got := []any{file, nil}
		if err == nil {
			number, rest := splitBuild(n.Build)
			got = []any{file, n.Normalized(), normalVersion(n.Version), number + rest, tagStrings(n.Tags)}
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Errorf("%s: %v (-packaging +ours):\n%s", file, err, diff)
		}
		if err == nil && n.File != file {
			t.Errorf("File is %q", n.File)
		}
	}
}

func normalVersion(text string) string {
	v, err := pep.ParseVersion(text)
	if err != nil {
		return err.Error()
	}
	return v.String()
}

func TestTagsAsPackagingReadsThem(t *testing.T) {
	for _, row := range readAnswers(t).Tags {
		tags, err := ParseTags(row[0].(string))
		got := []any{row[0], nil}
		if err == nil {
			got[1] = tagStrings(tags)
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Errorf("%q: %v (-packaging +ours):\n%s", row[0], err, diff)
		}
	}
}

func TestRowsAsCSVReadsThem(t *testing.T) {
	for _, row := range readAnswers(t).Rows {
		record, err := ParseRecord([]byte(row[0].(string)))
		got := []any{row[0], nil}
		if err == nil && len(record.Rows) == 1 {
			r := record.Rows[0]
			got = []any{row[0], r.Path, r.Hash, float64(r.Size)}
		}
		if diff := cmp.Diff(row, got); diff != "" {
			t.Errorf("%q: %v (-csv +ours):\n%s", row[0], err, diff)
		}
	}
}

func TestHeadersAsEmailReadsThem(t *testing.T) {
	for _, row := range readAnswers(t).Messages {
		got := map[string]any{}
		for _, field := range parseHeaders([]byte(row[0].(string))) {
			for _, name := range []string{"Name", "Version", "Requires-Dist", "Provides-Extra", "Summary", "X-Y"} {
				if strings.EqualFold(field.name, name) {
					values, _ := got[name].([]any)
					got[name] = append(values, field.value)
				}
			}
		}
		if diff := cmp.Diff(row[1], any(got)); diff != "" {
			t.Errorf("%q (-email +ours):\n%s", row[0], diff)
		}
	}
}
