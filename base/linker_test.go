package base

import (
	"path"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/base/internal/binary"
)

func TestSystemDirs(t *testing.T) {
	configs := map[string]string{
		"/etc/ld.so.conf":           "# comment\ninclude /etc/ld.so.conf.d/*.conf\n/opt/lib /not/this # comment\ninclude more.conf\nhwcap 1 nosegneg\n",
		"/etc/ld.so.conf.d/a.conf":  "/usr/local/lib\n\n/usr/local/lib/x86_64-linux-gnu\n",
		"/etc/ld.so.conf.d/b.conf":  "include /etc/ld.so.conf\n", // a loop ends
		"/etc/ld.so.conf.d/c.txt":   "/no\n",
		"/etc/more.conf":            "/more\n",
		"/etc/ld-musl-aarch64.path": "/lib:/musl\n/usr/lib\n",
	}
	read := func(name string) []byte {
		if text, ok := configs[name]; ok {
			return []byte(text)
		}
		return nil
	}
	list := func(dir string) []string {
		var names []string
		for _, name := range []string{"/etc/ld.so.conf.d/a.conf", "/etc/ld.so.conf.d/b.conf", "/etc/ld.so.conf.d/c.txt", "/etc/ld.so.conf", "/etc/more.conf"} {
			if path.Dir(name) == dir {
				names = append(names, path.Base(name))
			}
		}
		return names
	}
	once := []string{"/usr/local/lib", "/usr/local/lib/x86_64-linux-gnu"}
	// b.conf reads ld.so.conf again, whose own includes of that depth are not followed.
	want := append(append(append([]string{}, once...), "/opt/lib", "/opt/lib", "/more"),
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	if diff := cmp.Diff(want, systemDirs(Glibc, machines[0], read, list)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/lib", "/musl", "/usr/lib"}, systemDirs(Musl, machines[1], read, list)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/lib", "/usr/local/lib", "/usr/lib"}, systemDirs(Musl, machines[0], read, list)); diff != "" {
		t.Error(diff)
	}
}

func TestLinkerOrder(t *testing.T) {
	v, err := inspectImage(t, newImage(t, amd64, nil, debian.with(files{
		"a/libx.so.1": "", "b/libx.so.1": "", "c/libx.so.1": "", "opt/lib/libx.so.1": "", "usr/lib/libx.so.1": "->libx.so.1.0", "usr/lib/libx.so.1.0": "",
		"gone/libx.so.1": "->nowhere",
	}).tar(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	elf := func(rpath, runPath string) binary.ELF {
		e := binary.ELF{}
		if rpath != "" {
			e.RPath = []string{rpath}
		}
		if runPath != "" {
			e.RunPath = []string{runPath}
		}
		return e
	}
	for name, c := range map[string]struct {
		program, from binary.ELF
		env           []string
		want          string
	}{
		"the system's":                     {want: "usr/lib/libx.so.1"},
		"RPATH before the environment":     {from: elf("/a", ""), env: []string{"/b"}, want: "a/libx.so.1"},
		"the program's RPATH":              {program: elf("/c", ""), env: []string{"/b"}, want: "c/libx.so.1"},
		"RUNPATH after the environment":    {from: elf("", "/a"), env: []string{"/b"}, want: "b/libx.so.1"},
		"RUNPATH takes RPATH's effect":     {program: elf("/c", "/nowhere"), from: elf("/a", "/b"), want: "b/libx.so.1"},
		"$ORIGIN":                          {from: elf("", "$ORIGIN/../lib"), want: "opt/lib/libx.so.1"},
		"${ORIGIN}":                        {from: elf("", "${ORIGIN}/../../c"), want: "c/libx.so.1"},
		"a link that leads nowhere":        {from: elf("/gone", ""), want: "usr/lib/libx.so.1"},
		"the program's $ORIGIN is its own": {program: elf("$ORIGIN/../../c", ""), want: "c/libx.so.1"},
	} {
		l := linker{fs: v.FS, env: c.env, system: []string{"/usr/lib"}, program: c.program, origin: "usr/bin"}
		if got, ok := l.find("libx.so.1", c.from, "opt/bin"); got != c.want || !ok {
			t.Errorf("%s: got %q, %v; want %q", name, got, ok, c.want)
		}
	}
	l := linker{fs: v.FS}
	if got, ok := l.find("/a/libx.so.1", binary.ELF{}, ""); !ok || got != "a/libx.so.1" {
		t.Errorf("by path: %q, %v", got, ok)
	}
	if got, ok := l.find("liby.so", binary.ELF{}, ""); ok {
		t.Errorf("found %q, which is not there", got)
	}
}
