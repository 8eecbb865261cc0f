package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// command is what somebody runs in an image beside its own command, and what is to be in its standard output.
type command struct {
	example
	entrypoint []string
	env        []string
	args       []string
	want       []string
}

const printPath = "import sys; print(sys.path, sys.prefix)"

var commands = []command{
	{example{"api", "bookworm"}, nil, []string{"PEX_INTERPRETER=1"}, []string{"-c", printPath}, []string{"'/pex/venv/lib/python3.11/site-packages'] /pex/venv"}},
	{example{"api", "bookworm"}, nil, []string{"PEX_INTERPRETER=1"}, []string{"-m", "uvicorn", "--version"}, []string{"Running uvicorn"}},
	{example{"api", "bookworm"}, nil, []string{"PEX_MODULE=uvicorn"}, []string{"--version"}, []string{"Running uvicorn"}},
	{example{"api", "bookworm"}, nil, []string{"PEX_MODULE=api.cli:main"}, []string{"--help"}, []string{"--port PORT"}},
	{example{"api", "bookworm"}, nil, []string{"PEX_SCRIPT=uvicorn"}, []string{"--version"}, []string{"Running uvicorn"}},
	{example{"api", "bookworm"}, nil, nil, []string{"--help"}, []string{"usage: api [-h]"}},
	{example{"api", "bookworm"}, []string{"api"}, nil, []string{"--help"}, []string{"usage: api [-h]"}},
	{example{"api", "bookworm"}, []string{"uvicorn"}, nil, []string{"--version"}, []string{"Running uvicorn"}},
	{example{"api", "bookworm"}, []string{"python"}, nil, []string{"-m", "api.cli", "--help"}, []string{}},
	{example{"api", "bookworm"}, []string{"python"}, nil, []string{"/pex/api.pex", "--help"}, []string{"usage: api [-h]"}},
	{example{"api", "bookworm"}, []string{"/usr/bin/python3"}, nil, []string{"/pex/api.pex", "--help"}, []string{"usage: api [-h]"}},
	{example{"api", "bookworm"}, []string{"python", "/pex/api.pex"}, []string{"PEX_INTERPRETER=1"}, []string{"-c", printPath}, []string{"'/pex/venv/lib/python3.11/site-packages'] /pex/venv"}},
	{example{"api", "bookworm"}, []string{"python", "/pex/api.pex"}, []string{"PEX_SCRIPT=uvicorn"}, []string{"--version"}, []string{"Running uvicorn"}},
	{example{"api", "trixie"}, []string{"python", "/pex/api.pex"}, nil, []string{"--help"}, []string{"usage: api [-h]"}},
	{example{"api", "local"}, []string{"python", "/pex/api.pex"}, nil, []string{"--help"}, []string{"usage: api [-h]"}},
	{example{"django", "bookworm"}, nil, []string{"PEX_INTERPRETER=1"}, []string{"-c", printPath}, []string{"'/pex/venv/lib/python3.11/site-packages'] /pex/venv"}},
	{example{"django", "bookworm"}, nil, []string{"PEX_MODULE=django"}, []string{"--version"}, []string{"5.2"}},
	{example{"django", "bookworm"}, nil, []string{"PEX_SCRIPT=django-admin"}, []string{"check"}, []string{"no issues"}},
	{example{"django", "bookworm"}, []string{"python"}, nil, []string{"manage.py", "check"}, []string{"no issues"}},
	{example{"django", "bookworm"}, []string{"python"}, nil, []string{"manage.py", "migrate", "--plan"}, []string{"Create model User"}},
	{example{"django", "bookworm"}, []string{"python"}, nil, []string{"manage.py", "migrate", "--noinput"}, []string{"Applying auth.0001_initial... OK"}},
	{example{"django", "bookworm"}, []string{"./manage.py"}, nil, []string{"check"}, []string{"no issues"}},
	{example{"django", "bookworm"}, []string{"python"}, nil, []string{"manage.py", "findstatic", "mysite/site.css"}, []string{"/mysite/static/mysite/site.css"}},
	{example{"django", "bookworm"}, []string{"django-admin"}, nil, []string{"check"}, []string{"no issues"}},
	{example{"django", "bookworm"}, []string{"gunicorn"}, nil, []string{"--check-config", "mysite.wsgi"}, nil},
	{example{"django", "bookworm"}, []string{"python", "/pex/mysite.pex"}, nil, []string{"--check-config"}, nil},
	{example{"django", "bookworm"}, nil, nil, []string{"--check-config"}, nil},
}

// TestSecondCommands runs them as any user on a read-only file system; as root on one that can be written, to which
// nothing is.
func TestSecondCommands(t *testing.T) {
	t.Parallel()
	for i, test := range commands {
		// One user each, in turn; all for the directory PEX, where pex itself would ask whether the user can write.
		who := users[i%len(users) : i%len(users)+1]
		if strings.Contains(fmt.Sprint(test.entrypoint, test.args), ".pex") {
			who = users
		}
		for _, user := range who {
			t.Run(fmt.Sprintf("%s/%s %q %q/%s", test.name, test.entrypoint, test.env, test.args, userName(user)), func(t *testing.T) {
				t.Parallel()
				got, changes := testenv.Podman(t).RunDiff(testenv.Container{
					Image: test.image(t).ids[amd64], User: user, ReadOnly: user != "0", Entrypoint: test.entrypoint, Env: test.env, Args: test.args,
					Options: shm,
				})
				contains(t, "standard output", got.Stdout, test.want...)
				if got.Code != 0 || len(changes) > 0 {
					t.Errorf("exit code %d, changes %v\n%s%s", got.Code, changes, got.Stdout, got.Stderr)
				}
			})
		}
	}
}

// TestPexToolsRun: PEX_TOOLS is pex's own code, of which the image has all. It wants a place for temporary files.
func TestPexToolsRun(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	got := podman.Run(testenv.Container{
		Image: example{"api", "bookworm"}.image(t).ids[amd64], ReadOnly: true, Env: []string{"PEX_TOOLS=1"},
		Entrypoint: []string{"python", "/pex/api.pex"}, Args: []string{"info"}, Options: memory,
	})
	var info struct {
		Pex struct {
			Version string `json:"pex_version"`
		} `json:"build_properties"`
	}
	if err := json.Unmarshal([]byte(got.Stdout), &info); err != nil || info.Pex.Version == "" {
		t.Errorf("%v: %+v", err, got)
	}
}

// installed asks importlib.metadata for every file of every distribution, and hashes it.
const installed = `import base64, hashlib, importlib.metadata as m, json, sys
faults, files = [], 0
for d in m.distributions():
    if d.files is None or d.read_text("INSTALLER") != "pex\n" or d.read_text("METADATA") is None:
        faults.append(f"{d.name}: incomplete")
    for f in d.files or ():
        files += 1
        if not f.locate().is_file():
            faults.append(f"{d.name}: {f} is not there")
        elif f.hash and base64.urlsafe_b64encode(hashlib.new(f.hash.mode, f.read_binary()).digest()).rstrip(b"=").decode() != f.hash.value:
            faults.append(f"{d.name}: {f} is not what RECORD says")
json.dump({"names": sorted(d.name for d in m.distributions()), "files": files, "faults": faults}, sys.stdout)
`

// TestMetadataIsTrue looks at every file that the metadata of the installed distributions names.
func TestMetadataIsTrue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		example
		names []string // some of the distributions
		files int      // there are more
	}{
		{example{"api", "bookworm"}, []string{"api", "SQLAlchemy", "fastapi", "pydantic_core"}, 800},
		{example{"api", "local"}, []string{"api", "fastapi"}, 800},
		{example{"data", "bookworm"}, []string{"numpy", "pandas"}, 2000},
		{example{"django", "bookworm"}, []string{"Django", "gunicorn", "psycopg", "psycopg-binary"}, 3000},
	} {
		t.Run(test.name+"/"+test.base, func(t *testing.T) {
			t.Parallel()
			got := testenv.Podman(t).Run(testenv.Container{
				Image: test.image(t).ids[amd64], ReadOnly: true, Entrypoint: []string{"python"}, Args: []string{"-"}, Stdin: installed,
			})
			var found struct {
				Names  []string
				Files  int
				Faults []string
			}
			if err := json.Unmarshal([]byte(got.Stdout), &found); err != nil {
				t.Fatalf("%+v", got)
			}
			for _, fault := range found.Faults {
				t.Error(fault)
			}
			contains(t, "distributions", strings.Join(found.Names, "\n"), test.names...)
			if found.Files < test.files {
				t.Errorf("only %d files are known", found.Files)
			}
		})
	}
}
