"""Runs in the container: reads a job (JSON) a line, starts it, writes what it took (JSON) a line.

A job that has a port is ended when it listens there, else it ends by itself. The CPU time is the kernel's count of
the started process and those that it waited for; what this process does meanwhile is not in it.
"""

import json
import os
import signal
import sys
import time

PATIENCE = 300  # seconds; strace on a loaded machine is slow


def listening(port):
    want = ":%04X" % port
    for name in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(name) as table:
                rows = [line.split() for line in table]
        except OSError:
            continue
        if any(row[1].endswith(want) and row[3] == "0A" for row in rows):
            return True
    return False


def spawn(job, log):
    pid = os.fork()
    if pid:
        return pid
    try:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.execvpe(job["argv"][0], job["argv"], dict(os.environ, **job["env"]))
    finally:
        os._exit(127)


def wait(pid, port):
    """The usage of the process, and whether it did what it was started for."""
    began = time.monotonic()
    while port and time.monotonic() - began < PATIENCE:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return usage, False
        if listening(port):
            os.kill(pid, signal.SIGKILL)
            return os.wait4(pid, 0)[2], True
        time.sleep(0.002)
    if port:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return usage, status == 0


for line in sys.stdin:
    job = json.loads(line)
    log = os.memfd_create("log")  # a file that is there on a read-only root, too
    usage, ok = wait(spawn(job, log), job["port"])
    said = os.pread(log, 1 << 20, 0).decode(errors="replace")
    os.close(log)
    print(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "ok": ok, "said": said[-2000:]}), flush=True)
