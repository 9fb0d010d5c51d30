"""The room on the disk that environments take, and the packages they are made from.

Most files of an environment are links to files in the cache of packages, and to those of other
environments: a file is counted once, however many names it has, and its room is free again only
when the last of them is gone. Used by `environment.py`.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: A file, by its device and number there, and its bytes.
File = tuple[tuple[int, int], int]


@dataclass(frozen=True)
class Room:
    """What all takes.

    Parameters
    ----------
    environments
        Bytes of the files of all environments.
    packages
        Bytes of what is in the cache of packages and in no environment.

    Examples
    --------
    >>> Room(environments=300, packages=20).total
    320
    """

    environments: int
    packages: int

    @property
    def total(self) -> int:
        """Bytes of both."""
        return self.environments + self.packages


class Ledger:
    """The files of some folders, each counted once.

    Examples
    --------
    >>> import tempfile
    >>> one, other = (Path(tempfile.mkdtemp()) for _ in range(2))
    >>> _ = (one / "shared").write_bytes(bytes(10)), (one / "own").write_bytes(bytes(5))
    >>> (other / "shared").hardlink_to(one / "shared")
    >>> ledger = Ledger([one, other])
    >>> ledger.strike(files_of(one))
    >>> ledger.total
    10
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._names: Counter[tuple[int, int]] = Counter()
        self.total = 0
        for folder in folders:
            for file, size in files_of(folder):
                self.total += 0 if file in self._names else size
                self._names[file] += 1

    def strike(self, files: Iterable[File]) -> None:
        """Count one name less of each of these files."""
        for file, size in files:
            self._names[file] -= 1
            if not self._names[file]:
                del self._names[file]
                self.total -= size

    def others(self, folder: Path) -> int:
        """Return the bytes of the files of a folder that are not counted here."""
        found = {file: size for file, size in files_of(folder) if file not in self._names}
        return sum(found.values())


def files_of(folder: Path) -> list[File]:
    """Return the files below a folder; none where it is not there."""
    return [
        ((about.st_dev, about.st_ino), about.st_size)
        for entry in _entries(folder)
        if entry.is_file(follow_symlinks=False)
        for about in _facts(entry)
    ]


def remove_unlinked(folder: Path) -> None:
    """Remove the files below a folder that have no other name."""
    for entry in _entries(folder):
        if entry.is_file(follow_symlinks=False):
            for about in _facts(entry):
                if about.st_nlink == 1:
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield all that is below a folder; what goes away meanwhile is left out."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))


def _facts(entry: os.DirEntry[str]) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError):
        yield entry.stat(follow_symlinks=False)
