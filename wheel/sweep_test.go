package wheel

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/pep"
	"github.com/pexko/pexko/internal/testenv"
)

// published are wheels that differ in what made them and in what they hold: headers, data, scripts, CRLF and absolute paths
// in RECORD, directory entries, abi3, mypyc, Rust and Go binaries, thousands of files.
var published = []string{
	"attrs==23.2.0", "babel==2.15.0", "black==24.4.2", "botocore==1.34.140", "certifi==2024.7.4", "cryptography==42.0.8", "Django==5.0.6",
	"docutils==0.21.2", "flit-core==3.9.0", "google-api-core==2.19.1", "greenlet==3.0.3", "hatchling==1.25.0", "ipykernel==6.29.5", "jaraco.text==4.0.0",
	"jupyter-core==5.7.2", "lxml==5.2.2", "notebook==7.2.1", "numpy==1.26.4", "opentelemetry-api==1.25.0", "orjson==3.10.6", "pip==24.0", "poetry-core==1.9.0",
	"protobuf==5.27.2", "psycopg-binary==3.2.1", "pybind11==2.13.1", "pydantic-core==2.20.1", "python-dateutil==2.9.0.post0", "pytz==2024.1", "PyYAML==6.0.1", "requests==2.32.3",
	"ruamel.yaml==0.18.6", "ruff==0.5.0", "selenium==4.1.0", "setuptools==69.5.1", "six==1.16.0", "Twisted==24.3.0", "tzdata==2024.1", "virtualenv==20.26.3", "zope.interface==6.4",
}

// seen is what testdata/sweep.py prints of one wheel.
type seen struct {
	File, Name, Version, Build string
	Tags                       []any
	SHA256                     string `json:"sha256"`
	Size                       int64
	DistInfo                   string `json:"dist_info"`
	Metadata                   []any
	Requirements               []*string
	Pure                       bool
	WheelTags                  []any `json:"wheel_tags"`
	Record                     []any
	CRLF                       bool `json:"crlf"`
	Console, GUI               []any
	Entries                    []any
}

func TestPublishedWheels(t *testing.T) {
	dir := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: published})
	paths, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(paths) != len(published) {
		t.Fatalf("%d wheels, %v", len(paths), err)
	}
	for i, want := range askPython(t, paths) {
		t.Run(want.Name, func(t *testing.T) { compare(t, paths[i], want) })
	}
}

// askPython runs testdata/sweep.py with packaging and pex, whose own modules read entry points, RECORD and WHEEL.
func askPython(t *testing.T, paths []string) []seen {
	tools := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"packaging==26.3", "pex==2.105.2"}})
	python := testenv.Python(t, "3.11")
	run := func(env []string, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), python, args...)
		cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	pex := t.TempDir()
	found, err := filepath.Glob(filepath.Join(tools, "pex-*.whl"))
	if err != nil || len(found) != 1 {
		t.Fatalf("pex: %v, %v", found, err)
	}
	run(nil, "-m", "zipfile", "-e", found[0], pex)
	out := run([]string{"PYTHONPATH=" + filepath.Join(tools, "packaging-26.3-py3-none-any.whl") + ":" + pex}, append([]string{"testdata/sweep.py"}, paths...)...)
	var all []seen
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func compare(t *testing.T, path string, want seen) {
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	got := seen{
		File: w.Name.File, Name: w.Name.Normalized(), Version: normalVersion(w.Name.Version), Build: w.Name.Build, Tags: tagStrings(w.Name.Tags), SHA256: w.SHA256, Size: w.Size,
		DistInfo: w.DistInfo, Metadata: []any{w.Metadata.Name, w.Metadata.Version, w.Metadata.RequiresPython, anys(w.Metadata.RequiresDist), anys(w.Metadata.ProvidesExtra)},
		Pure: w.Info.RootIsPurelib, WheelTags: tagStrings(w.Info.Tags), CRLF: w.Record.CRLF, Console: scripts(w.Console), GUI: scripts(w.GUI), Record: []any{},
	}
	for _, text := range w.Metadata.RequiresDist {
		var normal *string
		if r, err := pep.ParseRequirement(text); err == nil {
			s := r.String()
			normal = &s
		}
		got.Requirements = append(got.Requirements, normal)
	}
	for _, row := range w.Record.Rows {
		got.Record = append(got.Record, []any{row.Path, row.Hash, float64(row.Size)})
	}
	got.Entries = entries(t, path)
	if len(want.Requirements) == 0 {
		want.Requirements = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-python +ours):\n%s", diff)
	}
}

func anys(texts []string) []any {
	all := []any{}
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}

func scripts(points []EntryPoint) []any {
	all := []any{}
	for _, p := range points {
		all = append(all, []any{p.Name, p.Module, anys(p.Attrs)})
	}
	return all
}

// entries reads every entry of a wheel to its end.
func entries(t *testing.T, path string) []any {
	a, err := OpenArchive(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var all []any
	for _, e := range a.Entries() {
		r, err := a.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		sum := crc32.NewIEEE()
		n, err := io.Copy(sum, r)
		if err != nil {
			t.Error(err)
		}
		r.Close()
		all = append(all, []any{e.Name, float64(n), float64(sum.Sum32()), float64(e.Method), float64(e.Attributes)})
	}
	return all
}
