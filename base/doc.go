// Package base looks into base images: which platforms there are, which Python and libc each holds, and so
// which wheels run there and where things have to go.
//
// In comes an image reference and something that pulls it, out comes a Base; and for each platform a
// Variant: the image, its file tree (package rootfs), its Python, its libc, and a Target, the PEP 508
// markers and PEP 425 tags that pex needs to choose wheels without running anything there.
//
// Invariant: inspection runs nothing of the image. What Python would say about itself is derived from
// files, and equals what `pex3 interpreter inspect --markers --tags` prints on the base's own interpreter,
// less platform_release and platform_version, which are the kernel's. Where files do not settle it,
// inspection ends with an error that says what was found where; it does not guess.
//
// # Finding Python
//
// The PATH of the image's config decides, as it would in a container: the first python3, else the first
// python, else the first python3.X. Links and virtual environments are followed to the interpreter that
// they stand for. If that is one that pexko does not support (PyPy, a free-threaded or debug build, a
// script), it is an error that names the others, not a reason to take the next.
//
// # Finding its version
//
// X.Y is the name of the standard library's directory beside the executable, found as CPython's getpath.py
// finds it (the landmark os.py). X.Y.Z comes from the executable, or the libpython that it asks for:
//
//  1. the exported variable Py_Version (3.11 and later), which is PY_VERSION_HEX;
//  2. the string literal PY_VERSION, "3.8.18" ended by a NUL byte. Linkers merge a literal into the end of
//     another ("…/versions/3.8.18"), so it counts also there; one that stands alone goes first;
//  3. include/pythonX.Y/patchlevel.h, where the strings leave a choice.
//
// PYTHON_VERSION in the config is a hint that is compared, never believed. The literal of the extension
// suffix (".cpython-313t-x86_64-linux-gnu.so") says whether it is a free-threaded or debug build.
//
// # libc
//
// The loader named by the executable's PT_INTERP says whether it is musl. glibc's version is the string that
// confstr(CS_GNU_LIBC_VERSION) returns, "glibc 2.36", in the libc.so.6 that the loader would find; musl's is
// the version literal in the loader.
//
// # Running it after all
//
// Compiling bytecode takes the base's own interpreter. Variant.Interpreter extracts it with its libraries
// and standard library, so that it runs on this machine by way of its own loader, without root rights or a
// container. It is the only thing here that leads to running anything, and package bytecode does it.
package base
