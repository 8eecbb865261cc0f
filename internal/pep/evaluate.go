package pep

import (
	"fmt"
	"slices"
	"strings"
)

// Evaluate reports whether the marker holds in env, the values of PEP 508's variables: "python_full_version",
// "sys_platform" and so on; "extra" counts as "" when it is not there. An unknown variable is an error if the
// answer depends on it.
func (m Marker) Evaluate(env map[string]string) (bool, error) {
	return m.evaluate(values{env: env, extra: Normalize(env["extra"]), hasExtra: true})
}

// EvaluateLock is Evaluate for the markers of a lock file (PEP 751), where extras and groups are what was asked
// for: "'dev' in dependency_groups".
func (m Marker) EvaluateLock(env map[string]string, extras, groups []string) (bool, error) {
	return m.evaluate(values{env: env, sets: map[string][]string{
		"extras": normalizeAll(extras), "dependency_groups": normalizeAll(groups),
	}})
}

func normalizeAll(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = Normalize(name)
	}
	return all
}

func (m Marker) evaluate(v values) (bool, error) {
	if m.root == nil {
		return true, nil
	}
	t, err := m.root.evaluate(v)
	if t == unknown {
		return false, fmt.Errorf("marker %q: %w", m, err)
	}
	return t == yes, nil
}

// values is what a marker can see.
type values struct {
	env      map[string]string
	extra    string
	hasExtra bool
	sets     map[string][]string
}

func (v values) lookup(name string) (string, bool) {
	if name == "extra" {
		return v.extra, v.hasExtra
	}
	value, ok := v.env[name]
	// A Python built from a checkout calls itself "3.14.0a1+", which packaging repairs in the same way.
	if ok && name == "python_full_version" && strings.HasSuffix(value, "+") {
		value += "local"
	}
	return value, ok
}

// truth is three-valued: what an unknown variable cannot change is known all the same.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// evaluate gives the greatest of the alternatives, each the least of its nodes. The error says why the answer
// is unknown; it carries no meaning otherwise.
func (g *group) evaluate(v values) (truth, error) {
	result, reason := no, error(nil)
	for _, nodes := range g.alternatives {
		all, why := yes, error(nil)
		for _, n := range nodes {
			if t, err := n.evaluate(v); t < all {
				all, why = t, err
			}
		}
		if all > result {
			result, reason = all, why
		}
	}
	return result, reason
}

// evaluate compares. As in packaging, the variable alone decides how: the left one if both sides are variables,
// and then the right side counts as the string of its name.
func (c *comparison) evaluate(v values) (truth, error) {
	variable, left, right := c.right.text, c.left.text, c.right.text
	if c.left.variable {
		variable = c.left.text
	}
	if variable == "extras" || variable == "dependency_groups" {
		return c.member(v, variable)
	}
	value, ok := v.lookup(variable)
	if !ok {
		return unknown, fmt.Errorf("%s is not known for this target", variable)
	}
	if c.left.variable {
		left = value
	} else {
		right = value
	}
	return compare(variable, left, c.operator, right)
}

// member answers "'name' in extras".
func (c *comparison) member(v values, set string) (truth, error) {
	members, ok := v.sets[set]
	switch {
	case !ok:
		return unknown, fmt.Errorf("%s is for lock files alone", set)
	case c.left.variable:
		return unknown, fmt.Errorf("%s is a set and stands on the right of 'in' and 'not in' alone", set)
	case c.operator == "in":
		return truthOf(slices.Contains(members, c.left.text)), nil
	case c.operator == "not in":
		return truthOf(!slices.Contains(members, c.left.text)), nil
	}
	return unknown, fmt.Errorf("%s is a set and cannot be compared by %s", set, c.operator)
}

// compare is by version for the variables that hold one, if the right side makes a specifier; else by text, where
// an order does not exist: "<" and ">" never hold, "<=" and ">=" mean equality.
func compare(variable, left, operator, right string) (truth, error) {
	switch variable {
	case "implementation_version", "platform_release", "python_full_version", "python_version":
		if s, err := ParseSpecifier(operator + right); err == nil {
			return truthOf(s.Contains(left)), nil
		}
	}
	switch operator {
	case "==", "<=", ">=":
		return truthOf(left == right), nil
	case "!=":
		return truthOf(left != right), nil
	case "<", ">":
		return no, nil
	case "in":
		return truthOf(strings.Contains(right, left)), nil
	case "not in":
		return truthOf(!strings.Contains(right, left)), nil
	}
	return unknown, fmt.Errorf("%s has no meaning between %q and %q", operator, left, right)
}
