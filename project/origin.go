package project

import "fmt"

// Level is the kind of place where a setting was set. A higher level wins over a lower one.
type Level uint8

// The levels, weakest first.
const (
	Default Level = iota
	File
	Environment
	Flag
)

// Origin is the place where a setting was set.
type Origin struct {
	Level Level
	// Name is the flag ("--base") or variable ("PEXKO_BASE"); "" for a file or a default.
	Name string
	// File is the path of the file as the user would write it, Row and Column count lines and letters from
	// one, and Key is the key in it ("tool.pexko.base"). Row is 0 where only the file is known.
	File        string
	Row, Column int
	Key         string
}

// String names the place as compilers do, so that terminals and editors can jump to it.
func (o Origin) String() string {
	switch {
	case o.Level != File && o.Name != "":
		return o.Name
	case o.Level != File:
		return "default"
	}
	place := o.File
	if o.Row > 0 {
		place = fmt.Sprintf("%s:%d:%d", o.File, o.Row, o.Column)
	}
	if o.Key != "" {
		place += ": " + o.Key
	}
	return place
}

// Setting is a value and the place where it was set.
type Setting[T any] struct {
	Value T
	From  Origin
}

// Set reports whether anyone set it; a default counts as not set.
func (s Setting[T]) Set() bool { return s.From.Level != Default }
