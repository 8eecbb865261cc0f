// Package layering decides which parts of an application share a layer. It is pure: it sees names and
// sizes, never files.
//
// In come units (the standard library's bytecode, pex's bootstrap, one unit per wheel, the venv, the
// application) and a budget of layers beyond the base; out comes a list of layers, in the order in which
// they are stacked, each with the indices of its units.
//
// # The plan
//
//   - The standard library, the bootstrap, the venv and the application have a layer each. Their places
//     in the budget are reserved even where one is absent, so that another base moves no wheel.
//   - Of the rest of the budget, 5/8 is for the largest wheels of at least Large bytes, each on its own.
//   - 3/8 is for buckets: a wheel falls into one by a hash of its distribution's name (never of its
//     version or key), two buckets in three for pure wheels, which are then the same blob on every
//     architecture, one for platform wheels. Neighbouring buckets that hold less than Small bytes
//     together are one layer, so that a small image does not get twenty tiny layers.
//
// # Stability
//
// A plan is a function of the set of units alone; their order does not matter. A wheel that is added,
// removed or changed makes new: the layer that holds it; the bucket of the wheel that it displaces from
// (or leaves its place among) the largest; and, where a sum of bucket sizes crosses Small, the buckets
// that merge or part, less than Small bytes. The merging is decided per pair of neighbours, as in
// extendible hashing, not by the total: a number of buckets that follows the total would move everything
// whenever it changes.
//
// # Why these numbers
//
// Replayed over 25 lock histories of real applications (5,658 changes; BenchmarkReplay), as a share of all
// wheel bytes that a change pushes, mean over applications: one layer per wheel 8 %, the default budget 15 %
// with 12 layers of wheels (12 % with 16 if Large and Small were 0; the difference is in the small
// applications, where it is 2 MB a change for one of 37 MB), 40 layers 13 %, one layer for all 97 %. Ranks by
// size class, against jitter, and other shares between buckets and own layers were within half a point.
//
// Layers are stacked by how rarely they change, since a runtime unpacks again what stands above a changed
// layer: its snapshots are named by the chain of diffIDs. 78 % of the changed distributions of those histories are
// pure wheels, so platform wheels come first, and the large ones before the buckets.
package layering
