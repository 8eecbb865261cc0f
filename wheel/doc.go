// Package wheel reads wheels: their file names and tags (PEP 427, PEP 425), the zip archive, and the metadata in it.
//
// In comes the path of a wheel that something else has brought; out comes a Wheel: its name, digest and size, METADATA,
// WHEEL, RECORD and entry points, and an Archive that opens single entries. A wheel is hostile input: whoever controls
// an index or a lock controls every byte of it. So the archive is parsed once, here, and what is checked is what is
// read; all that two zip readers could understand differently is refused (see Archive), and so is what is larger than
// the limits in limits.go. The contents are read through, never held: memory does not grow with a wheel's size.
//
// Invariant: a Wheel's file name, METADATA and .dist-info directory agree on name and version, and every entry has a clean
// relative path, no two of them at one place. RECORD's hashes are not compared: pip, uv and pex do not either, real wheels
// have wrong ones, and whoever could change a file could change its row; what counts is the SHA-256 of the whole.
package wheel
