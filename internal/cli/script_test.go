package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pexko/pexko/internal/cli"
	"github.com/pexko/pexko/internal/testenv"
)

// TestMain lets the test binary be the command pexko in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pexko": func() {
		os.Exit(cli.Main(context.Background(), os.Args[1:], os.Environ(), cli.OS()))
	}})
}

// TestScripts runs the command as users do: a script for each behaviour, with all that it reads in the same
// file. testdata/script/README says what the scripts may use.
func TestScripts(t *testing.T) {
	s := newStage(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               s.setup,
		Cmds:                s.commands(),
		Condition:           s.condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// stage is what all scripts share: one cache, so that pex is fetched once, one host Python, the testbed.
type stage struct {
	t      *testing.T
	cache  string
	python string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, python: testenv.Python(t, "3.11"), cache: t.TempDir()}
	if dir := os.Getenv("PEXKO_TESTBED"); dir != "" {
		s.cache = filepath.Join(dir, "scripts")
	}
	s.warm()
	return s
}

// warm builds once with the machine's own settings of pip: the scripts' indexes do not have pex.
func (s *stage) warm() {
	s.t.Helper()
	dir := s.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.py"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "requirements.txt"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	args := []string{"build", dir, "--name=warm", "--base=oci:" + testenv.Base(s.t, "bookworm"), "--pex=" + filepath.Join(dir, "out.pex"), "--quiet"}
	env := append(os.Environ(), "PEXKO_CACHE_DIR="+s.cache, "PEXKO_HOST_PYTHON="+s.python)
	if code := cli.Main(s.t.Context(), args, env, cli.OS()); code != 0 {
		s.t.Fatalf("the first build ends with %d", code)
	}
}

// setup is the environment of a script: nothing outside of this machine, and no settings of its user.
func (s *stage) setup(e *testscript.Env) error {
	e.Setenv("PEXKO_CACHE_DIR", s.cache)
	e.Setenv("PEXKO_HOST_PYTHON", s.python)
	e.Setenv("HOST_PYTHON", s.python)
	e.Setenv("BOOKWORM", "oci:"+testenv.Base(s.t, "bookworm"))
	e.Setenv("BASES", "oci:"+filepath.Dir(testenv.Base(s.t, "bookworm")))
	e.Setenv("PIP_NO_INDEX", "1")
	e.Setenv("PIP_CONFIG_FILE", os.DevNull)
	e.Setenv("PIP_RETRIES", "0")
	for _, name := range []string{"CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF"} {
		e.Setenv(name, os.Getenv(name))
	}
	home := filepath.Join(e.WorkDir, ".home")
	e.Setenv("HOME", home)
	return os.Mkdir(home, 0o755)
}

// condition knows root, and base:NAME.
func (s *stage) condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "base:local":
		_, err := os.Stat(filepath.Join(os.Getenv("PEXKO_TESTBED"), "bases", "local"))
		return err == nil, nil
	}
	return false, &unknownCondition{name}
}

type unknownCondition struct{ name string }

func (e *unknownCondition) Error() string { return "unknown condition " + e.name }
