package project

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// check turns a value into its normal form or says what is wrong with it, without naming the place.
type check func(string) (string, error)

func storeText(field func(*Settings) *Setting[string], c check) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		value, err := c(g.value[0])
		if err != nil {
			return place(g.origin(0), err)
		}
		*field(s) = Setting[string]{value, g.origin(0)}
		return nil
	}
}

func storeTexts(field func(*Settings) *Setting[[]string], c check) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		var values []string
		var errs []error
		for i, raw := range g.value {
			value, err := c(raw)
			if err != nil {
				errs = append(errs, place(g.origin(i), err))
			}
			values = append(values, value)
		}
		*field(s) = Setting[[]string]{values, g.origin(0)}
		return errors.Join(errs...)
	}
}

// storeSet is storeTexts for lists in which a second mention says nothing.
func storeSet(field func(*Settings) *Setting[[]string], c check) func(*Settings, given) error {
	list := storeTexts(field, c)
	return func(s *Settings, g given) error {
		err := list(s, g)
		var once []string
		for _, v := range field(s).Value {
			once = appendNew(once, v)
		}
		field(s).Value = once
		return err
	}
}

func storeTable(field func(*Settings) map[string]Setting[string], name, value check) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		var errs []error
		for i, line := range g.value {
			k, v, ok := strings.Cut(line, "=")
			if !ok {
				errs = append(errs, wrong(g.origin(i), "%q has no value", line).fix("write NAME=value; values are never taken from this machine's environment"))
				continue
			}
			k, err := name(k)
			if err == nil {
				v, err = value(v)
			}
			if err != nil {
				errs = append(errs, place(g.origin(i), err))
				continue
			}
			field(s)[k] = Setting[string]{v, g.origin(i)}
		}
		return errors.Join(errs...)
	}
}

func storeNumber(field func(*Settings) *Setting[int], low, high int) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		n, err := strconv.Atoi(g.value[0])
		if err != nil || n < low || n > high {
			return wrong(g.origin(0), "%q is not a whole number from %d to %d", g.value[0], low, high)
		}
		*field(s) = Setting[int]{n, g.origin(0)}
		return nil
	}
}

func storeBool(field func(*Settings) *Setting[bool]) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		b, err := strconv.ParseBool(g.value[0])
		if err != nil {
			return wrong(g.origin(0), "%q is neither true nor false", g.value[0])
		}
		*field(s) = Setting[bool]{b, g.origin(0)}
		return nil
	}
}

// place adds the origin to what a check said.
func place(at Origin, err error) error {
	var e *ConfigError
	if errors.As(err, &e) {
		return &ConfigError{Origin: at, Problem: e.Problem, Fix: e.Fix}
	}
	return wrong(at, "%s", err)
}

func appendNew(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// storePath is storeText for a path. In a file it is relative to the file's directory, elsewhere to the current one.
func storePath(field func(*Settings) *Setting[string], split func(string) (scheme, path string)) func(*Settings, given) error {
	return func(s *Settings, g given) error {
		value, at := g.value[0], g.origin(0)
		if value == "" || strings.ContainsRune(value, 0) {
			return wrong(at, "%q is not a path", value)
		}
		scheme, path := split(value)
		if at.Level == File && path != "" && !filepath.IsAbs(path) {
			value = scheme + filepath.Join(filepath.Dir(at.File), filepath.FromSlash(path))
		}
		*field(s) = Setting[string]{value, at}
		return nil
	}
}

// wholePath takes all of a value for a path.
func wholePath(value string) (scheme, path string) { return "", value }

// imagePath finds the path in a base image that lies on this machine: behind a scheme as skopeo writes it, or
// with a dot in front. Anything else is a registry reference, which has no path.
func imagePath(value string) (scheme, path string) {
	for _, scheme := range []string{"oci:", "oci-archive:", "docker-archive:"} {
		if path, ok := strings.CutPrefix(value, scheme); ok {
			return scheme, path
		}
	}
	if strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") {
		return "", value
	}
	return "", ""
}
