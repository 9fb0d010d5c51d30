"""Linear algebra on one thread: our matrices are small, and threads only get in each other's way.

Two threads take twice the processor's time for the same answer at the same moment, and sums in
another order would be other sums.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    """Look for libraries once, when the first block begins: that takes milliseconds."""
    return ThreadpoolController()


class _OneThread:
    """A `with` block in which linear algebra has one thread; blocks may overlap in any order."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._blocks = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._guard:
            self._blocks += 1
            if self._blocks == 1:
                self._limits = _controller().limit(limits=1, user_api="blas")

    def __exit__(self, *ended: object) -> None:
        with self._guard:
            self._blocks -= 1
            if self._blocks == 0:
                self._limits.restore_original_limits()


one_thread = _OneThread()
