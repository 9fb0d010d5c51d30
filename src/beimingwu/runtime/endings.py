"""What went wrong in a guest, as an error of ours: what it raised, and how its process ended.

The texts are for the learnware's owner, who reads them in the log of a submission. `host.py` raises
them.
"""

from __future__ import annotations

import signal
from typing import NoReturn

from beimingwu.config import MiB, settings
from beimingwu.errors import GuestCrashed, GuestOutOfMemory, GuestTimedOut
from beimingwu.runtime.process import Ending, Process

_CORRECT = "Correct the learnware's module and pack it again."
_MEMORY = "Predict on fewer records at a time, or allow more with BEIMINGWU_GUEST_MEMORY_MAX_BYTES."
_WALLS = (
    "A learnware may not open connections, start programs, or write anywhere but to its temporary "
    "folder."
)
#: What the guest script itself finds wrong. Other codes are a learnware's own invention.
_MISFITS = frozenset({"guest.no_class", "guest.no_predict", "guest.reply_type"})
#: What C++ and numerical libraries print when memory is refused to them, before they abort.
_REFUSED_MEMORY = ("std::bad_alloc", "Memory allocation still failed", "Cannot allocate memory")


def raise_raised(error: object, what: str, process: Process, *, walls: bool) -> NoReturn:
    """Raise what the learnware raised.

    Parameters
    ----------
    error
        As the guest explains it; a stranger's data.
    what
        What it was doing: "start" or "predict".
    process
        Where: it knows what was last printed, and the places to leave unsaid.
    walls
        Whether it ran in a sandbox, which refuses some calls.
    """
    given = error if isinstance(error, dict) else {}
    kind, message = str(given.get("type", "an error")), str(given.get("message", ""))
    message = process.places.plain(message)
    own_line = process.places.last_own_line(str(given.get("traceback", "")))
    where = f"\n    {own_line}" if own_line else ""
    last = process.last_lines()
    if kind == "MemoryError":
        raise GuestOutOfMemory(
            f"The learnware ran out of memory: {message or 'MemoryError'}.{last}", remedy=_MEMORY
        )
    if given.get("module"):
        raise GuestCrashed(
            f"The learnware imports {given['module']!r}, which is not installed here.{last}",
            remedy="Name its package in requirements.txt or environment.yaml; where learnwares run "
            "with BEIMINGWU_PACKAGES=current, install it.",
            code="guest.import",
        )
    refused = walls and kind == "PermissionError"
    told = str(given.get("code"))
    raise GuestCrashed(
        f"The learnware failed to {what}: {kind}: {message}{where}{last}",
        remedy=_WALLS if refused else _CORRECT,
        code="guest.forbidden" if refused else told if told in _MISFITS else "guest.raised",
    )


def raise_ended(what: str, ending: Ending) -> NoReturn:
    """Raise how the learnware's process ended by itself, or was ended by the system."""
    number = -ending.status if ending.status is not None and ending.status < 0 else 0
    if number == signal.SIGXCPU:
        raise GuestTimedOut(
            f"The learnware used more than {settings().guest_cpu_seconds} seconds of processor "
            f"time.{ending.text}",
            remedy="It must do nothing between calls; or allow it more with "
            "BEIMINGWU_GUEST_CPU_SECONDS.",
            code="guest.cpu",
        ) from None
    if ending.over_memory is not None:
        raise GuestOutOfMemory(
            f"The learnware's processes together filled more than {ending.over_memory // MiB:,} "
            f"MiB of memory during {what}.{ending.text}",
            remedy=_MEMORY,
        ) from None
    starved = number == signal.SIGKILL and ending.system_out_of_memory
    if starved or (number and any(text in ending.text for text in _REFUSED_MEMORY)):
        raise GuestOutOfMemory(
            f"The learnware's process was ended by {_name(number)} for want of memory during "
            f"{what}.{ending.text}",
            remedy=_MEMORY,
        ) from None
    if number:
        how = f"was ended by {_name(number)}"
    else:
        how = "closed its pipe" if ending.status is None else f"ended with status {ending.status}"
    forbidden = number == signal.SIGSYS
    raise GuestCrashed(
        f"The learnware's process {how} during {what}.{ending.text}",
        remedy=_WALLS if forbidden else _CORRECT,
        code="guest.forbidden" if forbidden else "guest.ended",
    ) from None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
