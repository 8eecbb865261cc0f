# Installs the given wheels as the pip of pex, where pex itself would look for it, and prints how it is run.
# Usage: bootstrap.py PIP_VERSION WHEEL..., with PYTHONPATH=<pex> and PEX_ROOT set.
#
# These are the calls that pex makes in pip/installation.py:319 (_resolved_installation), less the download
# of the wheels, for which pex uses the pip of ensurepip or one from 2020. The resulting PEX has the same
# pex_hash.
import json
import sys

from pex.pip import installation
from pex.pip.version import PipVersion

wheels = sys.argv[2:]
pip = installation._pip_installation(
    version=PipVersion.for_value(sys.argv[1]),
    iter_distribution_locations=lambda: [installation._install_wheel(wheel) for wheel in wheels],
    fingerprint=installation._fingerprint(()),
)
sys.stdout.write(json.dumps({"argv": pip._pip_venv.execute_args(), "cache": pip.cache_dir}))
