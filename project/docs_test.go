package project

import (
	"os"
	"strings"
	"testing"
)

// TestConfigurationIsDocumented keeps docs/configuration.md complete: each key, flag, variable and default in one row
// of a table, and the rules for files word by word.
func TestConfigurationIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var tables [][]string
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			tables = append(tables, cells)
		}
	}
	for _, row := range settings() {
		if !documented(tables, row) {
			t.Errorf("no row for %q, %q, %q with default %v", row.key, row.flag, row.variable, row.standard)
		}
	}
	for _, rule := range append(append(ownRules(), secretRules()...), append(versionControl(), foreign()...)...) {
		if !strings.Contains(string(text), strings.TrimPrefix(rule, "!")) {
			t.Errorf("rule %s is not there", rule)
		}
	}
}

func documented(tables [][]string, row setting) bool {
	for _, cells := range tables {
		line := strings.Join(cells[:len(cells)-2], "|")
		has := func(word string) bool {
			return word == "" || strings.Contains(line, "`"+word+"`") || strings.Contains(line, "`"+word+" ")
		}
		standard := ""
		if len(row.standard) == 1 {
			standard = row.standard[0]
		}
		if has(row.key) && has(row.flag) && has(row.variable) && has(standard) {
			return true
		}
	}
	return false
}
