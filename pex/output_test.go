package pex

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What is named may be a pipe that somebody reads, or a link to where files are kept.
func TestAPEXIsWrittenThroughPipesAndLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, kept, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "kept"), filepath.Join(dir, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(kept, []byte("old"), 0o600), os.Symlink("kept", link)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // no open waits for the other end
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	made := writeText(t, filepath.Join(t.TempDir(), "made"), "new")
	for _, name := range []string{pipe, link} {
		if err := errors.Join(replaceable(name, Zipapp), publish(made, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := replaceable(pipe, Loose); err == nil {
		t.Error("a directory may take the place of a pipe")
	}
	for name, want := range map[string]os.FileMode{pipe: os.ModeNamedPipe, link: os.ModeSymlink} {
		if info, err := os.Lstat(name); err != nil || info.Mode().Type() != want {
			t.Fatalf("%s: %v, %v", name, info, err)
		}
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != "new" {
		t.Errorf("through the pipe came %q, %v", got, err)
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "new" {
		t.Errorf("the file has %q, %v", text, err)
	}
}
