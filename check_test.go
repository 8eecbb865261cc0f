package pexko

import (
	"testing"

	"github.com/pexko/pexko/wheel"
)

func TestUnmetSaysWhatTheLockHasInstead(t *testing.T) {
	var wheels []*wheel.Wheel
	for _, file := range []string{"Six-1.17.0-py2.py3-none-any.whl", "typing_extensions-4.16.0-py3-none-any.whl"} {
		name, err := wheel.ParseName(file)
		if err != nil {
			t.Fatal(err)
		}
		wheels = append(wheels, &wheel.Wheel{Name: name})
	}
	markers := map[string]string{"python_version": "3.11", "sys_platform": "linux"}
	for requirement, want := range map[string]string{
		"six":                               "",
		"six>=1.16,<2":                      "",
		"typing.extensions":                 "",
		"six @ https://example.com/six.whl": "",
		"six>=2":                            "1.17.0",
		"idna":                              "none",
		"idna; python_version < '3.11'":     "",
		"idna; extra == 'cli'":              "none",
		"idna; extra == 'other'":            "",
		"pywin32; sys_platform == 'win32'":  "",
		"six<1; python_version>='3' or extra=='x'": "1.17.0",
	} {
		got, err := unmet(requirement, markers, []string{"cli"}, wheels)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", requirement, got, err, want)
		}
	}
}
