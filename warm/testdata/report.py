"""An application that tells how it was started, as JSON. It is imported and run in every way that there is."""
import sys

MODULES = sorted(sys.modules)


class Defined:
    """A class of the main module, if this is the main module: pickle names it by that."""

    def __init__(self, value):
        self.value = value


def spawned(defined):
    import __main__

    return [type(defined).__module__, str(defined.value), __main__.__name__, str("report" in " ".join(sys.modules))]


def main():
    import argparse
    import getpass
    import importlib.metadata
    import json
    import multiprocessing
    import os
    import pathlib

    import __main__

    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        answer = pool.apply(spawned, (Defined(7),))
    try:
        files = sorted(str(f) for f in importlib.metadata.files("odd_one"))
    except importlib.metadata.PackageNotFoundError:
        files = []
    json.dump(
        {
            "argv": sys.argv,
            "path": sys.path,
            "main": {k: str(getattr(__main__, k, "absent")) for k in ("__name__", "__file__", "__package__", "__doc__")}
            | {"spec": getattr(getattr(__main__, "__spec__", None), "name", "none")},
            "names": sorted(k for k in vars(__main__) if not k.startswith("__")),
            "virtual_env": os.environ.get("VIRTUAL_ENV", ""),
            "pex": sorted(k + "=" + v for k, v in os.environ.items() if "PEX" in k),
            "prefix": sys.prefix,
            "base_prefix": sys.base_prefix,
            "executable": sys.executable,
            "prog": argparse.ArgumentParser().prog,
            "spawned": answer,
            "user": getpass.getuser(),
            "home": str(pathlib.Path.home()),
            "files": files,
            "modules": MODULES,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
