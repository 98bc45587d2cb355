"""Install the judges that come from PyPI: `python -m tests.judges [NAME ...]`. Ends with 1 when one could not be."""

import subprocess
import sys

from tests.judges import wheels
from tests.judges.environments import PINNED, make

failed = []
for name in sys.argv[1:] or (*PINNED, *wheels.PINNED):
    try:
        wheels.fetch(name) if name in wheels.PINNED else make(name)
    except subprocess.CalledProcessError as error:
        failed.append(f"{name}: {error}")
sys.exit("\n".join(failed) or 0)
