package ui

import (
	"errors"
	"fmt"
	"strings"
)

type colour string

const (
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
	dim    colour = "\x1b[2m"
)

func (c *Console) paint(with colour, text string) string {
	if !c.o.Colour {
		return text
	}
	return string(with) + text + "\x1b[0m"
}

// hinter is an error that knows what the user can do about it.
type hinter interface{ Hint() string }

// Error prints err and the hints that it and the errors below it carry. Call it after Close.
func (c *Console) Error(err error) {
	fmt.Fprintln(c.o.Out, c.paint(red, "error: ")+err.Error())
	for _, hint := range hints(err) {
		for line := range strings.SplitSeq(hint, "\n") {
			fmt.Fprintln(c.o.Out, c.paint(dim, "hint: ")+line)
		}
	}
}

// hints collects the hints of err's tree, outermost first, each once.
func hints(err error) []string {
	var all []string
	seen := map[string]bool{}
	var walk func(error)
	walk = func(err error) {
		if h, ok := err.(hinter); ok && h.Hint() != "" && !seen[h.Hint()] {
			seen[h.Hint()] = true
			all = append(all, h.Hint())
		}
		switch e := err.(type) {
		case interface{ Unwrap() []error }:
			for _, below := range e.Unwrap() {
				walk(below)
			}
		default:
			if below := errors.Unwrap(err); below != nil {
				walk(below)
			}
		}
	}
	walk(err)
	return all
}
