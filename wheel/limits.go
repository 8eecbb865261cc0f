package wheel

// The limits that a wheel must keep. The largest real ones are far below: nvidia's and torch's wheels hold up to 3 GB in
// a dozen files, those with the most files some 40,000.
const (
	// MaxEntries is the number of entries of one archive.
	MaxEntries = 250_000
	// MaxUncompressed is the sum of the uncompressed sizes of all entries, in bytes.
	MaxUncompressed = 32 << 30
	// MaxRatio is how many times larger the entries may be than the archive. It counts from RatioFrom bytes on: a few
	// pages of zeros compress a thousandfold and harm nobody.
	MaxRatio  = 250
	RatioFrom = 256 << 20

	maxDirectory   = 64 << 20 // bytes of the central directory
	maxMetadata    = 8 << 20  // bytes of METADATA and of WHEEL
	maxRecord      = 64 << 20 // bytes of RECORD
	maxEntryPoints = 1 << 20  // bytes of entry_points.txt
	maxComment     = 1<<16 - 1
	maxZstdWindow  = 128 << 20 // bytes of memory that one zstd entry may ask for
)
