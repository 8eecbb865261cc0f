// Package project turns a directory into a validated Project: what the application is, which of its files
// go into the image, how it starts, and every setting of the build.
//
// In come the directory (pyproject.toml, or only requirements.txt beside sources), the command line's
// Flags and a lookup into the environment; out comes one Project. It reads files and runs nothing. The
// facts about the project follow PEP 517, 518, 621 and 735; the settings are those of docs/configuration.md.
//
// Invariant: a Project that Load returns is complete and valid. Each setting remembers where it was set, and
// every error names that place: a flag, a variable, or file:row:column. The files and their order depend
// on the project's tree alone: not on this machine's git configuration, umask, locale or user.
package project
