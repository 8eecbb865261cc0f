package pex

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What pex itself activates in each of the given PEXes on a target.
const resolveProgram = `
import json, os, sys
from pex.environment import PEXEnvironment, ResolveError
from pex.pep_425 import CompatibilityTags
from pex.pep_508 import MarkerEnvironment
from pex.pex_info import PexInfo
from pex.targets import CompletePlatform
platform = json.load(open(sys.argv[1]))
target = CompletePlatform.create(MarkerEnvironment(**platform["marker_environment"]), CompatibilityTags.from_strings(platform["compatible_tags"]))
answers = []
for pex in sorted(os.listdir(sys.argv[2]), key=int):
    pex = os.path.join(sys.argv[2], pex)
    env = PEXEnvironment(pex=pex, pex_info=PexInfo.from_pex(pex), target=target)
    try:
        answers.append([os.path.basename(dist.location) for dist in env.resolve()])
    except ResolveError as e:
        answers.append(None)
print(json.dumps(answers))
`

// graph is a random set of distributions that require each other, in all the ways that count: versions,
// extras, markers, cycles, wheels for several platforms and Pythons, several wheels of one version,
// exclusions, overrides, and things that are missing.
func graph(r *rand.Rand) (info map[string]any, wheels map[string]string) {
	names := []string{"aa", "bb", "C_c", "dd", "ee", "ff"}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	requirement := func() string {
		text := pick(names...)
		if r.IntN(4) == 0 {
			text += "[" + pick("x", "y", "x,y") + "]"
		}
		text += pick("", "", "", ">=1", "==1.0", "<2", ">=2")
		return text + pick("", "", "", "; python_version >= '3.13'", "; sys_platform == 'win32'", "; extra == 'x'", "; extra == 'y'")
	}
	wheels = map[string]string{}
	distributions := map[string]string{}
	for _, name := range names {
		for range r.IntN(3) {
			version := pick("1.0", "1.0", "2.0", "2.0b1")
			tag := pick("py3-none-any", "py3-none-any", "py2.py3-none-any", "cp313-cp313-manylinux_2_17_aarch64",
				"cp313-cp313-manylinux_2_17_x86_64", "cp312-abi3-linux_aarch64", "py2-none-any")
			metadata := fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nProvides-Extra: x\nProvides-Extra: y\n", name, version)
			metadata += pick("", "", "", "Requires-Python: >=3.14\n", "Requires-Python: >=3.8\n")
			for range r.IntN(4) {
				metadata += "Requires-Dist: " + requirement() + "\n"
			}
			wheel := fmt.Sprintf("%s-%s-%s%s.whl", name, version, pick("", "", "1-", "2-"), tag)
			wheels[wheel] = metadata
			distributions[wheel] = strings.Repeat("0", 64)
		}
	}
	roots, excluded, overridden := []string{}, []string{}, []string{}
	for range 1 + r.IntN(4) {
		text, _, _ := strings.Cut(requirement(), "; extra")
		roots = append(roots, text)
	}
	slices.Sort(roots)
	if r.IntN(4) == 0 {
		excluded = append(excluded, pick(names...))
	}
	if r.IntN(4) == 0 {
		overridden = append(overridden, pick(names...)+pick("", "==1.0", ">=2")+pick("", "; sys_platform == 'win32'"))
	}
	if r.IntN(6) == 0 {
		overridden = append(overridden, pick("aa", "bb")+"="+pick("dd>=1", "ee==1.0"))
	}
	return map[string]any{
		"requirements": slices.Compact(roots), "distributions": distributions, "excluded": excluded, "overridden": slices.Compact(overridden),
		"pex_hash": "x", "ignore_errors": r.IntN(2) == 0,
	}, wheels
}

// The order of activation is pex's, asked of pex, over hundreds of graphs.
func TestActivationIsThatOfPex(t *testing.T) {
	t.Parallel()
	target := linux("3.13.5", "aarch64")
	dir, random := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	var files []*File
	for i := range 250 {
		info, wheels := graph(random)
		raw, err := json.Marshal(info)
		if err != nil {
			t.Fatal(err)
		}
		pex := filepath.Join(dir, "pexes", fmt.Sprint(i))
		writeText(t, filepath.Join(pex, "PEX-INFO"), string(raw))
		f := &File{}
		if f.Info, err = ParseInfo(raw); err != nil {
			t.Fatal(err)
		}
		for wheel, text := range wheels {
			parts := strings.Split(wheel, "-")
			writeText(t, filepath.Join(pex, ".deps", wheel, parts[0]+"-"+parts[1]+".dist-info", "METADATA"), text)
			m, err := parseMetadata([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			f.Distributions = append(f.Distributions, Distribution{Wheel: wheel, Name: m.Name, Version: m.Version, metadata: m})
		}
		slices.SortFunc(f.Distributions, func(a, b Distribution) int { return strings.Compare(a.Wheel, b.Wheel) })
		files = append(files, f)
	}
	platform := writeText(t, filepath.Join(dir, "platform.json"), string(target.CompletePlatform))
	var want [][]string
	askPex(t, &want, resolveProgram, platform, filepath.Join(dir, "pexes"))
	activated, failed := 0, 0
	for i, f := range files {
		var got []string
		of, err := f.For(target)
		if err == nil {
			got = []string{}
			for _, d := range of.Distributions {
				got = append(got, d.Wheel)
			}
			activated++
		} else {
			failed++
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			raw, _ := json.MarshalIndent(f.Info, "", " ")
			t.Errorf("graph %d: %v\n%s\n%s", i, err, diff, raw)
		}
	}
	if activated < 50 || failed < 50 {
		t.Errorf("%d graphs can be activated and %d cannot: that says little", activated, failed)
	}
}

// askPex runs a program that imports pex and decodes what it prints.
func askPex(t *testing.T, into any, program string, args ...string) {
	t.Helper()
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := tool.root(nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tool.runPex(t.Context(), p, command{what: "asking pex", argv: append([]string{p.Path, "-c", program}, args...), answer: true}, root)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
}

func TestActivationSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	info, err := ParseInfo([]byte(`{"requirements": ["a==1"], "distributions": {"a-1-py3-none-any.whl": "x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseMetadata([]byte("Name: a\nVersion: 1\nRequires-Dist: b>2\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := &File{Info: info, Distributions: []Distribution{{Wheel: "a-1-py3-none-any.whl", Name: "a", Version: "1", metadata: m}}}
	_, err = f.For(linux("3.13.5", "aarch64"))
	if err == nil || !strings.Contains(err.Error(), "b>2 (required by a 1)") || !strings.Contains(err.Error(), "linux/arm64 with Python 3.13.5") {
		t.Errorf("got %v", err)
	}
	f.Info.Excluded = []string{"b>=1"}
	if _, err := f.For(linux("3.13.5", "aarch64")); err == nil || !strings.Contains(err.Error(), "give the name alone") {
		t.Errorf("an exclusion by a range: %v", err)
	}
}
