"""Compiles the modules of an environment, so that a learnware does not do it at every start.

A stand-alone script: standard library only, Python 3.8 and newer, run by the interpreter itself
without any installed package (`-I -S`): it parses what packages bring and runs none of it. Several
may share the work; each takes its part of the files.
"""

from __future__ import annotations

import os
import py_compile
import sys
from pathlib import Path

#: Big, and no model imports them.
LEFT_OUT = ("tests", "test", "testing_data", "__pycache__")


def main(folder: str, part: int, parts: int) -> None:
    """Compile every `parts`-th module under `folder`, counted by size from `part`."""
    sources = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        paths = [Path(place, name) for name in names if name.endswith(".py")]
        sources += [(path.stat().st_size, str(path)) for path in paths]
    for _, path in sorted(sources, reverse=True)[part::parts]:
        compile_module(path, os.path.relpath(path, folder))


def compile_module(path: str, shown: str) -> None:
    """Compile one module; one that this Python cannot read stays a source."""
    try:
        py_compile.compile(
            path,
            dfile=shown,  # Import writes the true path into it.
            doraise=True,
            quiet=2,
            # The environment never changes: no file's time needs to be looked at.
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
        return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
