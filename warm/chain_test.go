package warm

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// layoutPuller pulls the one index of an OCI layout.
type layoutPuller struct{}

func (layoutPuller) Pull(_ context.Context, dir string) (v1.ImageIndex, v1.Image, error) {
	top, err := ocilayout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, err
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	return index, nil, err
}

var amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}

// chain is everything that comes before this package, for real: a base image, the pinned pex, a host Python.
type chain struct {
	t       *testing.T
	store   *cas.Store
	variant *base.Variant
	tool    *pex.Tool
	target  pex.Target
}

func newChain(t *testing.T, baseName string, platform v1.Platform) *chain {
	t.Helper()
	store, err := sharedStore()
	check(t, err)
	b, err := base.Open(t.Context(), testenv.Base(t, baseName), layoutPuller{}, base.Options{Store: store})
	check(t, err)
	v, err := b.Variant(t.Context(), platform)
	check(t, err)
	tool, err := pex.Provide(t.Context(), pex.Options{Store: store, Env: os.Environ(), Python: testenv.Python(t, minorOf(v.Python.Version))})
	check(t, err)
	complete, err := v.Target.CompletePlatform()
	check(t, err)
	target := pex.Target{Key: v.Target.Key(), Platform: "linux/" + platform.Architecture, Python: v.Target.Python, CompletePlatform: complete}
	return &chain{t: t, store: store, variant: v, tool: tool, target: target}
}

// sharedStore is one store for all tests: it is safe for that, and pex, bases and bytecode are fetched and made once.
var sharedStore = sync.OnceValues(func() (*cas.Store, error) { return cas.Open(storeDir) })

var storeDir string

func TestMain(m *testing.M) {
	code := func() int {
		dir, err := os.MkdirTemp("", "pexko-warm-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		storeDir = dir
		return m.Run()
	}()
	os.Exit(code)
}

func minorOf(version string) string { return version[:strings.LastIndexByte(version, '.')] }

// compiler is the base's own interpreter.
func (c *chain) compiler() *bytecode.Compiler {
	c.t.Helper()
	i, err := c.variant.Interpreter(c.t.Context())
	check(c.t, err)
	return bytecode.New(i, bytecode.Options{Store: c.store})
}

// wheels downloads the requirements of testdata/<name>.txt, or those given.
func (c *chain) wheels(requirements ...string) []*wheel.Wheel {
	c.t.Helper()
	if len(requirements) == 1 && !strings.Contains(requirements[0], "==") {
		text, err := os.ReadFile(filepath.Join("testdata", requirements[0]+".txt"))
		check(c.t, err)
		requirements = strings.Fields(string(text))
	}
	if len(requirements) == 0 {
		return nil
	}
	dir := testenv.Wheelhouse(c.t, testenv.Wheels{Python: minorOf(c.variant.Python.Version), Requirements: requirements, Platform: c.target.Platform})
	return openAll(c.t, dir)
}

func openAll(t *testing.T, dir string) []*wheel.Wheel {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	check(t, err)
	var all []*wheel.Wheel
	for _, f := range files {
		w, err := wheel.Open(f)
		check(t, err)
		all = append(all, w)
	}
	return all
}

// pex makes a loose PEX and reads it as the target activates it.
func (c *chain) pex(r pex.AssembleRequest, wheels []*wheel.Wheel) (*pex.File, string) {
	c.t.Helper()
	dir := filepath.Join(c.t.TempDir(), "app.pex")
	r.Sets = []pex.Set{{Target: c.target, Wheels: wheels}}
	r.IncludeTools, r.Exclude = true, absent(wheels)
	check(c.t, c.tool.Write(c.t.Context(), r, pex.Loose, dir))
	f, err := pex.Read(dir)
	check(c.t, err)
	f, err = f.For(c.target)
	check(c.t, err)
	return f, dir
}

// absent are the distributions that wheels require and that are not among them: tests need only some of an application.
func absent(wheels []*wheel.Wheel) []string {
	have, want := map[string]bool{}, map[string]bool{}
	for _, w := range wheels {
		have[w.Name.Normalized()] = true
		for _, r := range w.Metadata.RequiresDist {
			want[wheel.Normalize(r[:len(r)-len(strings.TrimLeft(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"))])] = true
		}
	}
	return slices.DeleteFunc(sorted(want), func(name string) bool { return have[name] })
}

// all is the whole tree above the base.
func (t *Tree) all() tree.Tree {
	var all tree.Tree
	for _, u := range t.Units {
		all = append(all, u.Tree...)
	}
	return all
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
