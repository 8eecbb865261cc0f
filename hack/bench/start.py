#!/usr/bin/env python3
"""How fast pexko's images start, beside what one would use instead, in one run.

    hack/bench/start.py [--apps api,data] [--runs 30] [--base NAME] [--pexko ./pexko]

Four images per application on one base, each holding the same wheels:

  pexko    what `pexko build` makes
  venv     a plain venv at /venv, made by the base's own python, installed by pip, compiled by compileall
  recipe   pex's container recipe: `PEX_TOOLS=1 app.pex venv --compile`, scopes deps and srcs
  zipapp   the PEX file itself, started once before the runs so that its cache is warm (where it may write)

Each image runs in one container, in which a small process starts the image's command again and again;
the images take turns, run by run. What is measured is user + sys of the started process (wait4), up to
the moment it listens on its port, or to its end if it has none. Opens and stats are counted by strace in
a chroot of the same root file system. Prints a table; ratios are to `venv`, per pair of runs, median.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = {"api": 8000}
# Runs in the container: a line of JSON in, a line of JSON out, for every run.
SERVER = r"""
import json, os, signal, sys, time
def listening(port):
    want = ":%04X" % port
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as f:
                for line in f:
                    part = line.split()
                    if part[1].endswith(want) and part[3] == "0A":
                        return True
        except OSError:
            pass
    return False
for line in sys.stdin:
    job = json.loads(line)
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) if job["log"] else null
        os.dup2(null, 0); os.dup2(log, 1); os.dup2(log, 2)
        try:
            os.execvpe(job["argv"][0], job["argv"], dict(os.environ, **job["env"]))
        finally:
            os._exit(127)
    killed = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG if job["port"] and not killed else 0)
        if done:
            break
        if listening(job["port"]):
            os.kill(pid, signal.SIGKILL); killed = True
            continue
        time.sleep(0.002)
        if time.perf_counter() - began > 120:
            os.kill(pid, signal.SIGKILL); killed = True
    print(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - began,
                      "ok": killed or status == 0, "status": status}), flush=True)
"""


def sh(*argv, **kw):
    kw.setdefault("check", True)
    kw.setdefault("text", True)
    return subprocess.run([str(a) for a in argv], **kw)


def out(*argv, **kw):
    return sh(*argv, stdout=subprocess.PIPE, **kw).stdout.strip()


class Engine:
    """podman as the tests run it: no network, none of its conveniences that docker and Kubernetes lack."""

    def __init__(self, base):
        self.base = base
        self.flags = ["--network=none", "--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
                      "--passwd=false"] + os.environ.get("PEXKO_PODMAN_FLAGS", "").split()

    def run(self, image, argv, mounts=(), check=True):
        return sh("podman", "run", "--rm", *self.flags, *(f"-v{m}" for m in mounts), "--entrypoint", argv[0], image, *argv[1:],
                  check=check, stdout=subprocess.PIPE)

    def build(self, tag, context, dockerfile):
        path = pathlib.Path(context) / "Dockerfile"
        path.write_text(dockerfile)
        sh("podman", "build", "-q", "--network=none", "-t", tag, "-f", path, context, stdout=subprocess.DEVNULL)


def command(image):
    config = json.loads(out("podman", "image", "inspect", image))[0]["Config"]
    return (config.get("Entrypoint") or []) + (config.get("Cmd") or [])


class Container:
    """One container with a starter inside, driven over its standard streams."""

    def __init__(self, engine, image, python, mode):
        self.image, self.argv = image, command(image)
        flags = ["--user", "0"] if mode == "root" else ["--read-only", "--read-only-tmpfs=false", "--user", "65532"]
        self.log = "/tmp/log" if mode == "root" else ""
        self.proc = subprocess.Popen(
            ["podman", "run", "--rm", "-i", *engine.flags, *flags, "--entrypoint", python, image, "-u", "-c", SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, port, env=()):
        job = {"argv": self.argv, "port": port, "env": dict(env), "log": self.log}
        print(json.dumps(job), file=self.proc.stdin, flush=True)
        line = self.proc.stdout.readline()
        if not line:
            raise SystemExit(f"{self.image}: the container ended")
        return json.loads(line)

    def close(self):
        self.proc.stdin.close()
        self.proc.wait(timeout=60)


def make(engine, app, pexko, work):
    """Build the four images of an application; returns {variant: image}."""
    src = ROOT / "examples" / app
    python = engine.python
    pex = work / f"{app}.pex"
    archive = work / f"{app}.tar"
    sh(pexko, "build", src, "--base", f"oci:{engine.layout}", "--tarball", archive, "--pex", pex, stdout=subprocess.DEVNULL)
    loaded = out("podman", "load", "-q", "-i", archive).splitlines()[-1].split(": ")[-1]
    images = {"pexko": f"localhost/bench-{app}-pexko"}
    sh("podman", "tag", loaded, images["pexko"])
    entry = command(images["pexko"])

    # the wheels of the PEX, as pex itself hands them out, so that every variant holds the same
    wheels = work / f"{app}-wheels"
    sh(sys.executable, "-m", "zipfile", "-l", pex, stdout=subprocess.DEVNULL)
    venv = work / f"{app}-venv"
    for d in (wheels, venv):
        shutil.rmtree(d, ignore_errors=True)
        d.mkdir()
    mounts = [f"{pex}:/app.pex:ro", f"{venv}:/venv:rw"]
    engine.run(engine.base, [python, "-m", "venv", "--without-pip", "/venv"], mounts)
    # copies, console scripts and all, as pip would install them; pex's own venv differs from pip's in its scripts alone
    shell = (f"PEX_ROOT=/tmp/r PEX_TOOLS=1 {python} /app.pex venv --scope=all --site-packages-copies --non-hermetic-scripts --collisions-ok /tmp/v"
             " && cp -a /tmp/v/lib/. /venv/lib/ && cp -an /tmp/v/bin/. /venv/bin/ && cp -a /tmp/v/share /venv/ 2>/dev/null;"
             f" find /venv/bin -type f -exec sed -i '1s|/tmp/v/|/venv/|' {{}} + ; {python} -m compileall -q /venv/lib; true")
    engine.run(engine.base, ["/bin/sh", "-c", shell], mounts)
    name = "venv"
    images[name] = f"localhost/bench-{app}-{name}"
    context = work / f"{app}-ctx-{name}"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir()
    shutil.copytree(venv, context / "venv", symlinks=True)
    run = plain(app)
    engine.build(images[name], context, f"FROM {engine.base}\nCOPY venv /venv\nENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin\nWORKDIR /app\nENTRYPOINT {json.dumps(run)}\n")

    recipe = work / f"{app}-recipe"
    shutil.rmtree(recipe, ignore_errors=True)
    recipe.mkdir()
    for scope in ("deps", "srcs"):
        engine.run(engine.base, ["/bin/sh", "-c", f"PEX_ROOT=/tmp/r PEX_TOOLS=1 {python} /app.pex venv --scope={scope} --compile /app"],
                   [f"{pex}:/app.pex:ro", f"{recipe}:/app:rw"])
    images["recipe"] = f"localhost/bench-{app}-recipe"
    context = work / f"{app}-ctx-recipe"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir()
    shutil.copytree(recipe, context / "app", symlinks=True)
    engine.build(images["recipe"], context, f"FROM {engine.base}\nCOPY app /app\nENTRYPOINT [\"/app/pex\"]\n")

    images["zipapp"] = f"localhost/bench-{app}-zipapp"
    context = work / f"{app}-ctx-zipapp"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir()
    shutil.copy(pex, context / "app.pex")
    engine.build(images["zipapp"], context, f"FROM {engine.base}\nCOPY app.pex /app.pex\nENTRYPOINT {json.dumps([python, '/app.pex'])}\n")
    print(f"{app}: pexko's command is {' '.join(entry)}", file=sys.stderr)
    return images


def plain(app):
    """The command of a plain venv for an example: its console script, or its module."""
    return {"api": ["/venv/bin/api"], "data": ["/venv/bin/python", "-m", "data"]}[app]


def syscalls(image):
    """Opens and stats of one start, by strace in a chroot of the image's root file system; None without strace."""
    if not shutil.which("strace"):
        return None
    argv = command(image)
    config = json.loads(out("podman", "image", "inspect", image))[0]["Config"]
    env = dict(e.split("=", 1) for e in config.get("Env") or [])
    mount = out("podman", "image", "mount", image)
    try:
        with tempfile.NamedTemporaryFile() as log:
            job = ["timeout", "20", "strace", "-f", "-qq", "-e", "trace=open,openat,stat,lstat,newfstatat,statx,access,readlink", "-o", log.name,
                   "chroot", mount, *argv]
            sh(*job, check=False, env=dict(env, PATH=os.environ["PATH"] + ":" + env.get("PATH", "")), stdin=subprocess.DEVNULL,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            count = collections.Counter(re.findall(r"^\d+ +(\w+)\(", log.file.read().decode(errors="replace"), re.M))
    finally:
        sh("podman", "image", "unmount", image, stdout=subprocess.DEVNULL)
    opens = count["open"] + count["openat"]
    return opens, sum(count.values()) - opens


def measure(engine, app, images, mode, runs):
    containers = {name: Container(engine, image, engine.python, mode) for name, image in images.items()}
    port, samples = PORTS.get(app, 0), {name: [] for name in images}
    failed = set()
    try:
        for turn in range(runs + 1):
            for name, container in containers.items():
                if name in failed:
                    continue
                got = container.start(port)
                if not got["ok"]:
                    failed.add(name)
                elif turn:  # the first turn warms the page cache and, where it may be written, the PEX's cache
                    samples[name].append(got["cpu"])
    finally:
        for container in containers.values():
            container.close()
    return samples, failed


def report(app, mode, samples, failed, calls):
    for name, cpu in samples.items():
        row = f"| {app} | {mode} | {name} | "
        if name in failed:
            print(row + "does not start | | | |")
            continue
        ratio = statistics.median(a / b for a, b in zip(cpu, samples["venv"]))
        seen = "" if calls[name] is None else f"{calls[name][0]} / {calls[name][1]}"
        print(row + f"{min(cpu):.3f} | {statistics.median(cpu):.3f} | {ratio:.2f} | {seen} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apps", default="api,data")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--base", default="bookworm", help="a base of the testbed")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--pexko", default=str(ROOT / "pexko"))
    args = parser.parse_args()
    testbed = pathlib.Path(os.environ["PEXKO_TESTBED"])
    engine = Engine(f"localhost/bench-base-{args.base}")
    engine.python, engine.layout = args.python, testbed / "bases" / args.base
    loaded = out("podman", "pull", "-q", f"oci:{engine.layout}").splitlines()[-1]
    sh("podman", "tag", loaded, engine.base)
    print("| app | as | image | cpu min, s | cpu median, s | median ratio to venv | opens / stats |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for app in args.apps.split(","):
            images = make(engine, app, args.pexko, pathlib.Path(work))
            calls = {name: syscalls(image) for name, image in images.items()}
            for mode in ("root", "read-only nonroot"):
                samples, failed = measure(engine, app, images, mode, args.runs)
                report(app, mode, samples, failed, calls)


main()
