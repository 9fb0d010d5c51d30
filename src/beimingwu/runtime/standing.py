"""Whether a sandbox can be put up on this machine: tried once, remembered while nothing changes.

A dock asks when it opens, so that one whose walls would fail does not start; the trial takes a
tenth of a second, and what is remembered a thousandth. Only success is remembered, and every guest
still puts up walls of its own: what is remembered never stands for them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from beimingwu.config import settings
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.sandbox import CONFINE, bubblewrap, require_parts
from beimingwu.runtime.trial import SWITCHES, require

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACES = ("user", "pid", "mnt", "net")


def require_standing(profile: Profile | None = None, limits: Limits | None = None) -> None:
    """Refuse a profile that this machine cannot put up.

    Parameters
    ----------
    profile, limits
        As the settings say where None.

    Raises
    ------
    SandboxUnavailable
        The remedy says what to change.

    Examples
    --------
    >>> require_standing(Profile.NONE)
    """
    profile, limits = profile or Profile.from_settings(), limits or Limits.from_settings()
    if profile is Profile.NONE:
        return
    require_parts(profile, limits)
    remembered = Path(settings().cache) / "walls" / profile
    now = _circumstances(profile, limits)
    with contextlib.suppress(OSError):
        if remembered.read_text() == now:
            return
    require(profile, limits)
    with contextlib.suppress(OSError):  # A cache that cannot be written costs a trial each time.
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(now)


def _circumstances(profile: Profile, limits: Limits) -> str:
    """Return a digest of all that decides whether the walls stand."""
    program = Path(bubblewrap() or os.devnull)
    facts = {
        "boot": _BOOT.read_text(),
        "namespaces": [Path(f"/proc/self/ns/{name}").stat().st_ino for name in _NAMESPACES],
        "rights": [line for line in _own_status() if line.startswith(("Uid", "Cap", "Seccomp"))],
        "switches": [_content(Path(switch)) for switch, _, _ in SWITCHES],
        "limits": asdict(limits),
        "python": sys.executable,
        "programs": [hashlib.sha256(path.read_bytes()).hexdigest() for path in (program, CONFINE)],
        "profile": str(profile),
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _own_status() -> list[str]:
    return Path("/proc/self/status").read_text().splitlines()


def _content(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text()
    return ""
