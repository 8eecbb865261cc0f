package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pexko/pexko"
)

// outputs are the files that the command itself writes.
func (o *buildOptions) outputs() []string {
	var files []string
	for _, f := range []string{o.imageRefs, o.metadataFile} {
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}

// writeFiles writes what --image-refs and --metadata-file ask for.
func (o *buildOptions) writeFiles(r *pexko.Result) error {
	if o.imageRefs != "" {
		if err := writeFile(o.imageRefs, []byte(strings.Join(r.References, "\n")+"\n")); err != nil {
			return err
		}
	}
	if o.metadataFile == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(o.metadataFile, append(raw, '\n'))
}

// writeFile puts a whole file in place or leaves what is there; a link to it stays one. A pipe or device
// (/dev/stdout) is written as it is.
func writeFile(name string, content []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return pour(name, content)
	}
	file := name
	if target, err := filepath.EvalSymlinks(name); err == nil {
		file = target
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".pexko-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func pour(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// relay shows the lines of pex and pip with --verbose.
func (a *app) relay(verbose bool) func(string) {
	if !verbose {
		return nil
	}
	console := a.progress()
	return func(line string) { console.Line("  " + line) }
}
