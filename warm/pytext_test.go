package warm

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

func TestLiteral(t *testing.T) {
	for text, want := range map[string]string{
		`"a" + b`:                         "a",
		`'it\'s', x`:                      "it's",
		"  # why\n  \"\"\"\\\na\n\"\"\")": "a\n",
		`dedent("""x\n""")`:               "x\n",
		`r"\d"`:                           `\d`,
		`u"x"`:                            "x",
		`'''a "b" c'''`:                   `a "b" c`,
	} {
		if got, _, ok := literal(text); !ok || got != want {
			t.Errorf("literal(%q) = %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{`f"{x}"`, `"a`, "\"a\nb\"", `"\N{DASH}"`, `"\`, "name", "", `"""x`} {
		if got, _, ok := literal(text); ok {
			t.Errorf("literal(%q) = %q", text, got)
		}
	}
}

func TestFormat(t *testing.T) {
	values := map[string]any{"name": "it's", "code": "{x}", "flag": boolean(true), "none": optional("")}
	got, err := format("{{{name}}} {name!r} {code} {flag!r} {none!r}", values)
	if want := `{it's} 'it\'s' {x} True None`; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"{unknown}", "{flag}", "{name", "a } b", "{name!s}", "{}"} {
		if got, err := format(bad, values); err == nil {
			t.Errorf("format(%q) = %q", bad, got)
		}
	}
}

// What Python itself makes of the texts.
func TestPythonAgrees(t *testing.T) {
	python := testenv.Python(t, "3.11")
	eval := func(expression string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), python, "-c", "import sys, textwrap; sys.stdout.buffer.write(eval(sys.stdin.read()).encode('utf-8', 'surrogateescape'))")
		cmd.Stdin = strings.NewReader(expression)
		out, err := cmd.Output()
		check(t, err)
		return string(out)
	}
	for _, s := range []string{"", "a'b\"c\\d\n\t\x00\x7f", "é ü \u2028 \U0001f40d \ufffd", "not utf-8: \xff\xef", "{braces}"} {
		if got := eval(repr(s)); got != s {
			t.Errorf("repr(%q) is %s, which is %q", s, repr(s), got)
		}
	}
	for _, s := range []string{"  a\n    b\n\n  c\n", "\ta\n\t  b\n   \n", "a\n  b", "    \n  x\n ", "  a\n\tb"} {
		if got, want := dedent(s), eval("textwrap.dedent("+repr(s)+")"); got != want {
			t.Errorf("dedent(%q) = %q, Python %q", s, got, want)
		}
	}
	if got := eval("repr(" + string(pairs(map[string]string{"b": "2", "a": "1"})) + ")"); got != "(('a', '1'), ('b', '2'))" {
		t.Error(got)
	}
	if got := eval("repr([" + string(pairs(nil)) + ", " + string(pairs(map[string]string{"a": "1"})) + ", " + string(list([]string{"x", "y z"})) + "])"); got != "[(), (('a', '1'),), ['x', 'y z']]" {
		t.Error(got)
	}
}

func FuzzLiteral(f *testing.F) {
	f.Add(`dedent("""\
        a {b!r}
        """)`)
	f.Add(`'\`)
	f.Fuzz(func(_ *testing.T, text string) {
		if value, _, ok := literal(text); ok {
			_, _ = format(dedent(value), map[string]any{"b": "x"})
		}
	})
}
