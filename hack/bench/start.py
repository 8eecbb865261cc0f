#!/usr/bin/env python3
"""How fast pexko's images start, beside what one would use instead; see docs/benchmarks.md.

    eval "$(hack/testbed env)"; hack/bench/start.py --pexko ./pexko [--apps api,data] [--bases bookworm,trixie] [--runs 30]

For each example and base, images that hold the same wheels: what `pexko build` makes, and one for each *.Dockerfile
here. Each runs in a container of its own, in which starter.py starts the image's command again and again; the images
take turns in a new order each time. Prints a Markdown table.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import podman
import syscalls

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Of each example: the port that it listens on when it is up (0: it ends by itself), its command in a plain venv, and
# the files that are its code, where it is no wheel.
APPS = {
    "api": (8000, ["/venv/bin/api"], []),
    "data": (0, ["/venv/bin/python", "-m", "main"], ["main.py", "readings.csv"]),
}
PYTHON = "/usr/bin/python3"  # of the testbed's Debian bases
ROUNDS = 3  # how often the containers are started anew
CONTROL = "venv again"
MODES = {"root": ["--user=0"], "read-only": ["--user=65532", "--read-only", "--read-only-tmpfs=false"]}


def pip_wheel(dir):
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", dir, "pip>=26"], check=True, stdout=sys.stderr)
    (wheel,) = dir.glob("pip-*.whl")
    wheel.rename(dir / "pip.whl")


def images(app, base, pexko, work):
    """Builds the images of an example; {name: (image, command)}, the command as the image has it or as is told."""
    _, plain, code = APPS[app]
    source, context = ROOT / "examples" / app, work / app
    shutil.rmtree(context, ignore_errors=True)
    (context / "app").mkdir(parents=True)
    for name in code:
        shutil.copy2(source / name, context / "app")
    shutil.copytree(work / "tools", context / "tools")
    tag = "bench-" + base.replace("/", "-").replace(":", "-")
    subprocess.run([pexko, "build", source, "-q", "--insecure-registry", "--base", base, "--load=podman", "-t", tag, "--pex", context / "app.pex"], check=True, stdout=sys.stderr)
    made = {"pexko": f"docker.io/library/{app}:{tag}"}
    for file in sorted(HERE.glob("*.Dockerfile"), reverse=True):
        name = file.name.partition(".")[0]
        made[name] = f"localhost/{app}-{name}:{tag}"
        podman.build(made[name], context, file, BASE=base, PYTHON=PYTHON)
    return {name: (image, plain if name == "venv" else podman.command(image)) for name, image in made.items()}


class Samples:
    """CPU seconds of the starts of one image, in the order of the turns."""

    def __init__(self):
        self.first, self.then, self.calls, self.failure = [], [], None, ""

    def add(self, got, first):
        if not got["ok"]:
            self.failure = got["said"].strip() or "it was killed, or ended in silence"
        (self.first if first else self.then).append(got["cpu"])


def measure(app, built, mode, runs):
    """Starts the images in turns, in containers that are new in each round; {name: Samples}."""
    port = APPS[app][0]
    built = dict(built, **{CONTROL: built["venv"]})
    samples = {name: Samples() for name in built}
    rounds = min(ROUNDS, runs)
    shuffle = random.Random(0).shuffle
    for number in range(rounds):
        live = [name for name in built if not samples[name].failure]
        with podman.containers({name: built[name][0] for name in live}, PYTHON, HERE / "starter.py", MODES[mode]) as running:
            turns = runs // rounds + (number < runs % rounds)
            for turn in range(turns + 1):
                shuffle(live)
                for name in live:
                    if not samples[name].failure:
                        samples[name].add(running[name].start(built[name][1], port), turn == 0)
            if number == rounds - 1:
                for name in live:
                    if not samples[name].failure:
                        samples[name].calls = syscalls.count(running[name], built[name][1], port)
    return samples


HEAD = """| example | base | as | image | CPU min, s | CPU median, s | min to venv's | median ratio to venv | first start, s | opens | stats, readlinks | sources read |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def row(name, s, venv):
    if s.failure:
        return [name, "does not start: `" + s.failure.splitlines()[-1][:100] + "`"] + [""] * 7
    pairs = [a / b for a, b in zip(s.then, venv.then)]
    ratios = [f"{min(s.then) / min(venv.then):.3f}", f"{statistics.median(pairs):.3f}"]
    calls = [str(s.calls.opens), str(s.calls.stats), str(s.calls.sources)] if s.calls else ["not counted"] * 3
    return [name, f"{min(s.then):.3f}", f"{statistics.median(s.then):.3f}", *ratios, f"{min(s.first):.3f}", *calls]


def check(app, samples):
    """Without these two there is nothing to compare."""
    for name in ("pexko", "venv"):
        if samples[name].failure:
            raise SystemExit(f"{app}: {name} does not start: {samples[name].failure}")


def compiled(image):
    """The reference must be what it claims: a venv that Python does not compile again."""
    with contextlib.closing(podman.Container(image, PYTHON, HERE / "starter.py", MODES["read-only"])) as container:
        got = container.start(["/venv/bin/python", "-c", (HERE / "stale.py").read_text(), "/venv/lib", "/app"], 0)
    if not got["ok"]:
        raise SystemExit(f"{image}: {got['said']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pexko", type=pathlib.Path, default=ROOT / "pexko", help="the command to measure")
    parser.add_argument("--apps", default=",".join(APPS))
    parser.add_argument("--bases", default="bookworm,trixie", help="bases of the testbed that hold Debian's python3")
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    registry = os.environ.get("PEXKO_TESTBED_REGISTRY") or sys.exit('the testbed is not up: eval "$(hack/testbed env)"')
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="pexko-bench-") as dir:
        work = pathlib.Path(dir)
        (work / "tools").mkdir()
        pip_wheel(work / "tools")
        for base in options.bases.split(","):
            reference = f"{registry}/base/{base}:1"
            podman.out("pull", "-q", "--tls-verify=false", reference)  # an older one may lie here
            for app in options.apps.split(","):
                built = images(app, reference, options.pexko.resolve(), work)
                try:
                    compiled(built["venv"][0])
                    for mode in MODES:
                        samples = measure(app, built, mode, options.runs)
                        check(app, samples)
                        for name, s in samples.items():
                            print("| " + " | ".join([app, base, mode, *row(name, s, samples["venv"])]) + " |", flush=True)
                finally:
                    podman.remove(image for image, _ in built.values())


if __name__ == "__main__":
    main()
