package pex

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fetch has the host's pip download the pinned wheels into dir/wheels, checks them and unpacks pex into
// dir/pex. Run as a zip, pex could not identify interpreters.
func (t *Tool) fetch(ctx context.Context, p Python, dir string) error {
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, hashedRequirements(), 0o644); err != nil {
		return err
	}
	temp, remove, err := t.o.Store.TempDir()
	if err != nil {
		return err
	}
	defer remove()
	wheels, log := filepath.Join(dir, "wheels"), filepath.Join(temp, "pip.log")
	_, err = t.run.run(ctx, command{
		what: "pip download of pex " + Version,
		argv: []string{
			p.Path, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
			"--require-hashes", "--requirement", list, "--dest", wheels, "--log", log,
		},
		// A constraints file of the user's is meant for the project, not for the tool.
		env: t.env.with("TMPDIR="+temp).without("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"),
		dir: temp,
	})
	if err != nil {
		return t.explain(p, err, log, "pexko")
	}
	for _, pin := range pinned {
		if err := pin.check(filepath.Join(wheels, pin.file)); err != nil {
			return err
		}
	}
	return unpack(filepath.Join(wheels, pinned[0].file), filepath.Join(dir, "pex"))
}

// check compares the file with the pin: what is run is what was read, not what an index says.
func (p pin) check(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: pip downloaded another file; the index has to offer this very wheel", p.file)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.sha256 {
		return &HashError{File: p.file, Want: p.sha256, Got: got, By: "pexko"}
	}
	return nil
}

// unpack writes the files of a wheel whose hash is known, hence without limits.
func unpack(wheel, dir string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, entry := range archive.File {
		if strings.HasSuffix(entry.Name, "/") {
			continue
		}
		if err := unpackFile(root, entry); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(wheel), entry.Name, err)
		}
	}
	return nil
}

func unpackFile(root *os.Root, entry *zip.File) error {
	if err := root.MkdirAll(filepath.Dir(entry.Name), 0o755); err != nil {
		return err
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.OpenFile(entry.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
