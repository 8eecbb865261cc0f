package testenv

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// StandIn describes a base image in which nothing runs: enough of a Debian with a Python for an inspection,
// a few kilobytes, and the same bytes on every machine and at any time.
type StandIn struct {
	Python string // "3.11.2"
	Arch   string // "amd64" or "arm64"
	// Stdlib is what the standard library holds besides an empty os.py, by path below it.
	Stdlib map[string]string
}

// Write makes the OCI layout dir with the base under the tag "1" and returns its reference, "oci:DIR:1".
func (s StandIn) Write(dir string) (string, error) {
	layer, err := s.layer()
	if err != nil {
		return "", err
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return "", err
	}
	put := func(content []byte) (map[string]any, error) {
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		return map[string]any{"digest": "sha256:" + sum, "size": len(content)}, os.WriteFile(filepath.Join(blobs, sum), content, 0o644)
	}
	l, err := put(layer)
	if err != nil {
		return "", err
	}
	c, err := put(encode(map[string]any{
		"architecture": s.Arch, "os": "linux", "config": map[string]any{"Env": []string{"PATH=/usr/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []any{l["digest"]}},
	}))
	if err != nil {
		return "", err
	}
	l["mediaType"], c["mediaType"] = "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.config.v1+json"
	const manifestType = "application/vnd.oci.image.manifest.v1+json"
	m, err := put(encode(map[string]any{"schemaVersion": 2, "mediaType": manifestType, "config": c, "layers": []any{l}}))
	if err != nil {
		return "", err
	}
	m["mediaType"], m["annotations"] = manifestType, map[string]string{"org.opencontainers.image.ref.name": "1"}
	for name, content := range map[string]any{
		"oci-layout": map[string]string{"imageLayoutVersion": "1.0.0"},
		"index.json": map[string]any{"schemaVersion": 2, "manifests": []any{m}},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), encode(content), 0o644); err != nil {
			return "", err
		}
	}
	return "oci:" + dir + ":1", nil
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return text
}

// layer is the root file system.
func (s StandIn) layer() ([]byte, error) {
	machines := map[string]struct {
		elf                  elf.Machine
		triplet, lib, loader string
	}{
		"amd64": {elf.EM_X86_64, "x86_64-linux-gnu", "lib64", "ld-linux-x86-64.so.2"},
		"arm64": {elf.EM_AARCH64, "aarch64-linux-gnu", "lib", "ld-linux-aarch64.so.1"},
	}
	m, ok := machines[s.Arch]
	if !ok {
		return nil, fmt.Errorf("a stand-in for the architecture %q", s.Arch)
	}
	minor := minor(s.Python)
	files := map[string]string{
		"usr/bin/python" + minor:                program(m.elf, "/"+m.lib+"/"+m.loader, s.Python),
		"usr/bin/python3":                       "->python" + minor,
		"usr/lib/python" + minor + "/os.py":     "",
		"usr/lib/" + m.triplet + "/libc.so.6":   program(m.elf, "", "glibc 2.36"),
		"usr/lib/" + m.triplet + "/" + m.loader: program(m.elf, ""),
		m.lib + "/" + m.loader:                  "->../usr/lib/" + m.triplet + "/" + m.loader,
		"etc/os-release":                        "ID=debian\nVERSION_ID=\"12\"\n",
		"etc/ld.so.conf":                        "/usr/lib/" + m.triplet + "\n",
	}
	for name, content := range s.Stdlib {
		files["usr/lib/python"+minor+"/"+name] = content
	}
	return tarOf(files)
}

// program is the head of an ELF file, with the loader that it asks for and strings; there is no code in it.
func program(machine elf.Machine, loader string, texts ...string) string {
	var b bytes.Buffer
	head := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	segment := elf.Prog64{Type: uint32(elf.PT_NOTE), Off: 120}
	if loader != "" {
		segment = elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 120, Filesz: uint64(len(loader) + 1)}
	}
	for _, part := range []any{head, segment, []byte(loader + "\x00" + strings.Join(texts, "\x00") + "\x00")} {
		_ = binary.Write(&b, binary.LittleEndian, part) // a buffer takes all
	}
	return b.String()
}

// tarOf writes files, links ("->target") and, before them, their directories.
func tarOf(files map[string]string) ([]byte, error) {
	all := maps.Clone(files)
	for name := range files {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			all[dir+"/"] = ""
		}
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		content := all[name]
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1_700_000_000, 0), Format: tar.FormatUSTAR}
		target, link := strings.CutPrefix(content, "->")
		switch {
		case link:
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, target, 0, ""
		case strings.HasSuffix(name, "/"):
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		case strings.HasPrefix(content, "\x7fELF"):
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
