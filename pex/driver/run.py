# Runs a module of pex as `python -m` does, with two differences. Usage: run.py MODULE ARGUMENT...
import runpy
import sys

# Nothing is imported from the working directory: a project that has a json.py or a directory pex of its own
# must not become part of the tool.
sys.path[:] = [entry for entry in sys.path if entry not in ("", ".")]

from pex.orderedset import OrderedSet
from pex.resolve.target_configuration import InterpreterConfiguration

# With --interpreter-constraint, pex also takes this machine's interpreters that satisfy it as targets
# (resolve/target_configuration.py:82), beside the complete platforms, and fails when there are none. The
# targets are what the caller says; the constraints are meant for PEX-INFO.
InterpreterConfiguration.resolve_interpreters = lambda self: OrderedSet()

module = sys.argv[1]
sys.argv[:] = sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
