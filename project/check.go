package project

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/pexko/pexko/internal/pep"
)

func oneOf(words ...string) check {
	return func(v string) (string, error) {
		for _, w := range words {
			if v == w {
				return v, nil
			}
		}
		return "", fmt.Errorf("%q is none of %s%s", v, strings.Join(words, ", "), didYouMean(v, words))
	}
}

// checkText accepts what a process can take as an argument or variable.
func checkText(v string) (string, error) {
	if strings.ContainsRune(v, 0) {
		return "", errors.New("holds a NUL byte")
	}
	return v, nil
}

// checkVariable accepts the names that Kubernetes does. PEX_ROOT is where the image's own tree lies.
func checkVariable(name string) (string, error) {
	switch {
	case !regexp.MustCompile(`^[-._A-Za-z][-._A-Za-z0-9]*$`).MatchString(name):
		return "", fmt.Errorf("%q is not the name of an environment variable", name)
	case name == "PEX_ROOT":
		return "", errors.New("PEX_ROOT is pexko's: the image would start cold")
	}
	return name, nil
}

func checkLabel(name string) (string, error) {
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if name == "" || strings.ContainsFunc(name, bad) {
		return "", fmt.Errorf("%q cannot name a label or annotation; use reverse domain notation, such as com.example.team", name)
	}
	return name, nil
}

// checkUser accepts NAME or UID, with :GROUP or :GID, as the image specification's config.User.
func checkUser(user string) (string, error) {
	if !regexp.MustCompile(`^([0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]*)(:([0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]*))?$`).MatchString(user) {
		return "", fmt.Errorf("%q is not a user; write UID, UID:GID or names", user)
	}
	return user, nil
}

func checkAbsolute(dir string) (string, error) {
	if !path.IsAbs(dir) || strings.ContainsRune(dir, 0) {
		return "", fmt.Errorf("%q is not an absolute path in the image", dir)
	}
	return path.Clean(dir), nil
}

// checkInside accepts a relative path that stays below where it starts, and gives it clean.
func checkInside(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return "", fmt.Errorf("%q is not a path", name)
	case path.IsAbs(name):
		return "", fmt.Errorf("%q is absolute; write it relative to the project, or to /app for a target", name)
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return "", fmt.Errorf("%q leaves the directory", name)
	}
	return clean, nil
}

func checkPattern(pattern string) (string, error) {
	switch {
	case strings.TrimSpace(pattern) == "" || strings.ContainsAny(pattern, "\x00\n"):
		return "", fmt.Errorf("%q is not a pattern", pattern)
	case strings.HasPrefix(pattern, "!"):
		return "", (&ConfigError{Problem: fmt.Sprintf("%q: exceptions have a setting of their own", pattern)}).
			fix("include brings back what other rules leave out; exclude leaves out, and wins over include")
	}
	return pattern, nil
}

func checkPort(port string) (string, error) {
	number, protocol, _ := strings.Cut(port, "/")
	if protocol == "" {
		protocol = "tcp"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || protocol != "tcp" && protocol != "udp" && protocol != "sctp" {
		return "", fmt.Errorf("%q is not a port; write PORT or PORT/tcp, PORT/udp, PORT/sctp with a PORT from 1 to 65535", port)
	}
	return fmt.Sprintf("%d/%s", n, protocol), nil
}

// checkSignal gives a signal's number as it is and its name with SIG, as signal(7) lists them for Linux.
func checkSignal(signal string) (string, error) {
	if n, err := strconv.Atoi(signal); err == nil && n >= 1 && n <= 64 {
		return strconv.Itoa(n), nil
	}
	names := strings.Fields("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS")
	name := strings.TrimPrefix(strings.ToUpper(signal), "SIG")
	for _, known := range names {
		if name == known {
			return "SIG" + name, nil
		}
	}
	if regexp.MustCompile(`^RTM(IN\+|AX-)[0-9]{1,2}$|^RTM(IN|AX)$`).MatchString(name) {
		return "SIG" + name, nil
	}
	return "", fmt.Errorf("%q is not a signal; write SIGTERM, SIGINT, … or a number", signal)
}

// checkPythonArg refuses what would keep the interpreter from running the application.
func checkPythonArg(arg string) (string, error) {
	if arg == "" || arg == "-" || strings.HasPrefix(arg, "-c") || strings.HasPrefix(arg, "-m") || strings.ContainsRune(arg, 0) {
		return "", fmt.Errorf("%q would replace the application; python-args are options such as -Xfaulthandler or -Werror", arg)
	}
	return arg, nil
}

// checkScript accepts the name of a console script: entry points specification, "Data model".
func checkScript(name string) (string, error) {
	if !regexp.MustCompile(`^[\w.-]+( [\w.-]+)*$`).MatchString(name) || strings.HasPrefix(name, "-") {
		return "", fmt.Errorf("%q is not the name of a console script", name)
	}
	return name, nil
}

// checkDistribution gives the normal form (PEP 503, 685, 735) of the name of a distribution, extra or group.
func checkDistribution(name string) (string, error) {
	if !pep.ValidName(name) {
		return "", fmt.Errorf("%q is not a valid name", name)
	}
	return pep.Normalize(name), nil
}

// checkEntryPoint accepts MODULE[:FUNCTION], where FUNCTION may be dotted (entry points specification).
func checkEntryPoint(entry string) (string, error) {
	module, function, called := strings.Cut(entry, ":")
	if file, ok := strings.CutSuffix(module, ".py"); ok || strings.Contains(module, "/") {
		name := strings.ReplaceAll(strings.TrimPrefix(path.Clean(file), "src/"), "/", ".")
		return "", (&ConfigError{Problem: fmt.Sprintf("%q is a file, not a module", entry)}).fix("write the module's name: %s", name)
	}
	if !isDotted(module) || called && !isDotted(function) {
		return "", fmt.Errorf("%q is not an entry point; write MODULE or MODULE:FUNCTION, such as app.main:run", entry)
	}
	return entry, nil
}

// isDotted reports whether every part between dots is a Python identifier.
func isDotted(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !isIdentifier(part) {
			return false
		}
	}
	return true
}

func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}
