"""Prints what packaging says of platforms that are not at hand: tags of CPythons, and markers of prereleases.

packaging asks the running machine; the answers are replaced here by those of the machine in question. It is
the copy of packaging that pex itself uses.
"""

import json
import sys
import sysconfig
from types import SimpleNamespace

from pex.third_party.packaging import _manylinux, _musllinux, markers, tags


def platforms(arch, kind, major, minor):
    sysconfig.get_platform = lambda: "linux-" + arch
    glibc = _manylinux._GLibCVersion(major, minor) if kind == "glibc" else _manylinux._GLibCVersion(-1, -1)
    musl = _musllinux._MuslVersion(major, minor) if kind == "musl" else None
    _manylinux._get_glibc_version = lambda: glibc
    _manylinux._is_linux_armhf = _manylinux._is_linux_i686 = lambda executable: True
    _musllinux._get_musl_version = lambda executable: musl
    return list(tags._linux_platforms(is_32bit=False))


def all_tags(minor, platforms):
    cp = "cp3%d" % minor
    yield from tags.cpython_tags((3, minor), [cp], platforms)
    yield from tags.compatible_tags((3, minor), cp, platforms)


def implementation_version(level, serial):
    format_version = getattr(markers, "format_full_version", None) or markers._format_full_version
    return format_version(SimpleNamespace(major=3, minor=14, micro=0, releaselevel=level, serial=serial))


requests = json.load(sys.stdin)
json.dump(
    {
        "tags": [
            [str(t) for t in all_tags(r["python"], platforms(r["arch"], r["kind"], r["major"], r["minor"]))]
            for r in requests
        ],
        "versions": [implementation_version(l, s) for l, s in (("alpha", 2), ("beta", 1), ("candidate", 3), ("final", 0))],
    },
    sys.stdout,
)
