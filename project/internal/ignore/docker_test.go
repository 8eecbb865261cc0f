package ignore

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestAgainstMoby compares with what github.com/moby/patternmatcher 0.6.1 (ignorefile.ReadAll, then
// MatchesOrParentMatches) said about each path; bit i of "out" is path i, "error" a refused list.
func TestAgainstMoby(t *testing.T) {
	text, err := os.ReadFile("testdata/dockerignore.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		List  string   `json:"list"`
		Paths []string `json:"paths"`
		Out   string   `json:"out"`
		Error bool     `json:"error"`
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 300 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		d, err := ParseDocker([]byte(c.List))
		if (err != nil) != c.Error {
			t.Errorf("%q: error %v, moby: %v", c.List, err, c.Error)
			continue
		}
		for i, path := range c.Paths {
			if err == nil && d.Out(path) != (c.Out[i] == '1') {
				t.Errorf("%q on %q: %v, moby: %c", c.List, path, d.Out(path), c.Out[i])
			}
		}
	}
}

func TestDockerErrorNamesTheLine(t *testing.T) {
	for list, want := range map[string]string{"a\n\n[x": `line 3: pattern "[x"`, "# c\n!": `line 2: pattern "!"`} {
		_, err := ParseDocker([]byte(list))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func FuzzDocker(f *testing.F) {
	f.Add("*\n!src/**\n**/x?", "src/a")
	f.Add("**[a", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		d, err := ParseDocker([]byte(text))
		if err != nil || strings.HasPrefix(name, "/") {
			return
		}
		if !d.Reaches() && d.Out("a") && !d.Out("a/b") {
			t.Errorf("%q: leaves out a but not a/b", text)
		}
		d.Out("x/" + name)
	})
}
