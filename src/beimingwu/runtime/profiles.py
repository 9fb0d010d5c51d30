"""Which walls stand around a learnware's code, and how much of the machine it may use.

`Profile` names the kinds of walls, `Limits` the amounts; both come from the settings unless a call
gives its own. Used by `sandbox.py` and the doctor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from beimingwu.config import settings
from beimingwu.errors import InvalidInput


class Profile(StrEnum):
    """A kind of walls.

    Examples
    --------
    >>> [str(profile) for profile in Profile]
    ['bubblewrap', 'landlock', 'none']
    """

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"

    @classmethod
    def from_settings(cls) -> Profile:
        """Return the one that `BEIMINGWU_SANDBOX` names.

        Raises
        ------
        InvalidInput
            There is none of that name.
        """
        return cls.of(settings().sandbox)

    @classmethod
    def of(cls, name: str) -> Profile:
        """Return the one of a name.

        Raises
        ------
        InvalidInput
            There is none of that name.

        Examples
        --------
        >>> Profile.of("landlock")
        <Profile.LANDLOCK: 'landlock'>
        """
        try:
            return cls(name)
        except ValueError:
            raise InvalidInput(
                f"There is no sandbox profile {name!r}; there are {', '.join(cls)}.",
                remedy="Set BEIMINGWU_SANDBOX to one of them, or unset it for bubblewrap.",
                code="input.sandbox",
            ) from None


@dataclass(frozen=True)
class Limits:
    """How much a guest may use.

    Parameters
    ----------
    memory
        Address space of one process, in bytes; and what all of them fill together.
    threads
        Threads, and processes where it may start any, all together.
    file
        Size of one file it writes, in bytes.
    open_files
        Files and pipes open at once.
    cpu
        Processor time of one process, in seconds.
    scratch
        Size of its temporary folder, which is memory, in bytes.
    fork
        Whether it may start processes.

    Examples
    --------
    >>> Limits.from_settings().fork
    False
    """

    memory: int
    threads: int
    file: int
    open_files: int
    cpu: int
    scratch: int
    fork: bool = False

    @classmethod
    def from_settings(cls) -> Limits:
        """Return the limits that the settings give."""
        given = settings()
        return cls(
            memory=given.guest_memory_max_bytes,
            threads=given.guest_threads_max,
            file=given.guest_file_max_bytes,
            open_files=given.guest_open_files_max,
            cpu=given.guest_cpu_seconds,
            scratch=given.guest_scratch_max_bytes,
            fork=bool(given.guest_fork),
        )
