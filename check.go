package pexko

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/layering"
	"github.com/pexko/pexko/lock"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// MismatchError is a project and a base or lock that do not go together.
type MismatchError struct{ Problem, Fix string }

// Error says what does not.
func (e *MismatchError) Error() string { return e.Problem }

// Hint says what to do about it.
func (e *MismatchError) Hint() string { return e.Fix }

// checkBase holds the project against a variant of the base: Python, user, number of layers.
func (b *build) checkBase(v *base.Variant) error {
	wanted, err := pep.ParseSpecifiers(b.project.RequiresPython)
	if err != nil {
		return fmt.Errorf("requires-python %q: %w", b.project.RequiresPython, err)
	}
	if !wanted.Contains(v.Python.Version, true) {
		return &MismatchError{
			fmt.Sprintf("%s requires Python %s, and the base %s has %s", b.project.Name, b.project.RequiresPython, b.base.Ref, v.Python.Version),
			"choose another base with --base, or another of its Pythons with --python",
		}
	}
	if err := b.checkUser(v); err != nil {
		return err
	}
	_, err = layering.Budget(b.settings.MaxLayers.Value, len(v.Config.RootFS.DiffIDs))
	return err
}

// checkUser refuses a name that the base does not know: no engine would start the image.
func (b *build) checkUser(v *base.Variant) error {
	user, group, _ := strings.Cut(b.settings.User.Value, ":")
	known, names := isNumber(user), []string{}
	for _, u := range v.System.Users {
		known, names = known || u.Name == user, append(names, u.Name)
	}
	if !known {
		return &MismatchError{
			fmt.Sprintf("user %s: the base %s has no such user; it has %s", user, b.base.Ref, strings.Join(names, ", ")),
			"use a number, such as the default 65532, or one of these",
		}
	}
	known = group == "" || isNumber(group)
	for _, g := range v.System.Groups {
		known = known || g.Name == group
	}
	if !known {
		return &MismatchError{fmt.Sprintf("group %s: the base %s has no such group", group, b.base.Ref), "use a number"}
	}
	return nil
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 32)
	return err == nil
}

// checkLocked holds what the project requires against what the lock gave: a lock that is older than the
// project would make an image that fails at its first import.
func (b *build) checkLocked(pins *lock.Lock, v *base.Variant, set pex.Set) error {
	requires, err := b.project.Requirements(b.settings.Extras.Value, b.settings.Groups.Value)
	if err != nil {
		return err
	}
	if b.own != nil {
		requires = append(requires, b.own.Metadata.RequiresDist...)
	}
	for _, text := range requires {
		missing, err := unmet(text, v.Target.Markers, b.settings.Extras.Value, set.Wheels)
		if err != nil {
			return fmt.Errorf("requirement %q of %s: %w", text, b.project.Name, err)
		}
		if missing != "" {
			return &MismatchError{
				fmt.Sprintf("%s: %s requires %s for %s, and the lock has %s", pins.Path, b.project.Name, text, set.Target, missing),
				"the lock is older than the project; make it again with the tool that wrote it",
			}
		}
	}
	return nil
}

// unmet says what there is instead of a requirement that applies, "" if it is met.
func unmet(text string, markers map[string]string, extras []string, wheels []*wheel.Wheel) (string, error) {
	r, err := pep.ParseRequirement(text)
	if err != nil {
		return "", err
	}
	if applies, err := r.Applies(markers, extras...); err != nil || !applies {
		return "", err
	}
	for _, w := range wheels {
		if w.Name.Normalized() != pep.Normalize(r.Name) {
			continue
		}
		if r.URL != "" || r.Specifiers.Contains(w.Name.Version, true) {
			return "", nil
		}
		return w.Name.Version, nil
	}
	return "none", nil
}
