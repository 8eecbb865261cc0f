package testenv_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

const idna = "idna-3.10-py3-none-any.whl"

func wheelhouse(t *testing.T) string {
	t.Helper()
	return testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: []string{"idna==3.10", "MarkupSafe==3.0.2"}})
}

// pip is the judge of an index.
func pip(t *testing.T, url string, requirement string) (files []string, output string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(testenv.Python(t, "3.11"), "-m", "pip", "--isolated", "--disable-pip-version-check", "download", "--no-cache-dir", "--retries=0", "--no-deps", "--index-url", url, "-d", dir, requirement)
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(e string) bool { return strings.HasPrefix(e, "PIP_") })
	out, _ := cmd.CombinedOutput()
	matches, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range matches {
		files = append(files, filepath.Base(m))
	}
	return files, string(out)
}

func TestPipDownloadsFromIndex(t *testing.T) {
	t.Parallel()
	index := testenv.Index(t, wheelhouse(t), testenv.IndexOptions{})
	files, out := pip(t, index.URL, "IDNA")
	if !slices.Equal(files, []string{idna}) || index.Count(idna) != 1 || index.Count("idna") != 1 {
		t.Errorf("%v %q\n%s", files, index.Requests(), out)
	}
	if files, out := pip(t, index.URL, "idna>4"); files != nil || !strings.Contains(out, "from versions: 3.10") {
		t.Errorf("%v %s", files, out)
	}
	index.Reset()
	if files, _ := pip(t, index.URL, "nosuch"); files != nil || !slices.Equal(index.Requests(), []string{"GET nosuch"}) {
		t.Errorf("%v %q", files, index.Requests())
	}
}

func TestIndexWantsPassword(t *testing.T) {
	t.Parallel()
	index := testenv.Index(t, wheelhouse(t), testenv.IndexOptions{User: "me", Password: "secret"})
	if files, out := pip(t, index.AuthURL(), "idna"); !slices.Equal(files, []string{idna}) {
		t.Errorf("%s", out)
	}
	for _, path := range []string{index.URL, index.URL + "idna/", index.FileURL(idna)} {
		resp, err := http.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %s", path, resp.Status)
		}
	}
}

func TestIndexFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path  string
		fault testenv.Fault
		want  string // in pip's output
	}{
		"page gone":    {"idna", testenv.Fault{Status: 404}, "No matching distribution"},
		"file gone":    {idna, testenv.Fault{Status: 404}, "404"},
		"file cut":     {idna, testenv.Fault{Cut: 1000}, "ERROR: "},
		"file corrupt": {idna, testenv.Fault{Corrupt: true}, "DO NOT MATCH"},
	} {
		t.Run(name, func(t *testing.T) {
			index := testenv.Index(t, wheelhouse(t), testenv.IndexOptions{})
			index.Fail(test.path, test.fault)
			if files, out := pip(t, index.URL, "idna"); files != nil || !strings.Contains(out, test.want) {
				t.Errorf("%v\n%s", files, out)
			}
		})
	}
}

func TestFaultsComeInTurn(t *testing.T) {
	t.Parallel()
	index := testenv.Index(t, wheelhouse(t), testenv.IndexOptions{})
	index.Fail(idna, testenv.Fault{Status: 503, Header: http.Header{"Retry-After": {"1"}}, Times: 2})
	index.Fail(idna, testenv.Fault{Cut: 10, Times: 1})
	var got []string
	for range 4 {
		resp, err := http.Get(index.FileURL(idna))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		got = append(got, strings.Fields(resp.Status)[0]+resp.Header.Get("Retry-After"))
		if err != nil {
			got = append(got, string(body[:2]), err.Error())
		}
	}
	if want := []string{"5031", "5031", "200", "PK", "unexpected EOF", "200"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIndexPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(wheelhouse(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, idna+".yanked"), []byte("broken\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	index := testenv.Index(t, dir, testenv.IndexOptions{})
	get := func(url string) (int, string) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for path, want := range map[string][]string{
		index.URL:                         {`<a href="idna/">idna</a>`, `<a href="markupsafe/">markupsafe</a>`},
		index.URL + "Idna":                {idna, `data-requires-python="&gt;=3.6"`, "data-core-metadata=\"sha256=", `data-yanked="broken"`},
		index.FileURL(idna + ".metadata"): {"Metadata-Version: ", "Name: idna"},
	} {
		code, body := get(path)
		for _, w := range want {
			if code != 200 || !strings.Contains(body, w) {
				t.Errorf("%q: %d, %q is not in\n%s", path, code, w, body)
			}
		}
	}
	for _, path := range []string{index.URL + "none/", index.FileURL("none.whl"), index.FileURL(idna + ".yanked"), index.FileURL("..%2f..%2fetc%2fpasswd")} {
		if code, body := get(path); code != 404 {
			t.Errorf("%q: %d %s", path, code, body)
		}
	}
}
