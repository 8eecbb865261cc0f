package pep

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "A.b_c-d": true, "1x": true,
		"": false, "-a": false, "a-": false, "a b": false, "a/b": false, "é": false, "a\n": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestPin(t *testing.T) {
	for text, want := range map[string]string{
		"==1.0": "1.0", "== 01.0+Local": "01.0+Local", "===any": "any",
		"": "", "==1.*": "", ">=1": "", "~=1.0": "", "==1,==1": "", "!=1": "",
	} {
		set, err := ParseSpecifiers(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := set.Pin(); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	marker := func(text string) error { _, err := ParseMarker(text); return err }
	requirement := func(text string) error { _, err := ParseRequirement(text); return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{requirement("name >1 <2"), `"name >1 <2": expected the end, or a marker after ';', at column 9`},
		{requirement("name[a"), `"name[a": expected ']' after the extras at column 7`},
		{requirement("name>=1.*"), `expected no '.*': it goes with a plain release after == or != alone, at column 8`},
		{requirement("name>=1+x"), `expected no local version: it goes with == and != alone, at column 8`},
		{requirement("=1"), `expected a distribution's name at column 1`},
		{marker("os_nam == 'x'"), `expected a variable such as sys_platform, or a string in quotes, at column 1`},
		{marker("os_name is 'x'"), `expected one of < <= == != >= > ~= === in, not in at column 9`},
		{marker("'a' == 'b'"), `compares two strings`},
		{marker(`os_name == 'a\'`), `may not stand in a marker's string (column 14)`},
		{marker(strings.Repeat("(", 1000) + "os_name == 'a'"), `more than 100 nested parentheses`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v\nwant … %s", c.err, c.want)
		}
	}
}

func TestApplies(t *testing.T) {
	env := map[string]string{"python_version": "3.11", "sys_platform": "linux"}
	for _, c := range []struct {
		text   string
		extras []string
		want   bool
	}{
		{"x", nil, true},
		{"x; python_version < '3.11'", nil, false},
		{"x; extra == 'Foo_Bar'", nil, false},
		{"x; extra == 'Foo_Bar'", []string{"a", "foo.bar"}, true},
		{"x; extra == 'a' or python_version >= '3.11'", nil, true},
		{"x; extra == 'a' and python_version < '3.11'", []string{"a"}, false},
	} {
		r, err := ParseRequirement(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Applies(env, c.extras...); got != c.want || err != nil {
			t.Errorf("%s with %v: %v, %v", c.text, c.extras, got, err)
		}
	}
}

func TestAnUnknownVariableIsAnErrorOnlyIfItDecides(t *testing.T) {
	env := map[string]string{"sys_platform": "linux"}
	for text, want := range map[string]string{
		"sys_platform == 'win32' and platform_release >= '10'":                           "false",
		"sys_platform == 'linux' or platform_release >= '10'":                            "true",
		"(platform_version == '1' and sys_platform == 'x') or (sys_platform == 'linux')": "true",
		"platform_release >= '10'":                                                       `marker "platform_release >= \"10\"": platform_release is not known for this target`,
		"sys_platform == 'linux' and platform_version == '1'":                            `marker "sys_platform == \"linux\" and platform_version == \"1\"": platform_version is not known for this target`,
		"'x' in extras":           `marker "\"x\" in extras": extras is for lock files alone`,
		"sys_platform ~= 'linux'": `marker "sys_platform ~= \"linux\"": ~= has no meaning between "linux" and "linux"`,
		"platform_release == '1' or sys_platform ~= 'linux' or sys_platform in 'linux bsd'": "true",
	} {
		m, err := ParseMarker(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Evaluate(env)
		answer := map[bool]string{true: "true", false: "false"}[got]
		if err != nil {
			answer = err.Error()
		}
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestSetsOfLockMarkers(t *testing.T) {
	for text, want := range map[string]string{
		"extras == 'a'":            "extras is a set and stands on the right of 'in' and 'not in' alone",
		"'a' == extras":            "extras is a set and cannot be compared by ==",
		"extra == 'a'":             "extra is not known for this target",
		"'A' in dependency_groups": "",
	} {
		m, err := ParseMarker(text)
		if err != nil {
			t.Fatal(err)
		}
		switch got, err := m.EvaluateLock(nil, nil, []string{"a"}); {
		case want == "" && (!got || err != nil), want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestZeroMarkerHolds(t *testing.T) {
	if got, err := (Marker{}).Evaluate(nil); !got || err != nil || (Marker{}).String() != "" || !(Marker{}).IsZero() {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzVersion(f *testing.F) {
	for _, seed := range []string{"1.0", "1!2.0a1.post2.dev3+local.4", "v1.0-ALPHA_01", "1.0-1", "1.0+00", "٣", ""} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, errA := ParseVersion(a)
		w, errB := ParseVersion(b)
		if errA != nil || errB != nil {
			return
		}
		if again, err := ParseVersion(v.String()); err != nil || again.Compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q: normal form %q is read as %q, %v", a, v, again, err)
		}
		forth, back := v.Compare(w), w.Compare(v)
		if forth > 0 && back >= 0 || forth == 0 && back != 0 || forth < 0 && back <= 0 {
			t.Errorf("%q and %q: %d one way, %d the other", a, b, forth, back)
		}
		if v.String() == w.String() && forth != 0 {
			t.Errorf("%q and %q: one normal form, and unequal", a, b)
		}
	})
}

func FuzzSpecifiers(f *testing.F) {
	for _, seed := range []string{">=1.0,<2", "~=1.4.2", "==1.*", "===x", "!=1.0+a", "<1.0rc1", ">1.0.post1", ","} {
		f.Add(seed, "1.0.post1")
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		set, err := ParseSpecifiers(text)
		if err != nil {
			return
		}
		again, err := ParseSpecifiers(set.String())
		if err != nil || again.String() != set.String() {
			t.Errorf("%q: normal form %q is read as %q, %v", text, set, again, err)
		}
		if set.Contains(version, false) && !set.Contains(version, true) {
			t.Errorf("%q admits %q only without pre-releases", text, version)
		}
		if set.Contains(version, true) != again.Contains(version, true) {
			t.Errorf("%q and its normal form %q differ on %q", text, set, version)
		}
	})
}

func FuzzRequirement(f *testing.F) {
	for _, seed := range []string{"a", "a[b,c]>=1,<2; os_name == 'nt'", "a @ https://example.com/x ; extra == 'y'", "a (===x)", "a[", "a;(((os_name=='x')))"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRequirement(text)
		if err != nil {
			return
		}
		again, err := ParseRequirement(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q: normal form %q is read as %q, %v", text, r, again, err)
		}
		r.Applies(map[string]string{"os_name": "posix", "python_version": "3.11"}, "x")
	})
}

func FuzzMarker(f *testing.F) {
	for _, seed := range []string{"os_name == 'nt'", "(extra in 'a b' or 'x' not in extras) and python_version >= '3'", "'3' ~= python_full_version", `os_name == "it's"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMarker(text)
		if err != nil {
			return
		}
		again, err := ParseMarker(m.String())
		if err != nil || again.String() != m.String() {
			t.Errorf("%q: normal form %q is read as %q, %v", text, m, again, err)
		}
		env := map[string]string{"os_name": "posix", "python_version": "3.11", "python_full_version": "3.11.2+"}
		got, err := m.Evaluate(env)
		if other, err2 := again.Evaluate(env); got != other || (err == nil) != (err2 == nil) {
			t.Errorf("%q and its normal form %q evaluate apart", text, m)
		}
	})
}
