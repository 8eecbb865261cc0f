"""Writes, as JSON on standard output, what the packaging library that can be imported makes of versions,
specifiers, requirements and markers. The answers of packaging 26.3 are kept in packaging.json:

    PYTHONPATH=packaging-26.3-py3-none-any.whl python3 generate.py > packaging.json

The inputs are fixed: an argument N adds N more random ones to each kind, by the seed in the second argument.
"""
import json
import random
import sys

import packaging
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import InvalidVersion, Version

EXTRA = int(sys.argv[1]) if len(sys.argv) > 1 else 0
R = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 440)

VERSIONS = """
0 0.0 0.dev0 0.0.0.dev1 1 1.0 1.0.0 01.0 1.00 1.0.1 1.1 1.10 1.2 1.2.3 2.0 2!1.0 1!0 0!1.0 00!1 1!1.0.dev1 10.0 1.0.0.0.1
1.0a1 1.0.a1 1.0-a-1 1.0_A_01 1.0alpha 1.0ALPHA2 1.0b1 1.0beta3 1.0c1 1.0rc1 1.0.rc.1 1.0pre4 1.0preview 1.0rc 1.0a
1.0.post1 1.0-1 1.0post 1.0.rev2 1.0r3 1.0-post-4 1.0.post0 1.0.post1.dev1 1.0a1.post1 1.0a1.post1.dev3 1.0rc1.post2+l
1.0.dev1 1.0dev 1.0-dev-7 1.0.DEV456 1.0a1.dev1 1.0b2.post345.dev456 1.0+local 1.0+abc.1 1.0+abc-1 1.0+abc_01 1.0+5 1.0+10
1.0+ubuntu.1 1.0.dev1+x 1.0.post1+x 1.0a1+x 1.0+2.foo 1.0+2.1 1.0+foo.bar 1.0+foo v1.0 V2 v1!2 1.4.2 1.4.2.post1 1.4.9 1.5
1.5.dev0 1.5a0 2.2.post3 2.2.post4.dev0 2.2.post3+a 3.7 3.11 3.11.2 3.11.7 3.12.0rc1 3.13.0a1 3.13.5 3.14 20240101
20240101000000.1 99999999999999999999.88888888888888888888 1.99999999999999999999 1.0.dev99999999999999999999
1.0+123456789012345678901234567890 1.0+00000
x 1. .1 1..2 1.0- 1.0+ 1.0+_a 1.0a1a2 1.0.dev1.post1 1.0+a+b 1.0--1 1,0 1.0x -1 1.0.* * 1!2!3 !1 vv1 v 1.0~1 1.0.post-1-2 1.0post1post2
""".split() + ["", " 1.0", "1.0 ", "\t1.0\n", "\u00a01.0", "\x1c1.0", "1 .0", "1.0 a1", "١.٠", "1.0\u0430", "1.0po\u017ft1", "1.0\u212a", "1.\uff11"]

OPERATORS = ["==", "!=", "<=", ">=", "<", ">", "~=", "==="]
OPERANDS = """0 0.dev0 1 1.0 1.0.0 1.0.1 1.1 1.2.3 1!0 2!1.0 1.0a1 1.0rc1 1.0.post1 1.0-1 1.0.dev1 1.0a1.post1 1.0a1.dev1 1.0.post1.dev1
1.0+local 1.0+abc.1 1.0.* 1.* 0.* 1!1.* 1.0a1.* 1.0.dev1.* 1.0+x.* v1.0 V1.0.0 1.4.2 1.4.5 2.2.post3 2.2 3.11 3.11.2 3.12.0rc1
99999999999999999999.88888888888888888888 1.99999999999999999999 20240101 x 1.0-dev 1.0.0.0 1.0+abc-1 1.0pre""".split()
ODD_SPECIFIERS = ["", ",", " , ", ">=1.0,", ",>=1.0", ">=1.0,<2.0", ">= 1.0 , < 2.0", ">=1.0,!=1.0.1", "~=1.4.2,!=1.4.9", "<2,>1,!=1.1,!=1.1.0",
    "==1.0,===1.0", "===foo", "===", "===1.0 ", "=== V1.0", "===1.0,>=1", "===x,>=1", "===1.0.0", "===1.0A1", "=1.0", "1.0", ">", ">=", "<>1", "=>1", ">=1.0 <2",
    ">=1.0;<2", "==1.0)", "~=1", "~=1.*", "~=1.0+x", ">1.0+x", "<=1.0+x", "==1.0.*.1", ">=1.0.*", "\u00a0>=\u00a01.0", ">=\n1.0", "==1.0po\u017ft1", "> =1",
    "==1.0,==1.0.0", "==1.0.0,==1.0", "~=1.0,~=1.0.0", "==1.*,==1.0.*", ">=1.0rc1,<2", ">1.0.post1", ">1.0.dev1", "<1.0.post1", "<1.0.post1.dev1", "<1.0rc1", ">1.0rc1"]

NAMES = ["a", "A.B", "foo_bar", "Foo--Bar", "zope.interface", "x-1", "1x", "a_", "_a", "a-", "-a", "a b", "é", "foo.", "a__b", "A-_.B"]
REQUIREMENTS = """name
name<=1
 name >= 1.0 
name>=1,<2
name (>=1,<2)
name( >=1 , <2 )
name()
name[a]
name[a,b]
name [ a , b-c ] >= 1
name[]
name[ ]
name[a,]
name[,a]
name[a b]
name[a
name a
name@http://x
name @ https://example.com/x-1.0.tar.gz
name@ https://user:pw@example.com/x.whl#sha256=00 ; python_version<'3'
name @ https://example.com/x;python_version<'3'
name @ https://example.com/x ;python_version<'3'
name @ file:///a%20b
name[x] @ git+https://example.com/r.git@main#subdirectory=d ; extra == 'y'
name @
name @ https://example.com/x y
name >=1 @ https://example.com/x
name; python_version<'2.7'
name ;python_version<'2.7' and platform_version=='2'
name;
name>=1;
name>=1 python_version<'3'
name==1.0.*
name==1.0a1.*
name>=1.0.*
name>=1.0+local
name==1.0+local
name~=1
name===anything-goes
name===a b
name (===x)
name(>=1
name>=1)
name>=1,
name>=1,,<2
name >=1 <2
name>=\n1
name\n
name_
name.
name-
na$me
foo-bar_baz.qux>=1 ; (python_version<'3')
name [a] (>=1) ; os_name=='posix'
name!=1.*,>=0.1rc1
 
name[a]==1.0;extra=='A_b'
é
name ; extra == 'a' or extra == 'b'
name>1.0 ; python_version in '2.6 2.7 3.2' 
""".split("\n") + ["", "name\t>=\t1", "name>=1.0\u00a0", "name\u00a0>=1"]

ENVS = [
    dict(implementation_name="cpython", implementation_version="3.11.2", os_name="posix", platform_machine="x86_64",
         platform_release="6.1.0-18-amd64", platform_system="Linux", platform_version="#1 SMP Debian 6.1.76-1", python_full_version="3.11.2",
         platform_python_implementation="CPython", python_version="3.11", sys_platform="linux", extra=""),
    dict(implementation_name="cpython", implementation_version="3.13.0a2", os_name="posix", platform_machine="aarch64",
         platform_release="5.10", platform_system="Linux", platform_version="", python_full_version="3.13.0a2+",
         platform_python_implementation="CPython", python_version="3.13", sys_platform="linux", extra="a-b"),
    dict(implementation_name="pypy", implementation_version="7.3.13", os_name="nt", platform_machine="AMD64",
         platform_release="10", platform_system="Windows", platform_version="10.0.19045", python_full_version="3.10.13",
         platform_python_implementation="PyPy", python_version="3.10", sys_platform="win32", extra="C.d"),
]
VARIABLES = """python_version python_full_version os_name os.name sys_platform sys.platform platform_release platform_system platform_version
platform.version platform_machine platform.machine platform.python_implementation platform_python_implementation python_implementation
implementation_name implementation_version extra""".split()
VALUES = """3.11 3.11.2 3.9 3.13 3.13.0a2 3.13.0a1 3 2.7 3.* 3.11.* 3.10.13 7.3 linux linux2 win32 posix nt Linux Windows x86_64 aarch64 AMD64 CPython PyPy
cpython a-b A_B c-d C.D 10 5.10 6.1 6.1.0-18-amd64 x 3.11.x""".split() + ["", "3.10 3.11 3.12", "3.9,3.11", "linux darwin", "a_b c", "it\"s", "#1 SMP Debian 6.1.76-1"]
MARKER_OPERATORS = ["<", "<=", "==", "!=", ">=", ">", "~=", "===", "in", "not in"]
ODD_MARKERS = ["", " ", "python_version", "python_version<", "python_version<3", "python_version<'3", "python_version='3'", "'3'>python_version", "foo=='x'",
    "python_version<'3'and os_name=='nt'", "python_version<'3' andos_name=='nt'", "python_version<'3' and", "(python_version<'3'", "python_version<'3')",
    "((python_version<'3'))", "(os_name=='nt' or os_name=='posix') and python_version>='3'", "os_name=='nt' or os_name=='posix' and python_version<'3'",
    "(os_name=='nt' and (sys_platform=='win32')) or os_name=='posix'", "os_name not  in 'nt'", "os_name notin 'nt'", "os_name not 'nt'", "os_name in'nt posix'",
    "os_name == os_name", "os_name == sys_platform", "python_version >= python_full_version", "'posix' == os_name", "'pos' in os_name", "'3.10' <= python_version",
    "extra == 'A.B'", "'A.B' == extra", "extra in 'a-b c-d'", "extra != ''", "platform_version ~= '1'", "platform_version === '10.0.19045'",
    "python_version ~= '3.9'", "python_version === '3.11'", "python_full_version == '3.13.0a2+local'", "python_full_version < '3.13.0a3'", "os_name=='nt';", "os_name=='nt' ",
    "'it\"s' == os_name", "os_name == \"it's\"", "(((((((((os_name=='posix')))))))))", "os_name=='a' or (os_name=='b' or os_name=='posix')",
    "platform_system == 'Linux' and platform_machine in 'x86_64 aarch64'", "extras == 'a'", "'a' in extras", "os_name\n=='posix'", "\tos_name=='posix'\t"]
LOCK_MARKERS = ["'a-b' in extras", "'A_B' in extras", "'c' in extras", "'c' not in extras", "'dev' in dependency_groups", "'Dev' not in dependency_groups", "'x' in dependency_groups or os_name == 'posix'",
    "'a-b' in extras and python_version >= '3.12'", "('a.b' in extras or 'dev' in dependency_groups) and sys_platform != 'win32'"]
ACTIVE = [([], []), (["a-b"], ["dev"]), (["A.b", "c"], ["DEV", "x"])]


def version(text):
    try:
        v = Version(text)
    except (InvalidVersion, ValueError):
        return [text, None]
    return [text, str(v), v.public, v.local or "", v.is_prerelease]


def order(texts):
    classes = []
    for v in sorted(Version(t) for t in texts):
        if classes and Version(classes[-1][0]) == v:
            classes[-1].append(str(v))
        else:
            classes.append([str(v)])
    return [sorted(set(c)) for c in classes]


def bits(answers):
    return "".join({True: "1", False: "0", None: "e"}[a] for a in answers)


def specifier(text, versions):
    try:
        s = SpecifierSet(text)
    except InvalidSpecifier:
        return [text, None]
    return [text, str(s), bits(s.contains(v, prereleases=True) for v in versions), bits(s.contains(v, prereleases=False) for v in versions),
            all(s.contains(v) == s.contains(v, prereleases=True) for v in versions)]


def requirement(text):
    try:
        r = Requirement(text)
    except InvalidRequirement:
        return [text, None]
    return [text, str(r), r.name, sorted(r.extras), str(r.specifier), r.url or "", str(r.marker or "")]


def evaluate(m, env, **context):
    try:
        return m.evaluate(env, **context)
    except (UndefinedComparison, UndefinedEnvironmentName):
        return None


def marker(text, lock=False):
    try:
        m = Marker(text)
    except InvalidMarker:
        return [text, None]
    if not lock:
        return [text, str(m), bits(evaluate(m, env) for env in ENVS)]
    return [text, str(m), bits(evaluate(m, {**env, "extras": frozenset(e), "dependency_groups": frozenset(g)}, context="lock_file")
                               for env in ENVS for e, g in ACTIVE)]


def quote(value):
    return "'" + value + "'" if '"' in value or R.random() < 0.5 else '"' + value + '"'


def comparison():
    a, b = R.choice(VARIABLES), quote(R.choice(VALUES))
    if R.random() < 0.2:
        a, b = b, a
    return a + R.choice([" ", "  "]) + R.choice(MARKER_OPERATORS) + " " + b


def expression(depth):
    if depth == 0 or R.random() < 0.3:
        return comparison()
    parts = [expression(depth - 1)]
    for _ in range(R.randint(1, 2)):
        parts += [R.choice(["and", "or"]), expression(depth - 1)]
    text = " ".join(parts)
    return "(" + text + ")" if R.random() < 0.5 else text


def random_version():
    v = R.choice(["", "", "", "1!"]) + ".".join(str(R.choice([0, 0, 1, 2, 3, 10])) for _ in range(R.randint(1, 4)))
    v += R.choice(["", "", "", "a1", "b2", "rc1", "rc2", "-alpha.0"])
    v += R.choice(["", "", "", ".post1", "-2", "post"])
    v += R.choice(["", "", "", ".dev1", "dev2"])
    return v + R.choice(["", "", "", "+x", "+1", "+x.2", "+0"])


def random_specifier():
    v = random_version()
    if R.random() < 0.2:
        v = v.split("+")[0].split("a")[0].split("b")[0].split("r")[0].split("p")[0].split("-")[0].split("d")[0].rstrip(".") + ".*"
    return R.choice(OPERATORS) + v


versions = list(dict.fromkeys(VERSIONS + [random_version() for _ in range(60 + EXTRA)]))
valid = [v for v in versions if version(v)[1] is not None]
probes = list(valid) if EXTRA else [v for i, v in enumerate(valid) if i % 3 != 2]
probes += ["x", "", "foo", "V1.0"]
specifiers = list(dict.fromkeys([o + v for o in OPERATORS for v in OPERANDS] + ODD_SPECIFIERS + [random_specifier() for _ in range(60 + EXTRA)]
                                + [",".join(random_specifier() for _ in range(2)) for _ in range(40 + EXTRA)]))
markers = list(dict.fromkeys(ODD_MARKERS + [f"{v} {o} {quote(x)}" for v in ["python_version", "python_full_version", "sys_platform", "extra"] for o in MARKER_OPERATORS for x in VALUES[::3]]
                             + [comparison() for _ in range(150 + EXTRA)] + [expression(R.randint(1, 3)) for _ in range(150 + EXTRA)]))
requirements = list(dict.fromkeys(REQUIREMENTS + [n + R.choice(["", "[x]", " [x,Y_z]"]) + R.choice(["", random_specifier(), " " + random_specifier() + ", " + random_specifier(), " (" + random_specifier() + ")"])
                                                  + R.choice(["", " ; " + expression(2), ";" + comparison()]) for n in NAMES for _ in range(8 + EXTRA // 10)]))
json.dump({
    "packaging": packaging.__version__,
    "names": [[n, canonicalize_name(n)] for n in NAMES],
    "versions": [version(v) for v in versions],
    "order": order(valid),
    "probes": probes,
    "specifiers": [specifier(s, probes) for s in specifiers],
    "requirements": [requirement(r) for r in requirements],
    "environments": ENVS,
    "markers": [marker(m) for m in markers],
    "active": [list(a) for a in ACTIVE],
    "lock_markers": [marker(m, lock=True) for m in LOCK_MARKERS],
}, sys.stdout, separators=(",", ":"), ensure_ascii=True)
