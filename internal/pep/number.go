package pep

import "strings"

// number is a non-negative integer of any length in decimal without leading zeros. Versions hold dates, commit
// counts and hashes, and Python's integers know no limit.
type number string

func newNumber(digits string) number {
	if n := strings.TrimLeft(digits, "0"); n != "" {
		return number(n)
	}
	return "0"
}

func (n number) compare(m number) int {
	if len(n) != len(m) {
		return len(n) - len(m)
	}
	return strings.Compare(string(n), string(m))
}
