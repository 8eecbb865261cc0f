"""Prints, as JSON, what real tools make of a lock. Their modules come from PYTHONPATH: an unpacked pex, the wheels of packaging and pip.

    python3 oracle.py pex LOCK... -- PLATFORM...          pex's choice from pex locks, for complete platforms
    python3 oracle.py pylock LOCK... -- PLATFORM...       pex's choice from pylock.toml
    python3 oracle.py packaging LOCK... -- PLATFORM...    packaging's choice from pylock.toml
    python3 oracle.py pip REQUIREMENTS...                 what pip reads from requirements files
"""
import json
import os
import sys


def choices(resolved):
    return sorted([str(a.project_name), a.version.raw if a.version else "", os.path.basename(getattr(a.artifact, "filename", "") or "")] for a in resolved)


def targets(paths):
    from pex.resolve.target_options import _create_complete_platform

    return [_create_complete_platform(path) for path in paths]


def pex(lock, platforms):
    from pex.resolve.lockfile import json_codec
    from pex.resolve.lockfile.subset import subset
    from pex.result import Error
    from pex.targets import Targets

    lockfile = json_codec.load(lock)
    for target in targets(platforms):
        result = subset(Targets(complete_platforms=(target,)), lockfile, transitive=lockfile.transitive, build_configuration=lockfile.build_configuration(),
                        dependency_configuration=lockfile.dependency_configuration())
        yield {"error": str(result)} if isinstance(result, Error) else {"pins": choices(result.subsets[0].resolved.downloadable_artifacts)}


def pylock(lock, platforms):
    from pex.resolve.lockfile.pep_751 import Pylock, subset
    from pex.result import Error, try_
    from pex.targets import Targets

    lockfile = try_(Pylock.parse(lock))
    for target in targets(platforms):
        try:
            result = subset(Targets(complete_platforms=(target,)), lockfile)
        except Exception as e:
            result = Error(str(e))
        yield {"error": str(result)} if isinstance(result, Error) else {"pins": choices(result.subset_result.subsets[0].resolved.downloadable_artifacts)}


def packaging(lock, platforms):
    import tomllib

    from packaging.pylock import PackageSdist, PackageWheel, Pylock, PylockSelectError
    from packaging.tags import parse_tag

    lockfile = Pylock.from_dict(tomllib.load(open(lock, "rb")))
    for path in platforms:
        platform = json.load(open(path))
        try:
            chosen = list(lockfile.select(environment=platform["marker_environment"], tags=[t for text in platform["compatible_tags"] for t in parse_tag(text)]))
        except PylockSelectError as e:
            yield {"error": str(e)}
            continue
        yield {"pins": sorted([p.name, str(p.version or ""), a.filename if isinstance(a, (PackageSdist, PackageWheel)) else ""] for p, a in chosen)}


def pip(path, _):
    from pip._internal.network.session import PipSession
    from pip._internal.req import parse_requirements
    from pip._internal.req.constructors import install_req_from_parsed_requirement

    for parsed in parse_requirements(path, session=PipSession()):
        r = install_req_from_parsed_requirement(parsed)
        line = parsed.line_source
        yield {"name": r.req.name if r.req else "", "specifier": str(r.req.specifier) if r.req else "", "marker": str(r.markers or ""), "editable": r.editable,
               "link": "" if r.link is None else "vcs" if r.link.is_vcs else "dir" if r.link.is_existing_dir() else r.link.filename,
               "hashes": sorted(f"{a}:{d}" for a, ds in r.hash_options.items() for d in ds), "constraint": parsed.constraint,
               "line": f"{os.path.basename(line.split(' of ')[1])}:{line.split()[1]}"}


tool = {"pex": pex, "pylock": pylock, "packaging": packaging, "pip": pip}[sys.argv[1]]
files = sys.argv[2:]
end = files.index("--") if "--" in files else len(files)
json.dump([list(tool(file, files[end + 1:])) for file in files[:end]], sys.stdout)
