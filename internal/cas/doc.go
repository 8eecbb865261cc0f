// Package cas is the cache on disk: what was downloaded, built or compiled once and is wanted again.
//
// In come bytes, out come the same bytes or none. A store holds three kinds of things:
//
//   - blobs, named by the SHA-256 of their content (wheels, layers, base layers): Create, OpenBlob;
//   - records, small values under a key of the caller's (a compiled module, an inspection): Put, Get;
//   - directories under a key (an extracted interpreter, an installed pex): Dir.
//
// Invariant: whoever reads sees the whole value or nothing. All is written to a temporary file or
// directory of the same file system and renamed into place, with each write and close checked. What a
// crash, a full disk or a bad sector left behind is recognised when it is read (digest, checksum, or the
// sizes of a directory's files), removed, and absent from then on; nothing is trusted for having a name.
// Any number of processes and goroutines may use one store at the same time.
//
// Durability differs on purpose. A blob is fsynced before it gets its name, since it may have cost a
// download of gigabytes. Records and directories are not: they are cheap to make again, there are
// thousands of them, and a torn one reads as absent.
//
// The root is created with mode 0700: it holds wheels of private indexes and layers of private images,
// and nobody else has to read it. A root that exists is taken as it is, and below it modes follow the
// umask, so a group can share a cache by making its directory first.
//
//	blobs/sha256/<hex>             content
//	records/<space>/<xx>/<hash>    checksum, then content; hash is that of the key
//	dirs/<space>/<hash>            directory; what it has to hold is in the record of the same key
//	locks/<space>/<hash>           lock file of a directory's makers; never removed, since that would race
//	tmp/<name>, tmp/<name>.lock    unfinished work of one process and the lock that says it is alive
package cas
