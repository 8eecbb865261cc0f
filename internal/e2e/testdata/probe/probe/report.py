"""What the tests ask; see the functions whose names begin with `do_`."""

import argparse
import getpass
import json
import multiprocessing
import os
import pickle
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


class Imported:
    def __init__(self, value):
        self.value = value


def tripled(imported):
    return type(imported).__module__, imported.value * 3


def start_methods(function, argument):
    """What a child of each start method makes of a pickled function and its pickled argument."""
    answers = {}
    for method in ("spawn", "forkserver", "fork"):
        with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
            answers[method] = pool.submit(function, argument).result()
    return answers


def do_facts(kind, function):
    thing = kind(7)
    return {
        "argv": sys.argv,
        "prog": argparse.ArgumentParser().prog,
        "pid": os.getpid(),
        "user": getpass.getuser(),
        "home": str(Path.home()),
        "cwd": os.getcwd(),
        "prefix": sys.prefix,
        "executable": sys.executable,
        "virtual_env": os.environ.get("VIRTUAL_ENV"),
        "path": sys.path,
        "isolated": sys.flags.isolated,
        "unbuffered": sys.stdout.write_through,
        "sitecustomize": getattr(sys, "marked_by_sitecustomize", None),
        "pickled": pickle.loads(pickle.dumps(thing)).value,
        "children": start_methods(function, thing),
        "imported": start_methods(tripled, Imported(5)),
        "data": Path(__file__).with_name("data.txt").read_text(),
    }


def do_exit(kind, function):
    print("written")
    os._exit(0)  # without flushing


def do_fail(kind, function):
    raise LookupError("nothing")  # this line is shown


def do_wait(kind, function):
    def stop(number, frame):
        print("stopped by", signal.Signals(number).name, flush=True)
        sys.exit(3)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("waiting as", os.getpid(), flush=True)
    while True:
        signal.pause()


def do_ignore(kind, function):
    print("waiting as", os.getpid(), flush=True)
    while True:
        signal.pause()


def main(kind=Imported, function=tripled):
    parser = argparse.ArgumentParser()
    parser.add_argument("command", nargs="?", default="facts")
    answer = globals()["do_" + parser.parse_args().command](kind, function)
    json.dump(answer, sys.stdout)
