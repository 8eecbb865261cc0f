package warm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
)

func TestDefines(t *testing.T) {
	for text, want := range map[string]bool{
		"def main(): pass":                  true,
		"async def main(): pass":            true,
		"class main: pass":                  true,
		"main = 1":                          true,
		"a, main = 1, 2":                    true,
		"main: int = 1":                     true,
		"import main":                       true,
		"from x import (\n  a,\n  main,\n)": true,
		"from x import y as main":           true,
		"from x import *":                   true,
		"if x:\n    def main(): pass":       true,
		"try:\n    from a import main\nexcept E:\n  pass": true,
		"def f():\n    global main\n    main = 1":         true,
		"def __getattr__(name): pass":                     true,
		"globals()['ma' + 'in'] = 1":                      true,
		"with x as main: pass":                            true,
		"for main in x: pass":                             true,
		"x = 'unterminated":                               true,
		"(":                                               true,
		"":                                                false,
		"def mainly(): pass":                              false,
		"def f():\n    main = 1\n    return main":   false,
		"class A:\n    def main(self): pass":        false,
		"# main":                                    false,
		"'''main'''":                                false,
		"x = 'main' \\\n  'main'":                   false,
		"def f(\n    main,\n):\n    pass\nx = 1":    false,
		"def f(): return '''\nmain = 1\n'''\ny = 2": false,
	} {
		if got, _ := defines(text, "main"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if _, others := defines("def one(): pass\nclass Two:\n  def three(self): pass\n", "x"); !slices.Equal(others, []string{"one", "Two"}) {
		t.Errorf("%q", others)
	}
}

// Every name that a module of the standard library has is one that it may define.
func TestDefinesKnowsTheStandardLibrary(t *testing.T) {
	lib := filepath.Join(filepath.Dir(testenv.Python(t, "3.11")), "../lib/python3.11")
	for file, names := range map[string]string{
		"argparse.py": "ArgumentParser SUPPRESS ONE_OR_MORE ngettext", "os.py": "getcwd path environ fsencode PathLike abc",
		"json/tool.py": "main", "timeit.py": "main default_timer", "subprocess.py": "run PIPE Popen _mswindows", "pickle.py": "dumps Pickler PROTO",
		"http/server.py": "test SimpleHTTPRequestHandler", "typing.py": "Any List Protocol", "socket.py": "create_connection AF_INET",
	} {
		text, err := os.ReadFile(filepath.Join(lib, file))
		check(t, err)
		for name := range strings.FieldsSeq(names) {
			if may, _ := defines(string(text), name); !may {
				t.Errorf("%s: %s", file, name)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"shop.app:main", "shop.app:make", "other:run", "x:y", "a:b", "c:d"}
	if diff := cmp.Diff([]string{"shop.app:main", "shop.app:make"}, nearest("shop.app:mian", names)); diff != "" {
		t.Error(diff)
	}
	if got := nearest("nothing.like.it", names); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if diff := cmp.Diff([]string{"a", "b"}, nearest("quite_different", []string{"b", "a"})); diff != "" {
		t.Error(diff)
	}
}

func FuzzDefines(f *testing.F) {
	f.Add("def main():\n  '''x'''\n")
	f.Add("\\")
	f.Add("x = '\\")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.Contains(text, "main") {
			return
		}
		defines(text, "main")
		if may, _ := defines("main = 1\n"+text, "main"); !may {
			t.Error("a name at the top is not found")
		}
	})
}
