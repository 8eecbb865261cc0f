"""Counts the system calls of a start that look up paths, by strace from outside of the container."""

import re
import shutil
import signal
import subprocess
import tempfile
import time

OPENS = {"open", "openat"}
STATS = {"stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat"}
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
PATH = re.compile(r'"([^"]*)"')


class Calls:
    """opens and stats by path, failed ones too, and how many of the opened files were sources of modules."""

    def __init__(self):
        self.opens = self.stats = self.sources = 0

    def add(self, name, rest):
        path = PATH.search(rest)
        if not path or not path[1]:  # fstat, as the C library spells it: no look-up
            return
        self.opens += name in OPENS
        self.stats += name in STATS
        self.sources += name in OPENS and path[1].endswith(".py") and " = -1 " not in rest


def count(container, argv, port):
    """The calls of one start, None where there is no strace. They are counted from the exec on."""
    if not shutil.which("strace"):
        return None
    starter = str(container.pid())
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-s", "4096", "-o", log.name, "-p", starter,
                                   "-e", "trace=execve," + ",".join(sorted(OPENS | STATS))], stderr=subprocess.DEVNULL)
        attached(starter)
        container.start(argv, port)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        return read(log, starter)


def attached(pid):
    """Waits until a process is traced."""
    for _ in range(1000):
        with open(f"/proc/{pid}/status") as status:
            if "TracerPid:\t0" not in status.read():
                return
        time.sleep(0.01)
    raise SystemExit(f"strace does not attach to process {pid}")


def read(log, starter):
    calls, running = Calls(), False
    for line in log:
        call = CALL.match(line)
        if not call or call[1] == starter:
            continue
        running = running or call[2] == "execve"
        if running:
            calls.add(call[2], call[3])
    return calls
