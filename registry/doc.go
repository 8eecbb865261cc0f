// Package registry moves images: from a registry, layout or archive in, to the destinations out.
//
// In come references as a user writes them and images as package image makes them. Out come a pulled image
// whose blobs are fetched when they are read, once, into the store; the digest that was pushed with a count of
// what that took; an OCI layout, an OCI or Docker archive; an image in podman or docker.
//
// Invariants:
//
//   - What is read is verified: digest and size of every manifest, configuration and layer, wherever from.
//   - What is written is whole or not there: files get their name by a rename, an index.json comes last, a tag
//     is put after all that it needs.
//   - A registry is asked for as little as possible: an unchanged tag costs one HEAD of its manifest; a blob is
//     sent only if a HEAD does not find it and it cannot be mounted from where it came from.
//   - A registry that says when to come back (429, 503 with Retry-After) is left alone until then, by all requests.
//   - Neither passwords nor tokens nor signed URLs are in an error's text.
//
// The registry protocol itself is go-containerregistry's; the transport below it is ours.
package registry
