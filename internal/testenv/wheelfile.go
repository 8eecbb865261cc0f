package testenv

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// WriteWheel makes a small wheel in dir: file is its name ("shop-1.0-py3-none-any.whl"), files its content
// by path. METADATA, WHEEL and RECORD are made of the name where files has none; lines that METADATA is to have
// besides ("Requires-Dist: idna") are the content under "METADATA". Equal arguments give equal bytes.
func WriteWheel(dir, file string, files map[string]string) (string, error) {
	parts := strings.SplitN(strings.TrimSuffix(file, ".whl"), "-", 3)
	if len(parts) < 3 {
		return "", fmt.Errorf("%s: not a wheel's name", file)
	}
	info := parts[0] + "-" + parts[1] + ".dist-info"
	all := map[string]string{
		path.Join(info, "METADATA"): fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s", parts[0], parts[1], files["METADATA"]),
		path.Join(info, "WHEEL"): fmt.Sprintf("Wheel-Version: 1.0\nGenerator: pexko's tests\nRoot-Is-Purelib: %t\nTag: %s\n",
			strings.HasSuffix(file, "-none-any.whl"), parts[2]),
	}
	maps.Copy(all, files)
	delete(all, "METADATA")
	record := path.Join(info, "RECORD")
	all[record] = recordOf(all, record)
	return writeZip(filepath.Join(dir, file), all)
}

// recordOf lists files as PEP 376 wants it.
func recordOf(files map[string]string, record string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[name]))
		fmt.Fprintf(&b, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[name]))
	}
	return b.String() + record + ",,\n"
}

func writeZip(name string, files map[string]string) (string, error) {
	out, err := os.Create(name)
	if err != nil {
		return "", err
	}
	archive := zip.NewWriter(out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Date(2020, 2, 2, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return "", err
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			return "", err
		}
	}
	if err := archive.Close(); err != nil {
		return "", err
	}
	return name, out.Close()
}
