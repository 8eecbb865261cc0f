// Package rootfs shows the layers of an image as the one file tree that a container sees, without
// unpacking them.
//
// In come the layers of an image and the digests of their tars, out comes an FS: every path with its
// kind, mode, owner, size and link target, and the layer that holds its content. Making one reads each
// layer once, as a stream, and keeps headers only; those are cached by the digest of the layer's tar, so
// that a layer known from any image is not opened again. Content is read later, for chosen paths, from
// the layers that hold them.
//
// Layers are merged as an overlay file system merges directories that were unpacked on their own, which
// is what containerd, Docker and containers/storage do:
//
//   - ".wh.NAME" hides NAME of the layers below, ".wh..wh..opq" hides all that its directory has there
//     (OCI image-spec, layer.md, "Whiteouts"); neither hides what its own layer brings;
//   - a directory joins the directory of the same path below; anything else replaces what was there;
//   - a path that leads through a link of its own layer goes where the link points, but a path that leads
//     through a link of a layer below puts a directory in the link's place.
//
// Invariant: no path leads out of the root. Names with "..", links that climb and loops are either refused
// or end at the root, as in a chroot. Every byte that is handed out comes from a tar whose digest the
// image's config names, checked by the end of the read. Named limits bound what a layer can make us hold.
package rootfs
