# Asks a Python what it is, whether its pip works, and which of pip's settings come from files.
# Runs under any Python, also those that are too old: the answer says so.
import json
import sys

answer = {
    "executable": sys.executable,
    "implementation": getattr(getattr(sys, "implementation", None), "name", "unknown"),
    "version": "%d.%d.%d" % sys.version_info[:3],
    "final": sys.version_info[3] == "final",
    "pip": "",
    "problem": "",
    "settings": [],
}
try:
    import pip
    from pip._internal.cli.main import main  # noqa: F401: what `python -m pip` runs; needs all that pip needs

    answer["pip"] = pip.__version__
except BaseException as e:  # Debian's pip without distutils raises what it likes
    answer["problem"] = "%s: %s" % (type(e).__name__, e)

# pip has no option that prints where a setting comes from; its configuration object knows.
try:
    from pip._internal.configuration import Configuration

    configuration = Configuration(isolated=False)
    configuration.load()
    for kind, parsers in configuration._parsers.items():
        for name, parser in parsers:
            for section in parser.sections():
                for key, value in parser.items(section):
                    answer["settings"].append(
                        {"kind": kind, "file": name, "section": section, "key": key, "value": value}
                    )
except Exception:
    pass  # the settings only make messages better

sys.stdout.write(json.dumps(answer))
