"""Prints which of the sources named on stdin Python would compile, for want of bytecode that it accepts."""

import importlib.machinery
import sys


class Compiles(Exception):
    pass


class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, **_):
        raise Compiles


for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        Loader("module", path).get_code("module")
    except Compiles:
        print(path)
