"""Runs in a container: ends with an error that names the sources below its arguments whose bytecode Python would not use."""

import importlib.util
import os
import sys


def fresh(source):
    try:
        with open(importlib.util.cache_from_source(source), "rb") as pyc:
            head = pyc.read(16)
    except FileNotFoundError:
        return not compiles(source)
    stat = os.stat(source)
    recorded = [int.from_bytes(head[i:i + 4], "little") for i in (4, 8, 12)]
    return head[:4] == importlib.util.MAGIC_NUMBER and recorded == [0, int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size]


def compiles(source):
    """Some wheels hold files that are no Python, templates mostly."""
    try:
        with open(source, "rb") as file:
            compile(file.read(), source, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


sources = [os.path.join(dir, name) for top in sys.argv[1:] for dir, _, names in os.walk(top) for name in names if name.endswith(".py")]
stale = [source for source in sources if not fresh(source)]
sys.exit(f"{len(stale)} of {len(sources)} are not compiled: {', '.join(stale[:5])}" if stale else 0)
