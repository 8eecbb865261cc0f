// Package pep understands the strings of Python packaging: versions and specifiers (PEP 440), requirements
// and environment markers (PEP 508, with the lock file variables of PEP 751), and names (PEP 503, PEP 685).
//
// In come strings from locks, metadata and file names; out come values that compare and evaluate as Python's
// packaging library (26.3) does, which pip, pex and uv agree with. The package reads no file, knows no host and
// keeps no state.
//
// Invariant: a value was parsed without error and means what packaging makes of the same text; testdata holds
// thousands of answers of packaging that prove it. Two deviations are meant. A marker is an error only if an
// unknown variable decides it: "sys_platform == 'win32' and platform_release >= '10'" is false on Linux without
// a platform_release. And what PEP 508's grammar lacks (backslashes in a string, a comparison of two strings,
// a set compared by other than in and not in) is refused where packaging inherits Python's answer.
package pep
