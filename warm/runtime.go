package warm

import (
	"regexp"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// runtime are the texts that pex writes into a venv, taken out of the pex at hand and never kept in this
// repository, so that what a venv does follows its pex. They stand in venv/installer.py as literals of
// install_pex_main, in venv/venv_pex.py and in repl/ as source.
type runtime struct {
	extraPath  string // site-packages/PEX_EXTRA_SYS_PATH.py
	extraPth   string // site-packages/PEX_EXTRA_SYS_PATH.pth
	extraStart string // site-packages/PEX_EXTRA_SYS_PATH.start, which trumps the .pth from Python 3.15 on (PEP 829)
	main       string // template of __main__.py
	venvPex    string // what it starts with
	repl       string // template of pex-repl
	replModule string // what it starts with
	replMaker  string // and goes on with
}

func readRuntime(bootstrap tree.Tree) (runtime, error) {
	var files [4]pexFile
	for i, name := range []string{"pex/venv/installer.py", "pex/venv/venv_pex.py", "pex/repl/pex_repl.py", "pex/repl/custom.py"} {
		text, ok, err := readText(bootstrap, name)
		if err == nil && !ok {
			err = &TextError{File: name, Want: "that file"}
		}
		if err != nil {
			return runtime{}, err
		}
		files[i] = pexFile{name, text}
	}
	installer, repl := files[0], files[2]
	r := runtime{venvPex: strings.TrimSpace(files[1].text), replModule: strings.TrimSpace(files[3].text)}
	var err error
	for _, want := range []struct {
		value *string
		from  pexFile
		marks []string
	}{
		{&r.extraPath, installer, []string{`"PEX_EXTRA_SYS_PATH.py"`, "write("}},
		{&r.extraPth, installer, []string{`"PEX_EXTRA_SYS_PATH.pth"`, "print("}},
		{&r.extraStart, installer, []string{`"PEX_EXTRA_SYS_PATH.start"`, "print("}},
		{&r.main, installer, []string{`venv.join_path("__main__.py")`, "write("}},
		{&r.repl, repl, []string{"def create_pex_repl_exe(", "return "}},
	} {
		if *want.value, err = want.from.literalAfter(want.marks...); err != nil {
			return runtime{}, err
		}
	}
	r.replMaker, err = repl.function("_create_pex_repl")
	return r, err
}

// setsLastAccess tells whether the venv's __main__ can be told to leave .last-access alone; pex 2.98.3 to
// 2.101.2 always touch it.
func (r runtime) setsLastAccess() bool { return strings.Contains(r.main, "{set_last_access!r}") }

// pexFile is a source file of pex.
type pexFile struct{ name, text string }

// literalAfter returns the string literal that follows the marks, dedented if it is the argument of dedent.
// It must be the whole argument, or the template of a format call.
func (f pexFile) literalAfter(marks ...string) (string, error) {
	rest := f.text
	for _, mark := range marks {
		_, after, found := strings.Cut(rest, mark)
		if !found {
			return "", &TextError{File: f.name, Want: "the text after " + marks[0]}
		}
		rest = after
	}
	dedented := strings.HasPrefix(skipBlanks(rest), "dedent(")
	value, after, ok := literal(rest)
	after = skipBlanks(after)
	if !ok || dedented != strings.HasPrefix(after, ")") || !dedented && !strings.HasPrefix(after, ",") {
		return "", &TextError{File: f.name, Want: "the text after " + marks[0] + " as a plain literal"}
	}
	if dedented {
		value = dedent(value)
	}
	return value, nil
}

// function returns the source of a function at the top level, as inspect.getsource gives it, less blanks
// around it.
func (f pexFile) function(name string) (string, error) {
	start := strings.Index(f.text, "\ndef "+name+"(")
	if start < 0 {
		return "", &TextError{File: f.name, Want: "the function " + name}
	}
	text := f.text[start+1:]
	// The next line that is neither blank, indented nor the closing parenthesis of the signature is no part of it.
	if end := regexp.MustCompile(`\n[^\s)]`).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return strings.TrimSpace(text), nil
}
