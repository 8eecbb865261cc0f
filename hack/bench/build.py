#!/usr/bin/env python3
"""What `pexko build --push` costs: from nothing, after an edit of one line, and with nothing changed; see docs/benchmarks.md.

    eval "$(hack/testbed env)"; hack/bench/build.py --pexko ./pexko [--apps api,data] [--runs 3]

All wheels lie in a directory and the registry on this machine, so no network is in the numbers. Prints a Markdown
table; of several runs each row has the one of the least wall time.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EDITED = {"api": "src/api/app.py", "data": "main.py"}
BASE, PYTHON = "base/bookworm:1", "3.11"
PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]


def wheelhouse(dir, apps):
    """All that a build asks an index for: the locks' wheels, build requirements, and pex with its pip."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "-d", dir]
    foreign = ["--no-deps", "--python-version", PYTHON, *(f"--platform={p}" for p in PLATFORMS)]
    tools = re.findall(r'"(\w+)-([\d.]+)-\S+\.whl"', (ROOT / "pex/pinned.go").read_text())
    build = set()
    for app in apps:
        subprocess.run([*pip, *foreign, "-r", ROOT / "examples" / app / "requirements.txt"], check=True, stdout=sys.stderr)
        file = ROOT / "examples" / app / "pyproject.toml"
        if file.exists():
            build.update(tomllib.loads(file.read_text()).get("build-system", {}).get("requires", []))
    subprocess.run([*pip, *(f"{name}=={version}" for name, version in tools), *build], check=True, stdout=sys.stderr)


class Memory(threading.Thread):
    """Samples the resident memory of a process, and of it and all below it; in MB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.own, self.all, self.over = pid, 0.0, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.own = max(self.own, high_water(self.pid))
            self.all = max(self.all, sum(map(resident, family(self.pid))))


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def high_water(pid):
    found = re.search(r"VmHWM:\s+(\d+) kB", read(f"/proc/{pid}/status"))
    return int(found[1]) / 1000 if found else 0.0


def resident(pid):
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if fields else 0.0


def family(pid):
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        fields = read(f"/proc/{entry}/stat").rpartition(")")[2].split()
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


class Registry:
    """The testbed's; asked what it holds."""

    def __init__(self, address):
        self.address, self.known = address, {}

    def manifest(self, repository, reference):
        kinds = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
                 "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"]
        request = urllib.request.Request(f"http://{self.address}/v2/{repository}/manifests/{reference}", headers={"Accept": ", ".join(kinds)})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def blobs(self, repository, reference):
        """Sizes by digest, of all platforms."""
        raw = self.manifest(repository, reference)
        document = json.loads(raw)
        found = {"manifest " + str(hash(raw)): len(raw)}
        for child in document.get("manifests", []):
            found.update(self.blobs(repository, child["digest"]))
        for blob in [document[key] for key in ("config",) if key in document] + document.get("layers", []):
            found[blob["digest"]] = blob["size"]
        return found

    def sent(self, repository, reference, base):
        """How many bytes of an image the repository did not have when it was last asked, the base's not counted."""
        known = self.known.setdefault(repository, dict(self.blobs(*base.split(":"))))
        now = self.blobs(repository, reference)
        new = sum(size for digest, size in now.items() if digest not in known)
        known.update(now)
        return new


def build(pexko, source, repository, registry, env):
    """One run; wall and CPU seconds, MB, MB, bytes."""
    argv = [pexko, "build", source, "--base", f"{registry.address}/{BASE}", "--insecure-registry", "--push", f"{registry.address}/{repository}"]
    began = time.monotonic()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)
    memory = Memory(process.pid)
    reference = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    memory.over.set()
    memory.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"pexko build {source.name}: exit status {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, memory.own, memory.all, registry.sent(repository, reference.partition("@")[2], BASE)


def measure(app, number, pexko, registry, work):
    """The builds in their order; {name: numbers}."""
    source, cache = work / app, work / "cache"
    for dir in (source, cache):
        shutil.rmtree(dir, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / app, source)
    repository = f"test/bench-{os.getpid()}-{number}/{app}"
    env = dict(os.environ, PEXKO_CACHE_DIR=str(cache), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(work / "wheels"), PIP_CONFIG_FILE=os.devnull)
    rows = {"cold": build(pexko, source, repository, registry, env)}
    with open(source / EDITED[app], "a") as file:
        file.write("EDITED = 1\n")
    rows["one line edited"] = build(pexko, source, repository, registry, env)
    rows["nothing changed"] = build(pexko, source, repository, registry, env)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pexko", type=pathlib.Path, default=ROOT / "pexko", help="the command to measure")
    parser.add_argument("--apps", default=",".join(EDITED))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    registry = Registry(os.environ.get("PEXKO_TESTBED_REGISTRY") or sys.exit('the testbed is not up: eval "$(hack/testbed env)"'))
    apps = options.apps.split(",")
    with tempfile.TemporaryDirectory(prefix="pexko-bench-") as dir:
        work = pathlib.Path(dir)
        wheelhouse(work / "wheels", apps)
        print("| example | build | wall, s | CPU, s | pexko's memory, MB | all processes', MB | sent, bytes |\n|---|---|---|---|---|---|---|", flush=True)
        for app in apps:
            runs = [measure(app, number, options.pexko.resolve(), registry, work) for number in range(options.runs)]
            for name in runs[0]:
                wall, cpu, own, all, sent = min(run[name] for run in runs)
                print(f"| {app} | {name} | {wall:.2f} | {cpu:.2f} | {own:.0f} | {all:.0f} | {sent:,} |", flush=True)


if __name__ == "__main__":
    main()
