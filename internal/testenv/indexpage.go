package testenv

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// page answers with the anchors of a project, or of all projects where project is empty.
func (x *IndexServer) page(w http.ResponseWriter, r *http.Request, project string) {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var anchors []string
	for _, e := range entries {
		name := projectOf(e.Name())
		switch {
		case name == "":
		case project == "":
			anchors = append(anchors, fmt.Sprintf("<a href=\"%s/\">%s</a><br>\n", name, name))
		case name == project:
			anchors = append(anchors, x.anchor(e.Name()))
		}
	}
	if project != "" && len(anchors) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.1\"><title>%s</title></head>\n<body>\n%s</body></html>\n",
		html.EscapeString(project), strings.Join(slices.Compact(anchors), ""))
}

// anchor is a file's link: its hash, the Pythons it is for, whether its metadata can be had alone, whether it is yanked.
func (x *IndexServer) anchor(file string) string {
	text, err := os.ReadFile(filepath.Join(x.dir, file))
	if err != nil {
		return "<!-- " + html.EscapeString(err.Error()) + " -->\n"
	}
	attributes := ""
	if metadata := metadataOf(text); strings.HasSuffix(file, ".whl") && metadata != nil {
		attributes += fmt.Sprintf(" data-core-metadata=\"sha256=%x\"", sha256.Sum256(metadata))
		header, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(metadata))).ReadMIMEHeader()
		if python := header.Get("Requires-Python"); python != "" {
			attributes += fmt.Sprintf(" data-requires-python=\"%s\"", html.EscapeString(python))
		}
	}
	if reason, err := os.ReadFile(filepath.Join(x.dir, file+".yanked")); err == nil {
		attributes += fmt.Sprintf(" data-yanked=\"%s\"", html.EscapeString(strings.TrimSpace(string(reason))))
	}
	return fmt.Sprintf("<a href=\"/files/%s#sha256=%x\"%s>%s</a><br>\n", file, sha256.Sum256(text), attributes, file)
}

// file answers with a file, ranges of it included, or with a wheel's metadata.
func (x *IndexServer) file(w http.ResponseWriter, r *http.Request, name string) {
	wheel, isMetadata := strings.CutSuffix(name, ".metadata")
	text, err := os.ReadFile(filepath.Join(x.dir, wheel))
	if isMetadata {
		text = metadataOf(text)
	}
	if err != nil || text == nil || projectOf(wheel) == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// metadataOf returns a wheel's METADATA, nil if the bytes are no wheel.
func metadataOf(wheel []byte) []byte {
	archive, err := zip.NewReader(bytes.NewReader(wheel), int64(len(wheel)))
	if err != nil {
		return nil
	}
	for _, f := range archive.File {
		if dir, base := filepath.Split(f.Name); base != "METADATA" || !strings.HasSuffix(dir, ".dist-info/") || strings.Count(dir, "/") != 1 {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			return nil
		}
		return text
	}
	return nil
}

// projectOf returns the normalised project of a wheel's or source distribution's file name, empty for any other file.
func projectOf(file string) string {
	if name, rest, ok := strings.Cut(file, "-"); ok && strings.HasSuffix(rest, ".whl") {
		return normalize(name)
	}
	for _, suffix := range []string{".tar.gz", ".zip"} {
		stem, ok := strings.CutSuffix(file, suffix)
		if at := strings.LastIndex(stem, "-"); ok && at > 0 {
			return normalize(stem[:at])
		}
	}
	return ""
}

// normalize is PEP 503's.
func normalize(name string) string {
	return strings.ToLower(regexp.MustCompile(`[-_.]+`).ReplaceAllString(name, "-"))
}
