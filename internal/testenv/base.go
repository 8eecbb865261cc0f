package testenv

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Base returns the OCI layout of a base image, an index of its platforms tagged "1":
//
//	bookworm   python3 3.11 with the standard library's bytecode       amd64, arm64
//	trixie     python3 3.13 without any bytecode                       amd64, arm64
//	local      bookworm, and before it on PATH a CPython 3.12 in
//	           /usr/local without bytecode, as python:3.12-slim has it  amd64
//	nopython   busybox                                                 amd64, arm64
func Base(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(need(t, dirVar), "bases", name)
	switch {
	case slices.Contains(strings.Fields(need(t, basesVar)), name):
		return dir
	case name == "local":
		t.Skipf("base %s is not on this machine: %s", name, why(t, name))
	default:
		t.Fatalf("there is no base %q in %s; %s", name, filepath.Dir(dir), howUp)
	}
	return ""
}

// BaseRef returns the reference of the same base in the testbed's registry, "127.0.0.1:5077/base/NAME:1".
func BaseRef(t testing.TB, name string) string {
	t.Helper()
	Base(t, name)
	return need(t, registryVar) + "/base/" + name + ":1"
}
