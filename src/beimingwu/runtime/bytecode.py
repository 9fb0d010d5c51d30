"""Compiles the modules of an environment, so that a learnware does not do it at every start.

A stand-alone script: standard library only, Python 3.8 and newer, run by the interpreter itself
without any installed package (`-I -S`): it parses what packages bring and runs none of it. Several
may share the work; each takes its part of the files. What was compiled once is linked from a cache,
under the digest of its source: what a package says of itself is not believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import py_compile
import resource
import sys
from pathlib import Path

#: Big, and no model imports them.
LEFT_OUT = ("tests", "test", "testing_data", "__pycache__")
#: Compiling takes hundreds of times the memory of a source; what needs more stays a source.
MEMORY_MAX_BYTES = 1024 * 1024 * 1024


def main(folder: Path, cache: Path, part: int, parts: int) -> None:
    """Compile every `parts`-th module under `folder`, counted by size from `part`."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (least(MEMORY_MAX_BYTES, hard), hard))
    sources = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        paths = [Path(place, name) for name in names if name.endswith(".py")]
        sources += [(path.stat().st_size, str(path)) for path in paths]
    for _, path in sorted(sources, reverse=True)[part::parts]:
        with contextlib.suppress(OSError, MemoryError):
            compiled(Path(path), os.path.relpath(path, folder), cache)


def least(wanted: int, hard: int) -> int:
    """Return a limit that is wanted, or what is allowed where that is less."""
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def compiled(path: Path, shown: str, cache: Path) -> None:
    """Put the bytecode of one module beside it, from the cache where it is there."""
    digest = hashlib.sha256(shown.encode() + b"\0" + path.read_bytes()).hexdigest()
    kept = cache / str(sys.implementation.cache_tag) / digest[:2] / f"{digest}.pyc"
    beside = Path(importlib.util.cache_from_source(str(path)))
    beside.parent.mkdir(exist_ok=True)
    try:
        os.link(kept, beside)
    except OSError:
        if compile_module(path, shown, beside):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # Another was quicker, or it is another disk.
                os.link(beside, kept)


def compile_module(path: Path, shown: str, beside: Path) -> bool:
    """Compile one module; False for one that this Python cannot read, which stays a source."""
    try:
        py_compile.compile(
            str(path),
            cfile=str(beside),
            dfile=shown,  # Import writes the true path into it.
            doraise=True,
            quiet=2,
            # The environment never changes: no file's time needs to be looked at.
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
