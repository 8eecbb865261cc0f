// Package image makes OCI images: trees become layers, layers and a base image become an image, images
// become an index.
//
// In come sorted-out trees (which file where, with which mode and owner), the base image and the settings
// of the configuration; out come v1.Image and v1.ImageIndex, whose new blobs lie in the store, written once
// and streamed from there.
//
// Invariant: the bytes depend on the arguments alone. Entries are sorted, parents first, with one time
// (Epoch), numeric owners and no names; compressors are pinned and named in Codec; JSON has sorted keys and
// no clock. The base's blobs are never read, let alone packed again. Memory does not grow with the size of a layer.
package image
