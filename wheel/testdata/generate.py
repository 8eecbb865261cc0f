"""Writes, as JSON on standard output, what Python makes of wheel names and tags (packaging 26.3), rows of RECORD (csv) and
metadata files (email). The answers are kept in python.json:

    PYTHONPATH=packaging-26.3-py3-none-any.whl python3 generate.py > python.json
"""
import csv
import email.parser
import itertools
import json
import random
import sys

from packaging.tags import InvalidTag, parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

R = random.Random(427)

NAMES = """
a-1-py3-none-any.whl
Foo_Bar-1.0.0-py2.py3-none-any.whl
foo.bar-1.0-1-py3-none-any.whl
foo-1.0-1local-py3-none-any.whl
foo-1.0-007x-py3-none-any.whl
foo-1.0-local-py3-none-any.whl
foo-1.0--py3-none-any.whl
foo-1.0+abc.1-cp311-cp311-linux_x86_64.whl
foo-1.0+abc_1-cp311-cp311-linux_x86_64.whl
foo-1.0_1-py3-none-any.whl
foo-1.0.post1-py3-none-any.whl
foo-2!1.0-py3-none-any.whl
foo-x-py3-none-any.whl
foo-1.0-py3-none.whl
foo-1.0-1-2-py3-none-any.whl
foo-1.0-py3-none-any.zip
foo-1.0-py3-none-any.WHL
foo-1.0-py3-none-any
foo__bar-1.0-py3-none-any.whl
-1.0-py3-none-any.whl
foo bar-1.0-py3-none-any.whl
foo@bar-1.0-py3-none-any.whl
foo-1.0-Py3-None-ANY.whl
foo-1.0-py3.-none-any.whl
foo-1.0-py3-.none-any.whl
foo-1.0-py3--any.whl
foo-1.0-3py-none-any.whl
foo-1.0-py3-none-any.any.whl
numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
pip-24.0-py3-none-any.whl.whl
_foo-1.0-py3-none-any.whl
.foo-1.0-py3-none-any.whl
foo-1.0 -py3-none-any.whl
foo-v1.0-py3-none-any.whl
.whl
""".strip().split("\n")

TAGS = ["py3-none-any", "py2.py3-none-any", "cp311-abi3.none-linux_x86_64.manylinux_2_17_x86_64", "py3-none", "py3-none-any-x", "", "py3--any", "PY3-None-Any",
        "py3.-none-any", "3-none-any", "py 3-none-any", "py3-none-", "-none-any", "_-a-b", "py3-none-any.any"]

ROWS = ["a,b,1", "a,,", ",,", '"a,b",sha256=x,3', '"a""b",,', 'a"b,,', '"a"b,,', '"a" ,,', 'a,"b",c"', '""", x",,', "a", "a,b", "a,b,1,2", 'a,b,"1"', "a,b,x", " a , b , 1", "a,b,-1",
        '"",,', '"a"",b",,', 'x,"",""', "ü,,7", "a/,,", "/abs,,", "../up,,"]
ROWS += [",".join("".join(R.choice('ab" ,"') for _ in range(R.randint(0, 5))) for _ in range(3)) for _ in range(300)]

LINES = ["Name: x", "name:y", "Name:", "Name:  padded  ", " continued", "\tcontinued", "Version: 1", "no colon", "", "Bad Name: x", ": x", "Requires-Dist: a; extra == 'x'",
         "Requires-Dist: b>=1", "Provides-Extra: x", "X-Y: a: b"]
MESSAGES = ["", "\n", "Name: x", "Name: x\r\nVersion: 1\r\n\r\nbody: no\r\n", "Name: x\rVersion: 2\r", " first\nName: x\n", "Name: x\n \n\nVersion: 1", "Summary: a\n  b\n\tc\nName: x\n"]
MESSAGES += ["\n".join(R.choice(LINES) for _ in range(R.randint(1, 7))) for _ in range(250)]


def name(file):
    try:
        n, v, build, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return [file, None]
    return [file, n, str(v), "".join(map(str, build)), sorted(map(str, tags))]


def tag(text):
    try:
        return [text, sorted(map(str, parse_tag(text)))]
    except (InvalidTag, ValueError):
        return [text, None]


def row(line):
    rows = list(csv.reader([line], delimiter=",", quotechar='"'))
    closed = len(list(csv.reader([line, "next"]))) == 2
    if not closed or not rows or len(rows[0]) != 3:
        return [line, None]
    path, digest, size = rows[0]
    try:
        n = int(size) if size else -1
    except ValueError:
        return [line, None]
    return [line, None] if size and n < 0 else [line, path, digest, n]


def message(text):
    m = email.parser.Parser().parsestr(text, headersonly=True)
    return [text, {k: m.get_all(k) for k in ("Name", "Version", "Requires-Dist", "Provides-Extra", "Summary", "X-Y") if k in m}]


FILES = NAMES + [f"{n}-{v}{b}-{t}.whl" for n, v, b, t in itertools.islice(
    ((R.choice(["a", "A.b", "a_b", "a__b", "1", "é"]), R.choice(["1", "1.0", "1.0a1", "1.0+x", "1-1", "1_1", "x"]), R.choice(["", "-1", "-12ab", "-b1"]), R.choice(TAGS)) for _ in itertools.count()), 150)]
json.dump({"names": [name(f) for f in dict.fromkeys(FILES)], "tags": [tag(t) for t in TAGS], "rows": [row(r) for r in dict.fromkeys(ROWS)],
           "messages": [message(m) for m in dict.fromkeys(MESSAGES)]}, sys.stdout, separators=(",", ":"))
