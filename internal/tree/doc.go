// Package tree is the currency between the stages that make files and the stage that packs them.
//
// A Tree is a list of directories, regular files and symbolic links with everything that a layer
// records about them: path, mode, owner, size, link target, and the distribution they come from.
// Content is opened only when it is packed, so a tree of gigabytes costs the memory of its names.
//
// Invariant (Validate): paths are unique, clean, relative to the image root and valid as io/fs
// paths; a file has an opener and a size, a link has a target, and nothing has both.
package tree
