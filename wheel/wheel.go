package wheel

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"
	"strings"

	"github.com/pexko/pexko/internal/pep"
)

// Wheel is a verified wheel on this machine.
type Wheel struct {
	// Path is where the file lies.
	Path string
	Name Name
	// SHA256 is the digest of the file in hexadecimal.
	SHA256 string
	// Size is the file's, in bytes.
	Size int64
	// DistInfo is the name of the .dist-info directory as the archive spells it.
	DistInfo string
	Metadata Metadata
	Info     Info
	// Record is nil if the wheel has none, which pip refuses and pex repairs.
	Record *Record
	// Console and GUI are the scripts of entry_points.txt, in its order.
	Console, GUI []EntryPoint
}

// Open verifies the wheel at path and reads its metadata. The file is read once through for its digest; no more than its
// central directory and the four metadata files are held in memory.
func Open(path string) (*Wheel, error) {
	name, err := ParseName(filepath.Base(path))
	if err != nil {
		return nil, err
	}
	a, err := OpenArchive(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	w := &Wheel{Path: path, Name: name}
	if w.DistInfo, err = a.distInfo(name); err != nil {
		return nil, err
	}
	for _, read := range []func(*Archive) error{w.readMetadata, w.readInfo, w.readRecord, w.readEntryPoints, w.digest} {
		if err := read(a); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// distInfo finds the one .dist-info directory, by pip's rule: at the top, and named after the distribution.
func (a *Archive) distInfo(name Name) (string, error) {
	found := ""
	for _, e := range a.entries {
		dir, _, inside := strings.Cut(e.Name, "/")
		if !inside || !strings.HasSuffix(dir, ".dist-info") || dir == found {
			continue
		}
		if found != "" {
			return "", a.bad("", "two .dist-info directories: %s and %s", found, dir)
		}
		found = dir
	}
	switch {
	case found == "":
		return "", a.bad("", "no .dist-info directory")
	case !strings.HasPrefix(Normalize(found), name.Normalized()+"-"):
		return "", a.bad(found, "does not belong to %s, as the file name says", name.Normalized())
	}
	return found, nil
}

// need reads a file of the .dist-info directory that every wheel has.
func (w *Wheel) need(a *Archive, file string, limit int64) ([]byte, error) {
	path := w.DistInfo + "/" + file
	content, err := a.read(path, limit)
	if content == nil && err == nil {
		err = a.bad(path, "missing")
	}
	return content, err
}

func (w *Wheel) readMetadata(a *Archive) error {
	content, err := w.need(a, "METADATA", maxMetadata)
	if err != nil {
		return err
	}
	path := w.DistInfo + "/METADATA"
	if w.Metadata, err = ParseMetadata(content); err != nil {
		return a.bad(path, "%v", err)
	}
	if Normalize(w.Metadata.Name) != w.Name.Normalized() {
		return a.bad(path, "Name is %s, and %s in the file name", w.Metadata.Name, w.Name.Distribution)
	}
	if !sameVersion(w.Metadata.Version, w.Name.Version) {
		return a.bad(path, "Version is %s, and %s in the file name", w.Metadata.Version, w.Name.Version)
	}
	return nil
}

func sameVersion(a, b string) bool {
	v, errA := pep.ParseVersion(a)
	w, errB := pep.ParseVersion(b)
	if errA != nil || errB != nil {
		return a == b
	}
	return v.Compare(w) == 0
}

func (w *Wheel) readInfo(a *Archive) error {
	content, err := w.need(a, "WHEEL", maxMetadata)
	if err != nil {
		return err
	}
	if w.Info, err = ParseInfo(content); err != nil {
		return a.bad(w.DistInfo+"/WHEEL", "%v", err)
	}
	if w.Info.Tags == nil {
		w.Info.Tags = w.Name.Tags
	}
	return nil
}

func (w *Wheel) readRecord(a *Archive) error {
	path := w.DistInfo + "/RECORD"
	content, err := a.read(path, maxRecord)
	if err != nil || content == nil {
		return err
	}
	record, err := ParseRecord(content)
	if err != nil {
		return a.bad(path, "%v", err)
	}
	w.Record = &record
	return nil
}

func (w *Wheel) readEntryPoints(a *Archive) error {
	path := w.DistInfo + "/entry_points.txt"
	content, err := a.read(path, maxEntryPoints)
	if err != nil || content == nil {
		return err
	}
	if w.Console, w.GUI, err = parseEntryPoints(content); err != nil {
		return a.bad(path, "%v", err)
	}
	return nil
}

func (w *Wheel) digest(a *Archive) error {
	h := sha256.New()
	size, err := io.Copy(h, io.NewSectionReader(a.file, 0, 1<<62))
	w.Size, w.SHA256 = size, hex.EncodeToString(h.Sum(nil))
	return err
}
