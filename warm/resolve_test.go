package warm

import (
	"errors"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

func TestEntryPointsThatAreNotThere(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	app := shop(
		tree.NewFile("src/store/__init__.py", 0o644, []byte("def make_app(): pass\n")),
		tree.NewFile("src/store/serve.py", 0o644, []byte("def main(): pass\n")),
		tree.NewFile("src/runs/__main__.py", 0o644, nil), tree.NewFile("src/runs/__init__.py", 0o644, nil),
		tree.NewFile("src/space/deep/mod.py", 0o644, nil), tree.NewFile("src/odd_elsewhere/by_pth.py", 0o644, nil),
	)
	f, _ := c.pex(pex.AssembleRequest{Code: below(app.Files, "src")}, oddWheels(t))
	for _, test := range []struct {
		entry     EntryPoint
		err, hint string // "" is success
	}{
		{EntryPoint{}, "entry point : there is none; an image has to start something", ""},
		{EntryPoint{Module: "shop"}, "", ""},
		{EntryPoint{Module: "store.serve", Function: "main"}, "", ""},
		{EntryPoint{Module: "store", Function: "make_app.run"}, "", ""},
		{EntryPoint{Module: "runs"}, "", ""},
		{EntryPoint{Module: "http.server"}, "", ""},
		{EntryPoint{Module: "odd_one", Function: "main"}, "", ""},
		{EntryPoint{Module: "by_pth", Function: "main"}, "", ""},
		{EntryPoint{Script: "odd-gui"}, "", ""},
		{EntryPoint{Script: "sh-tool"}, "", ""},
		{EntryPoint{Module: "shopp"}, "entry point shopp: no module shopp in the application, its dependencies or the standard library", "did you mean shop?"},
		{EntryPoint{Module: "serve", Function: "main"}, "entry point serve:main: no module serve in the application, its dependencies or the standard library", "did you mean store.serve:main?"},
		{EntryPoint{Module: "store"}, "entry point store: store is a package without __main__.py; python -m cannot run it", "did you mean store.serve?"},
		{EntryPoint{Module: "store.serve", Function: "mian"}, "entry point store.serve:mian: module store.serve (/app/src/store/serve.py) has no mian", "did you mean store.serve:main?"},
		{EntryPoint{Module: "odd_one", Function: "run"}, "entry point odd_one:run: module odd_one (/pex/installed_wheels/3/", "did you mean odd_one:main?"},
		{EntryPoint{Script: "odd-oen"}, "entry point odd-oen: no distribution in the image has a script of that name", "did you mean odd-one?"},
		{EntryPoint{Script: "../python"}, "entry point ../python: no distribution in the image has a script of that name", ""},
		{EntryPoint{Module: "../shop"}, "entry point ../shop: no module ../shop in", ""},
	} {
		app.Entry = test.entry
		_, err := Make(t.Context(), f, c.variant, app, nil, Options{})
		var wrong *EntryError
		switch {
		case test.err == "":
			if err != nil {
				t.Errorf("%s: %v", test.entry, err)
			}
		case !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), test.err):
			t.Errorf("%s: %v", test.entry, err)
		case wrong.Hint() != test.hint:
			t.Errorf("%s: hint %q, want %q", test.entry, wrong.Hint(), test.hint)
		}
	}
}
