package pex

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/wheel"
)

// maxRecord bounds the RECORD of a wheel that was built here, in bytes.
const maxRecord = 64 << 20

// normalise writes the wheel at from, which was built on this machine, to the directory to, and returns it read
// back. Names, times and modes of its entries are then those of every machine: all times are 1980-01-01, all
// modes 0644, or 0755 for what was executable or a directory; entries and the rows of RECORD are sorted, the
// .dist-info last, as PEP 427 recommends. Contents are stored, not compressed, since compressors differ.
//
// It matters: pex notes times, modes and order of the entries in original-whl-info.json, which counts in the
// fingerprint (pep_427.py). With SOURCE_DATE_EPOCH most backends fix the times, but hardly one the modes of
// what it generates under the umask.
func normalise(from, to string) (*wheel.Wheel, error) {
	built, err := wheel.Open(from) // before anything else reads it
	if err != nil {
		return nil, fmt.Errorf("the wheel that was built here: %w", err)
	}
	source, err := zip.OpenReader(from)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	name := filepath.Join(to, filepath.Base(from))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	archive := zip.NewWriter(file)
	for _, entry := range inOrder(source.File, built.DistInfo) {
		if err == nil {
			err = copyEntry(archive, entry, built.DistInfo)
		}
	}
	if err = errors.Join(err, archive.Close(), file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(from), err)
	}
	return wheel.Open(name)
}

// inOrder sorts by path, .dist-info after all else and RECORD last.
func inOrder(entries []*zip.File, info string) []*zip.File {
	sorted := slices.Clone(entries)
	rank := func(e *zip.File) int {
		switch {
		case e.Name == info+"/RECORD":
			return 2
		case strings.HasPrefix(e.Name, info+"/"):
			return 1
		}
		return 0
	}
	slices.SortFunc(sorted, func(a, b *zip.File) int {
		if ra, rb := rank(a), rank(b); ra != rb {
			return ra - rb
		}
		return strings.Compare(a.Name, b.Name)
	})
	return sorted
}

// Fields of a zip entry as Python's zipfile writes them on Unix.
const (
	dosEpoch  = 1<<5 | 1 // 1980-01-01
	unix      = 3 << 8
	dosFolder = 0x10
)

// copyEntry adds one entry. Its header is written whole, without a data descriptor, by CreateRaw.
func copyEntry(to *zip.Writer, e *zip.File, info string) error {
	header := &zip.FileHeader{
		Name: e.Name, CreatorVersion: unix | 20, ReaderVersion: 20,
		ModifiedDate:  dosEpoch, //lint:ignore SA1019 CreateRaw writes it as it is, and nothing of Modified
		ExternalAttrs: 0o100644 << 16, CRC32: e.CRC32, UncompressedSize64: e.UncompressedSize64,
	}
	if strings.ContainsFunc(e.Name, func(r rune) bool { return r > '~' }) {
		header.Flags = 0x800 // the name is UTF-8
	}
	var content io.Reader
	switch {
	case strings.HasSuffix(e.Name, "/"):
		header.ExternalAttrs = 0o40755<<16 | dosFolder
		content = bytes.NewReader(nil)
	case e.Name == info+"/RECORD":
		text, err := sortedRecord(e)
		if err != nil {
			return err
		}
		header.UncompressedSize64, header.CRC32 = uint64(len(text)), crc32.ChecksumIEEE(text)
		content = bytes.NewReader(text)
	default:
		if e.ExternalAttrs>>16&0o100 != 0 {
			header.ExternalAttrs = 0o100755 << 16
		}
		opened, err := e.Open()
		if err != nil {
			return err
		}
		defer opened.Close()
		content = opened
	}
	header.CompressedSize64 = header.UncompressedSize64
	w, err := to.CreateRaw(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}

// sortedRecord is RECORD with its rows sorted by path and its own last.
func sortedRecord(e *zip.File) ([]byte, error) {
	if e.UncompressedSize64 > maxRecord {
		return nil, fmt.Errorf("RECORD: more than %d bytes", maxRecord)
	}
	opened, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	rows := csv.NewReader(opened)
	rows.FieldsPerRecord = -1
	all, err := rows.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("RECORD: %w", err)
	}
	own := func(row []string) bool { return row[0] == e.Name }
	slices.SortFunc(all, func(a, b []string) int {
		if own(a) != own(b) {
			return map[bool]int{true: 1, false: -1}[own(a)]
		}
		return strings.Compare(path.Clean(a[0]), path.Clean(b[0]))
	})
	var text bytes.Buffer
	written := csv.NewWriter(&text)
	if err := written.WriteAll(all); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
