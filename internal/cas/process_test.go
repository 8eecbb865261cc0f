package cas

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary stand in for other processes that use the same cache.
func TestMain(m *testing.M) {
	if root := os.Getenv("CAS_TEST_ROOT"); root != "" {
		if err := another(root, os.Getenv("CAS_TEST_ROLE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// another is the life of another process.
func another(root, role string) error {
	s, err := Open(root)
	if err != nil {
		return err
	}
	switch role {
	case "killed":
		w, err := s.Create()
		if err != nil {
			return err
		}
		dir, _, err := s.TempDir()
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		if err := errors.Join(write(dir, "ro/f", "x"), os.Chmod(filepath.Join(dir, "ro"), 0o555)); err != nil {
			return err
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	default:
		for i := range 50 {
			if err := s.Put("r", fmt.Sprint(i%5), []byte(strings.Repeat(role, 10_000))); err != nil {
				return err
			}
			value, ok, err := s.Get("r", fmt.Sprint(i%5))
			if err != nil || !ok || strings.Trim(string(value), string(value[0])) != "" {
				return fmt.Errorf("record %d: %t %w", i, ok, err)
			}
		}
		_, err = s.Dir(context.Background(), "d", "one", func(dir string) error {
			f, err := os.OpenFile(filepath.Join(root, "fills"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString(role)
			return errors.Join(err, write(dir, "f", role))
		})
		return errors.Join(err, s.Close())
	}
}

func start(t *testing.T, root, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CAS_TEST_ROOT="+root, "CAS_TEST_ROLE="+role)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestProcessesShareAStore(t *testing.T) {
	root := t.TempDir()
	var all []*exec.Cmd
	for i := range 6 {
		all = append(all, start(t, root, fmt.Sprint(i)))
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if fills, err := os.ReadFile(filepath.Join(root, "fills")); err != nil || len(fills) != 1 {
		t.Errorf("filled by %q, %v; want one process", fills, err)
	}
	if left, _ := os.ReadDir(filepath.Join(root, "tmp")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenSweepsDeadProcessesAlone(t *testing.T) {
	root := t.TempDir()
	alive := open(t, root)
	w, err := alive.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := start(t, root, "killed").Wait(); err == nil {
		t.Fatal("the process was to be killed")
	}
	if left, _ := filepath.Glob(filepath.Join(root, "tmp", "*")); len(left) != 4 {
		t.Fatalf("before the sweep: %q", left)
	}
	open(t, root)
	if left, _ := filepath.Glob(filepath.Join(root, "tmp", "*")); len(left) != 2 {
		t.Errorf("after the sweep: %q", left)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := w.Commit(); err != nil {
		t.Errorf("the living process lost its work: %v", err)
	}
}

func TestOpenWhereNoDirectoryCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(filepath.Join(file, "cache"))
	var e *Error
	if !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("got %v", err)
	}
}

func TestModes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new", "cache")
	s := open(t, root)
	commit(t, s, "x")
	info, err := os.Stat(root)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("root: %v, %v", info.Mode(), err)
	}
}
