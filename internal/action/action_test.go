package action

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// runner is what a runner of GitHub's has for a step.
type runner struct {
	t         *testing.T
	action    node
	workspace string // the workflow's checkout
	temp      string // RUNNER_TEMP
	env       []string
	only      string // the id of the one step to run, if it is not all
}

// checkout is a copy of this repository, as the runner has the action's.
var checkout = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pexko-action-")
	if err != nil {
		return "", err
	}
	root := filepath.Join("..", "..")
	return dir, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		to := filepath.Join(dir, rel)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case !d.Type().IsRegular() || rel == "pexko":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := checkout(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	check(t, err)
	dir, err := checkout()
	check(t, err)
	r := &runner{t: t, action: parseYAML(t, string(text)), workspace: t.TempDir(), temp: t.TempDir()}
	cache := filepath.Join(os.Getenv("PEXKO_TESTBED"), "build-cache")
	r.env = append(os.Environ(), "GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+dir, "GITHUB_WORKSPACE="+r.workspace, "RUNNER_TEMP="+r.temp,
		"PEXKO_CACHE_DIR="+cache, "PEXKO_HOST_PYTHON="+testenv.Python(t, "3.11"))
	for name, text := range map[string]string{"app/pyproject.toml": "[project]\nname = \"shop\"\nversion = \"1\"\n", "app/main.py": "print('shop')\n"} {
		path := filepath.Join(r.workspace, filepath.FromSlash(name))
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return r
}

// outcome is what the steps left.
type outcome struct {
	err     error // of the step that failed
	log     string
	outputs map[string]string
	summary string
}

var expression = regexp.MustCompile(`\$\{\{\s*([\w.-]+)\s*\}\}`)

// run runs the steps with the inputs, as the runner does: expressions are replaced by texts, a script is written to a
// file and given to bash with -e and pipefail, outputs are read from a file.
func (r *runner) run(inputs map[string]string) outcome {
	r.t.Helper()
	values := map[string]string{}
	for _, name := range r.action.get("inputs").keys {
		values["inputs."+name] = r.action.get("inputs", name, "default").text
	}
	for name, text := range inputs {
		if _, ok := values["inputs."+name]; !ok {
			r.t.Fatalf("the action has no input %q", name)
		}
		values["inputs."+name] = text
	}
	summary := filepath.Join(r.t.TempDir(), "summary")
	o := outcome{outputs: map[string]string{}}
	for _, step := range r.action.get("runs", "steps").list {
		if r.only != "" && step.get("id").text != r.only {
			continue
		}
		output := filepath.Join(r.t.TempDir(), "output")
		check(r.t, os.WriteFile(output, nil, 0o644))
		o.err = r.step(step, values, append(slices.Clone(r.env), "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary), &o)
		text, err := os.ReadFile(output)
		check(r.t, err)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
			values["steps."+step.get("id").text+".outputs."+name] = value
		}
		if o.err != nil {
			break
		}
	}
	for _, name := range r.action.get("outputs").keys {
		o.outputs[name] = r.replace(r.action.get("outputs", name, "value").text, values)
	}
	text, err := os.ReadFile(summary)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.t.Fatal(err)
	}
	o.summary = string(text)
	return o
}

// step runs one step.
func (r *runner) step(step node, values map[string]string, env []string, o *outcome) error {
	if step.get("shell").text != "bash" {
		r.t.Fatalf("step %q runs by %q", step.get("name").text, step.get("shell").text)
	}
	for _, name := range step.get("env").keys {
		env = append(env, name+"="+r.replace(step.get("env", name).text, values))
	}
	script := filepath.Join(r.t.TempDir(), "script.sh")
	check(r.t, os.WriteFile(script, []byte(r.replace(step.get("run").text, values)), 0o644))
	cmd := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir, cmd.Env = r.workspace, env
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	err := cmd.Run()
	o.log += log.String()
	return err
}

// replace puts values in the place of expressions; one that nobody set is empty.
func (r *runner) replace(text string, values map[string]string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string { return values[expression.FindStringSubmatch(e)[1]] })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
