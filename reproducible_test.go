package pexko_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// machine is what must not matter: one way to run the command.
type machine struct {
	name      string
	python    string // minor version of the host Python
	umask     string
	env       []string
	flags     []string
	stranger  bool // not as root
	elsewhere bool // the project lies at another path, under another name
}

var machines = []machine{
	{name: "plain", python: "3.11", umask: "022", env: []string{"LANG=C.UTF-8", "TZ=UTC"}},
	{
		name: "stranger", python: "3.12", umask: "077", env: []string{"LC_ALL=tr_TR.UTF-8", "TZ=Asia/Kathmandu", "GOMAXPROCS=1", "PYTHONHASHSEED=7"},
		flags: []string{"--jobs=1"}, stranger: true, elsewhere: true,
	},
	{
		name: "many jobs", python: "3.13", umask: "002", env: []string{"LANG=de_DE.ISO-8859-1", "TZ=America/St_Johns", "GOMAXPROCS=7", "SOURCE_DATE_EPOCH=1"},
		flags: []string{"--jobs=7"}, elsewhere: true,
	},
	{name: "oldest Python", python: "3.10", umask: "027", env: []string{"LC_ALL=POSIX", "TZ=Pacific/Kiritimati", "PEX_ROOT=/nowhere", "PYTHONPATH=/nowhere"}},
}

// TestSameDigestEverywhere builds from clean caches what must be the same image: an application with compiled and pure
// wheels whose project is built from source, for two platforms.
func TestSameDigestEverywhere(t *testing.T) {
	app := shop(t)
	index := app.serve(t)
	digests := make([]string, len(machines))
	t.Run("builds", func(t *testing.T) {
		for i, m := range machines {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				digests[i] = m.build(t, app, index)
			})
		}
	})
	for i, m := range machines {
		t.Logf("%s: %s", digests[i], m.name)
		if digests[i] != digests[0] {
			t.Errorf("%s has %s, and %s has %s", m.name, digests[i], machines[0].name, digests[0])
		}
	}
}

// build builds as on that machine, from a clean cache, and returns the digest.
func (m machine) build(t *testing.T, app application, index string) string {
	t.Helper()
	home, dir := publicDir(t), publicDir(t)
	name := "app"
	if m.elsewhere {
		name = "another name with blanks/and ümlauts"
	}
	at := writeProject(t, filepath.Join(dir, filepath.FromSlash(name)), app.files)
	r := run{
		args:    append([]string{at, "--base=" + testenv.BaseRef(t, "bookworm"), "--platform=linux/amd64,linux/arm64", "--oci-layout=" + filepath.Join(home, "layout")}, m.flags...),
		env:     append([]string{"HOME=" + home, "PIP_INDEX_URL=" + index, "PEXKO_HOST_PYTHON=" + testenv.Python(t, m.python)}, m.env...),
		dir:     home,
		cache:   filepath.Join(home, "cache"),
		through: []string{"sh", "-c", "umask " + m.umask + `; exec "$0" "$@"`},
	}
	if m.stranger && os.Geteuid() == 0 {
		check(t, os.Chown(home, 12345, 12345))
		r.through = append([]string{
			"setpriv", "--reuid=12345", "--regid=12345", "--clear-groups",
			"--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", // root's Pythons may lie in its home
		}, r.through...)
	}
	return r.must(t)
}

// application is a project and what it needs from an index.
type application struct {
	files  map[string]string
	wheels []string
}

// shop has wheels of each kind, a distribution that comes as source alone, and a project that setuptools builds.
func shop(t *testing.T) application {
	t.Helper()
	requirements := []string{"MarkupSafe==3.0.2", "idna==3.10", "six==1.17.0"}
	var wheels []string
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		found, err := filepath.Glob(filepath.Join(testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Platform: platform, Requirements: requirements}), "*.whl"))
		check(t, err)
		wheels = append(wheels, found...)
	}
	source := testenv.Wheels{Python: "3.11", Sources: true, Requirements: []string{"docopt==0.6.2"}}
	wheels = append(wheels, filepath.Join(testenv.Wheelhouse(t, source), "docopt-0.6.2.tar.gz"))
	requirements = append(requirements, source.Requirements...)
	return application{wheels: wheels, files: map[string]string{
		"requirements.txt": hashed(t, requirements, wheels),
		"pyproject.toml": `[build-system]
requires = ["setuptools==83.0.0"]
build-backend = "setuptools.build_meta"
[project]
name = "shop"
version = "1.0"
description = "Käse und Wein"
requires-python = ">=3.10"
dependencies = ["MarkupSafe", "idna", "six", "docopt"]
[project.scripts]
shop = "shop.cli:main"
[tool.setuptools.package-data]
shop = ["*.txt"]
`,
		"src/shop/__init__.py": "names = {'b', 'a', 'c'}\n",
		"src/shop/cli.py":      "import docopt, idna, markupsafe, six\n\ndef main():\n    print('shop', markupsafe.escape('<'))\n",
		"src/shop/prices.txt":  "1 €\n",
		"README.md":            "a shop\n",
	}}
}

// hashed is a requirements file of the wheels.
func hashed(t *testing.T, requirements, wheels []string) string {
	t.Helper()
	var b strings.Builder
	for _, r := range requirements {
		name, _, _ := strings.Cut(r, "==")
		b.WriteString(r)
		seen := map[string]bool{}
		for _, w := range wheels {
			if !strings.HasPrefix(strings.ToLower(filepath.Base(w)), strings.ToLower(name)+"-") || seen[filepath.Base(w)] {
				continue
			}
			seen[filepath.Base(w)] = true
			content, err := os.ReadFile(w)
			check(t, err)
			fmt.Fprintf(&b, " \\\n    --hash=sha256:%x", sha256.Sum256(content))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// serve starts an index with what the application needs, and pex itself.
func (a application) serve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyTo(t, dir, tools(t)...)
	copyTo(t, dir, a.wheels...)
	return testenv.Index(t, dir, testenv.IndexOptions{}).URL
}
