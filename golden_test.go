package pexko_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko"
	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/project"
	"github.com/pexko/pexko/registry"
)

// goldens are images over a base that never changes. What they are made of does not change either: another digest
// means that everybody's images get other digests with this version of pexko.
var goldens = []struct {
	name, arch, flags string
	want              string
}{
	{
		name: "bytecode of 3.11.2", arch: "arm64",
		want: `
image sha256:aa6f138896d1e0faf103a6573beba96788df9f33a46ca9309593d39b0c2071cd
standard library sha256:a4f766c3b8cc64be41eadd7bda9b279efbc665cdaceceee74e0f513a36ce7344 sha256:5436169831295a0d256ca74335e3e43da41ffaa61683a5c3f37d1f9c49ec47c3
bootstrap  sha256:af95d6a8fd260783e88e9058f1f248afeb3cd33eb3e2c932d859a126fabe3656 sha256:349a374583429da3a899898ec188698de4c08ba3878cccde0015d780c6abaafa
pure wheels sha256:16d4cf5b101f6af4d081e735fe1f15cb36421e60556c604aee2852eb3bb8991a sha256:9e9713ef4dbdf2b2b4d58fe58cbcce9857c64178129b052c019070cbb7ced90e
venv       sha256:d5fab5f89f619f682c8c40921f0f91fb2167981148d9aafed0a94ca44019dbe6 sha256:3e5ca2b67cab94d44ef38b9b731bc60a7d41c3816f3a49631a3040996460a896
app        sha256:82e58e117901123f53b25089c6ea3896915a5f93e6a8ab257d530c923f661cf2 sha256:c77ac44f173bcb549a34dc4c87cb181b3ae12096b78685a2fb10d2bd427695a1
`,
	},
	{
		name: "no bytecode", arch: "amd64", flags: "none",
		want: `
image sha256:f6e46ad2cdb446c0feb63e3d1fd6fd6f50aa24d9c98e53bfd065b95ed3178fdc
bootstrap  sha256:ef97f2ff9174e4af8acee9c775fc461877b0f24da938f973cfd5aceca3f1cae9 sha256:302626a102ebee64e5178994058337cad7e896b3685f9da82ecddc796d1e16c2
pure wheels sha256:0cfb8822640125d62476ac708059aac5ef63a8d67bfb9cd1a9a22c61c5f93dc0 sha256:44ea56a622e158d5d32052a7553dd4ea25b23486d44b9368557aa14e42f175a2
venv       sha256:57c180b4f372dd67fbc4a8f8565e1fdfa0c433d0dd082a348a085beed88bcc49 sha256:1ea9ef692d073fae580895e1077ce6636422bd998b2b35f972af7d830ffadcd5
app        sha256:86aa7864fd23cb6d633dabc8d9f0f5283005dbac37f507c08fcca242c68e8a5b sha256:c873538824e31fd29b3464c38c17009f89b4070353eee3f4ab182fd33e80c974
`,
	},
}

func TestGoldenDigests(t *testing.T) {
	python := python3112(t)
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			got := describe(buildGolden(t, g.arch, g.flags, python))
			if diff := cmp.Diff(strings.TrimSpace(g.want), got); diff != "" {
				t.Errorf("the image is not what it was (-was +is):\n%s\nThe same project gives another digest with this change. If that is meant: say in CHANGELOG.md what "+
					"changes for whom, and then put these lines into golden_test.go:\n%s", diff, got)
			}
		})
	}
}

// describe lists the image and its layers, digest and diffID, which compression does not change.
func describe(r *pexko.Result) string {
	lines := []string{"image " + r.Digest}
	for _, image := range r.Images {
		for _, l := range image.Layers {
			lines = append(lines, fmt.Sprintf("%-10s %s %s", l.Name, l.Digest, l.DiffID))
		}
	}
	return strings.Join(lines, "\n")
}

// buildGolden builds the application that the goldens are of.
func buildGolden(t *testing.T, arch, compile, python string) *pexko.Result {
	t.Helper()
	dir, wheels := t.TempDir(), t.TempDir()
	ref, err := testenv.StandIn{Python: "3.11.2", Arch: arch, Stdlib: map[string]string{
		"abc.py": "class ABC:\n    pass\n", "json/__init__.py": "from .decoder import loads\n", "json/decoder.py": "def loads(text):\n    return text\n",
	}}.Write(filepath.Join(dir, "base"))
	check(t, err)
	shelf, err := testenv.WriteWheel(wheels, "shelf-1.0-py3-none-any.whl", map[string]string{
		"shelf/__init__.py": "boards = 3\n", "shelf/plan.txt": "three boards\n", "shelf-1.0.data/scripts/saw": "#!python\nprint('saw')\n",
		"shelf-1.0.dist-info/entry_points.txt": "[console_scripts]\nshelf = shelf:main\n",
	})
	check(t, err)
	app := writeProject(t, filepath.Join(dir, "app"), map[string]string{
		"pyproject.toml":   "[project]\nname = \"golden\"\nversion = \"1\"\n[tool.pexko.env]\nGREETING = \"hello\"\n[tool.pexko.labels]\n\"org.example.kind\" = \"golden\"\n",
		"golden/cli.py":    "import shelf\n\ndef main():\n    print(shelf.boards)\n",
		"golden/data.json": "{}\n",
		"run.sh":           "#!/bin/sh\n",
		"requirements.txt": hashed(t, []string{"shelf==1.0"}, []string{shelf}),
	})
	check(t, os.Chmod(filepath.Join(app, "run.sh"), 0o700))
	p, err := project.Load(app, project.Options{Flags: project.Flags{
		Base: ref, Platforms: []string{"linux/" + arch}, EntryPoint: "golden.cli:main", Bytecode: compile,
		OCILayout: filepath.Join(dir, "layout"), CacheDir: filepath.Join(dir, "cache"), HostPython: testenv.Python(t, "3.11"),
	}})
	check(t, err)
	copyTo(t, wheels, tools(t)...)
	env := []string{"HOME=" + dir, "PATH=" + python + ":/usr/bin:/bin", "PIP_CONFIG_FILE=/dev/null", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + wheels}
	r, err := pexko.Build(t.Context(), pexko.Options{Project: p, Env: env})
	check(t, err)
	return r
}

// python3112 is a directory with a python3.11 that is the testbed's Debian 12's: this machine need not have that very release.
func python3112(t *testing.T) string {
	t.Helper()
	store, err := cas.Open(sharedCache(t))
	check(t, err)
	t.Cleanup(func() { store.Close() })
	opened, err := base.Open(t.Context(), "oci:"+testenv.Base(t, "bookworm"), registry.New(registry.Options{Store: store}), base.Options{Store: store})
	check(t, err)
	v, err := opened.Variant(t.Context(), v1.Platform{OS: "linux", Architecture: "amd64"})
	check(t, err)
	i, err := v.Interpreter(t.Context())
	check(t, err)
	dir := t.TempDir()
	name := filepath.Join(dir, "python3.11")
	argv := append([]string{i.Argv[0], "--argv0", name}, i.Argv[1:]...)
	script := "#!/bin/sh\nexec /usr/bin/env '" + strings.Join(append(i.Env, argv...), "' '") + "' \"$@\"\n"
	check(t, os.WriteFile(name, []byte(script), 0o755))
	found, err := bytecode.HostInterpreter(t.Context(), "3.11.2", []string{"PATH=" + dir})
	check(t, err)
	if found.Argv[0] != name {
		t.Errorf("found %v, not %s", found.Argv, name)
	}
	return dir
}
