package base

import (
	"os"
	"path/filepath"
	"strings"
)

// fullName spells a registry reference out as distribution's reference package does: "python:3.13" is
// "docker.io/library/python:3.13". Where there is a tag and a digest the tag is kept, since it is what says
// where a newer base is to be found; the digest has an annotation of its own. It is "" for a file or directory.
func fullName(ref string) string {
	if isPath(ref) {
		return ""
	}
	repository, digest, pinned := strings.Cut(strings.TrimPrefix(ref, "docker://"), "@")
	domain, rest, ok := strings.Cut(repository, "/")
	if !ok || !strings.ContainsAny(domain, ".:") && domain != "localhost" {
		domain, rest = "docker.io", repository
	}
	switch domain {
	case "index.docker.io", "registry-1.docker.io":
		domain = "docker.io"
	}
	if domain == "docker.io" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	tagged := strings.Contains(rest[strings.LastIndexByte(rest, '/')+1:], ":")
	switch {
	case tagged:
		return domain + "/" + rest
	case pinned:
		return domain + "/" + rest + "@" + digest
	}
	return domain + "/" + rest + ":latest"
}

// isPath says whether a reference names a layout or archive on this machine: by its scheme, by how it begins, or
// because there is one at that path. It is the rule by which package registry pulls.
func isPath(ref string) bool {
	for _, scheme := range []string{"oci:", "oci-archive:", "docker-archive:", "/", "./", "../"} {
		if strings.HasPrefix(ref, scheme) {
			return true
		}
	}
	if exists(ref) {
		return ref == "." || holdsImages(ref)
	}
	for i, r := range ref {
		if (r == ':' || r == '@') && i > 0 && exists(ref[:i]) {
			return holdsImages(ref[:i])
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// holdsImages tells an archive or layout from any other directory: "python:3.13" does not mean a directory of
// the project that is called python.
func holdsImages(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return err == nil
	}
	return exists(filepath.Join(path, "oci-layout")) || exists(filepath.Join(path, "index.json"))
}
