"""For every test: learnwares run behind the default walls, with this interpreter's packages.

An environment of each learnware's own is made in the tests that are about it (`own_packages`).
"""

from __future__ import annotations

import os

os.environ["BEIMINGWU_PACKAGES"] = "current"
