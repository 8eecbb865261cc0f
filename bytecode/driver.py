# Started as `python -S -s -B -W ignore -c <this text>`; see doc.go for why it is done this way.
# stdin:  per source 13 bytes (path length, source length, seconds: 4 each, big-endian; PEP 552 flags: 1),
#         then path and source, which the child alone reads.
# stdout: frames of kind (1 byte), length (2), data, each small enough for a pipe to take it whole or not
#         at all: H this interpreter, B bytecode, S why there is none, X how the child ended.
import _imp, _signal, marshal, posix, sys
from _frozen_importlib_external import MAGIC_NUMBER

if sys.path and not sys.path[0]:
    del sys.path[0]  # -c puts the working directory there
STAR = sys.intern("*")  # see doc.go

FRAME = (4096 if sys.platform == "linux" else 512) - 3  # PIPE_BUF


def take(size):
    parts = []
    while size:
        part = posix.read(0, size)
        if not part:
            posix._exit(0)  # nobody wants anything any more
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def give(kind, data):
    for start in range(0, len(data), FRAME):
        part = data[start : start + FRAME]
        posix.write(1, kind + len(part).to_bytes(2, "big") + part)


def identity():
    v = sys.version_info
    level = {"alpha": "a%d", "beta": "b%d", "candidate": "rc%d"}.get(v.releaselevel)
    flags = "".join(f for f in sys.abiflags if f in "td")
    return "%s %d.%d.%d%s%s" % (sys.implementation.name, *v[:3], level % v.serial if level else "", flags)


def pyc(path, source, flags):
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    digest = _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), source)
    return MAGIC_NUMBER + flags.to_bytes(4, "little") + digest + marshal.dumps(code)


def child(head):
    _signal.alarm(int.from_bytes(head[8:12], "big"))
    path = take(int.from_bytes(head[:4], "big")).decode("utf-8", "surrogateescape")
    source = take(int.from_bytes(head[4:8], "big"))
    try:
        result = b"B", pyc(path, source, head[12])
    except Exception as e:
        reason = type(e).__name__ + (": %s" % e if str(e) else "")
        result = b"S", reason.encode("utf-8", "backslashreplace")[:1000]
    give(*result)


give(b"H", identity().encode())
while True:
    head = take(13)
    pid = posix.fork()
    if not pid:
        status = 70
        try:
            child(head)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        posix._exit(status)
    status = posix.waitpid(pid, 0)[1]
    give(b"X", status.to_bytes(4, "big"))
    if status:
        posix._exit(0)  # what the child left unread would be taken for a header
