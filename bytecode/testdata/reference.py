# Compiles files with the real py_compile, to compare with.
#
# stdin: lines of file, TAB, path in code; argv[1]: name of the invalidation mode.
# stdout: per line the SHA-256 of the pyc and that of the code alone (what marshal may write differently
# without a difference for who loads it: reference flags, the order of a frozenset), or "skip".
import hashlib, marshal, os, py_compile, sys, tempfile, types, warnings

warnings.simplefilter("ignore")


def canonical(value):
    if isinstance(value, types.CodeType):
        names = [n for n in dir(value) if n.startswith("co_") and n not in ("co_lines", "co_positions", "co_lnotab", "co_branches")]
        return [(n, canonical(getattr(value, n))) for n in names]
    if isinstance(value, tuple):
        return [canonical(v) for v in value]
    if isinstance(value, frozenset):
        return "frozenset", sorted(repr(canonical(v)) for v in value)
    return type(value).__name__, repr(value)


def compile_one(file, path, mode):
    with tempfile.TemporaryDirectory() as temp:
        target = os.path.join(temp, "c.pyc")
        try:
            py_compile.compile(file, cfile=target, dfile=path, doraise=True, invalidation_mode=mode)
        except (py_compile.PyCompileError, ValueError):
            return "skip"
        with open(target, "rb") as f:
            return describe(f.read())


def describe(pyc):
    code = repr(canonical(marshal.loads(pyc[16:]))).encode("utf-8", "surrogatepass")
    return hashlib.sha256(pyc).hexdigest() + " " + hashlib.sha256(pyc[:16] + code).hexdigest()


if sys.argv[1] == "describe":  # stdin: files that are pycs
    for line in sys.stdin:
        with open(line.rstrip("\n"), "rb") as f:
            print(describe(f.read()))
else:
    mode = py_compile.PycInvalidationMode[sys.argv[1]]
    for line in sys.stdin:
        print(compile_one(*line.rstrip("\n").split("\t"), mode))
