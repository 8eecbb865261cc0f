package e2e

import (
	"path/filepath"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// opentelemetry is what instruments an application that knows nothing of it, and what it needs. The first two share
// a namespace with the others and bring the console script.
var opentelemetry = []string{
	"opentelemetry-distro==0.66b1", "opentelemetry-instrumentation==0.66b1", "opentelemetry-instrumentation-sqlite3==0.66b1",
	"opentelemetry-instrumentation-dbapi==0.66b1", "opentelemetry-semantic-conventions==0.66b1", "opentelemetry-api==1.45.1",
	"opentelemetry-sdk==1.45.1", "wrapt==2.5.2", "packaging==26.3", "typing-extensions==4.16.0",
}

const tracedProgram = `import sqlite3
def main():
    cursor = sqlite3.connect(":memory:").cursor()
    cursor.execute("SELECT 6 * 7")
    print("answer", cursor.fetchone()[0])
`

// TestOpenTelemetryInstruments runs the wrapper, which puts its sitecustomize on PYTHONPATH and starts the application in the same
// process, as any user on a read-only file system. Only the wrapped program prints spans.
func TestOpenTelemetryInstruments(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	dir := filepath.Join(t.TempDir(), "traced")
	lock := pinned(t, testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: opentelemetry}))
	writeFiles(t, dir, map[string]string{"requirements.txt": lock, "traced.py": tracedProgram})
	image := build(t, order{dir: dir, base: "bookworm", platforms: []string{amd64}, flags: []string{"-e", "traced:main", "--name", "traced"}}).ids[amd64]
	env := []string{"OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none", "OTEL_SERVICE_NAME=traced"}
	own := configOf(t, image).Entrypoint
	const span = `"db.statement": "SELECT 6 * 7"`
	for name, test := range map[string]struct {
		entrypoint, args, env []string
		spans                 bool
	}{
		"alone":      {nil, nil, nil, false},
		"wrapped":    {[]string{"opentelemetry-instrument"}, own, nil, true},
		"directory":  {[]string{"opentelemetry-instrument"}, []string{"python", "/pex/traced.pex"}, nil, true},
		"PYTHONPATH": {nil, nil, []string{"PYTHONPATH=" + site + "opentelemetry/instrumentation/auto_instrumentation"}, true},
	} {
		for _, user := range users {
			got := podman.Run(testenv.Container{
				Image: image, User: user, ReadOnly: true, Entrypoint: test.entrypoint, Args: test.args, Env: append(test.env, env...),
			})
			if test.spans {
				contains(t, name+" as "+userName(user), got.Stdout, span)
			}
			contains(t, name+" as "+userName(user), got.Stdout, "answer 42\n")
			if got.Code != 0 || got.Stderr != "" || !test.spans && got.Stdout != "answer 42\n" {
				t.Errorf("%s as %s: %+v", name, userName(user), got)
			}
		}
	}
}
