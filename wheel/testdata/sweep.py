"""Prints, as JSON, what Python reads from real wheels: zipfile, importlib.metadata, packaging and pex.

    PYTHONPATH=PACKAGING_WHEEL:UNPACKED_PEX python3 sweep.py WHEEL...
"""
import hashlib
import importlib.metadata
import json
import os
import sys
import zipfile

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import parse_wheel_filename
from pex.dist_metadata import CallableEntryPoint, Distribution
from pex.pep_376 import InstalledDirectory, Record
from pex.wheel import Wheel


def requirement(text):
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        return None


def entry_points(distribution, group):
    return [[p.name, p.entry_point.module, list(p.entry_point.attrs) if isinstance(p.entry_point, CallableEntryPoint) else []]
            for p in distribution.get_entry_map().get(group, {}).values()]


def record(content):
    rows = []
    for row in Record.read(line for line in content.decode("utf-8").splitlines() if line):
        row = row.dir_info if isinstance(row, InstalledDirectory) else row
        rows.append([row.path, str(row.hash or ""), -1 if row.size is None else row.size])
    return rows


def read(path):
    file = os.path.basename(path)
    name, version, build, tags = parse_wheel_filename(file)
    wheel, distribution = Wheel.load(path), Distribution.load(path)
    with zipfile.ZipFile(path) as z:
        info = wheel.metadata_dir
        metadata = importlib.metadata.PathDistribution(zipfile.Path(z, info + "/")).metadata
        lines = z.read(info + "/RECORD")
        return {
            "file": file, "name": name, "version": str(version), "build": "".join(map(str, build)), "tags": sorted(map(str, tags)),
            "sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(), "size": os.path.getsize(path), "dist_info": info,
            "metadata": [metadata["Name"], metadata["Version"], metadata["Requires-Python"] or "", metadata.get_all("Requires-Dist") or [], metadata.get_all("Provides-Extra") or []],
            "requirements": [requirement(r) for r in metadata.get_all("Requires-Dist") or []],
            "pure": wheel.root_is_purelib, "wheel_tags": sorted(map(str, wheel.tags)),
            "record": record(lines), "crlf": lines.split(b"\n")[0].endswith(b"\r"),
            "console": entry_points(distribution, "console_scripts"), "gui": entry_points(distribution, "gui_scripts"),
            "entries": [[i.filename, i.file_size, i.CRC, i.compress_type, i.external_attr] for i in z.infolist()],
        }


json.dump([read(path) for path in sys.argv[1:]], sys.stdout)
