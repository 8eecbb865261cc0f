package project

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// keys are the names that [tool.pexko] knows, sorted.
func keys() []string {
	var all []string
	for _, row := range settings() {
		if row.key != "" {
			all = append(all, row.key)
		}
	}
	slices.Sort(all)
	return all
}

// fileSettings reads [tool.pexko]. Unknown keys and wrong types are errors.
func fileSettings(d *document) (map[string]given, []error) {
	if d == nil {
		return nil, nil
	}
	at := keyPath{"tool", "pexko"}
	tool, _ := d.root["tool"].(map[string]any)
	raw, ok := tool["pexko"]
	if !ok {
		return nil, nil
	}
	values, ok := raw.(map[string]any)
	if !ok {
		return nil, []error{wrong(d.origin(at), "must be a table, not %s", typeName(raw))}
	}
	rows := map[string]setting{}
	for _, row := range settings() {
		rows[row.key] = row
	}
	all, errs := map[string]given{}, []error(nil)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		row, known := rows[key]
		if !known || key == "" {
			errs = append(errs, unknownKey(d.keyOrigin(at.child(key)), key))
			continue
		}
		g, err := row.fromFile(d, at.child(key), values[key])
		if err != nil {
			errs = append(errs, err)
		} else if g.value != nil {
			all[key] = g
		}
	}
	return all, errs
}

func unknownKey(at Origin, key string) error {
	e := wrong(at, "unknown key%s", didYouMean(key, keys()))
	return e.fix("[tool.pexko] knows %s", strings.Join(keys(), ", "))
}

// fromFile checks the type of a value and flattens it.
func (r setting) fromFile(d *document, at keyPath, v any) (given, error) {
	switch v := v.(type) {
	case []any:
		if r.kind == texts {
			return r.listFromFile(d, at, v)
		}
	case map[string]any:
		if r.kind == table {
			return r.tableFromFile(d, at, v)
		}
	default:
		if s, ok := r.scalar(v); ok && r.kind != texts && r.kind != table {
			return given{[]Origin{d.origin(at)}, []string{s}}, nil
		}
	}
	e := wrong(d.origin(at), "must be %s, not %s", r.kind, typeName(v))
	if s, ok := r.scalar(v); ok && r.kind == texts {
		e = e.fix("write %s = [%q]", r.key, s)
	}
	return given{}, e
}

func (r setting) listFromFile(d *document, at keyPath, list []any) (given, error) {
	g := given{value: []string{}}
	for i, item := range list {
		here := at.child(strconv.Itoa(i))
		s, ok := r.scalar(item)
		if !ok {
			return g, wrong(d.origin(here), "must be a string, not %s", typeName(item))
		}
		g.value, g.from = append(g.value, s), append(g.from, d.origin(here))
	}
	if len(list) == 0 {
		return given{}, nil
	}
	return g, nil
}

func (r setting) tableFromFile(d *document, at keyPath, values map[string]any) (given, error) {
	var g given
	for _, name := range slices.Sorted(maps.Keys(values)) {
		here := at.child(name)
		s, ok := values[name].(string)
		if !ok {
			e := wrong(d.origin(here), "must be a string, not %s", typeName(values[name]))
			return g, e.fix("write %s = %q", quoteKey(name), fmt.Sprint(values[name]))
		}
		if strings.Contains(name, "=") {
			return g, wrong(d.keyOrigin(here), "a name cannot hold an equals sign")
		}
		g.value, g.from = append(g.value, name+"="+s), append(g.from, d.origin(here))
	}
	return g, nil
}

// scalar is the text of a value whose type suits the setting.
func (r setting) scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, r.kind == text || r.kind == texts
	case int64:
		return strconv.FormatInt(v, 10), r.kind == number || r.numbers
	case bool:
		return strconv.FormatBool(v), r.kind == boolean
	}
	return "", false
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
