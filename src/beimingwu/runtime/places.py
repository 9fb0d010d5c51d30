"""Taking the places of this machine out of what a learnware says, for the log of its owner.

The owner knows the learnware's files by their names in its archive, and modules by the names they
are imported by; where a dock keeps them is nobody's business. Used by `process.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from beimingwu.runtime.launch import GUEST, Launch
from beimingwu.runtime.profiles import Profile
from beimingwu.runtime.sandbox import INSIDE

#: Where packages and the standard library lie in an installation; a module's own path follows.
_LIBRARIES = r"(?:/(?:lib|lib64|Lib)(?:/python3\.\d+t?)?(?:/(?:site|dist)-packages)?(?=/))?"
#: These are the same everywhere, and begin many other paths.
_SYSTEM = frozenset({"/", "/usr", "/usr/local"})


class Places:
    """The places that a guest knows, and the words for them.

    Parameters
    ----------
    launch
        How the guest is started.
    folder
        The learnware's.
    scratch
        The guest's temporary folder.

    Examples
    --------
    >>> places = Places(Launch(("python3",)), Path("/dock/unpacked/5f1d"), Path("/tmp/guest-1"))
    >>> places.plain("/dock/unpacked/5f1d/weights.npy is not in /dock/unpacked/5f1d")
    "weights.npy is not in the learnware's folder"
    """

    def __init__(self, launch: Launch, folder: Path, scratch: Path) -> None:
        walled_off = launch.sandbox == Profile.BUBBLEWRAP
        learnware = [INSIDE["{learnware}"]] if walled_off else []
        guest = [INSIDE["{guest}"]] if walled_off else []
        self._learnware = _either([*learnware, *_names(folder)])
        self._scratch = _either(_names(scratch))
        self._guest = _either([*guest, str(GUEST)])
        named = [name for path in launch.installations for name in _names(path)]
        self._installations = _either([name for name in named if name not in _SYSTEM])

    def plain(self, text: str) -> str:
        """Return a text in which files have the names that the learnware's owner knows."""
        text = re.sub(rf"{self._learnware}/", "", text)
        text = re.sub(self._learnware, "the learnware's folder", text)
        text = re.sub(self._guest, "guest.py", text)
        text = re.sub(self._scratch, "/tmp", text)  # noqa: S108 - a word, as guests know it
        text = re.sub(rf"{self._installations}{_LIBRARIES}/", "", text)
        return re.sub(self._installations, "its environment", text)

    def last_own_line(self, trace: str) -> str:
        """Return where a traceback last was in the learnware's own code; else its last place."""
        frames = [line.strip() for line in trace.splitlines() if line.startswith("  File ")]
        own = [line for line in frames if re.search(self._learnware, line)]
        return self.plain((own or frames or [""])[-1])


def _names(path: Path) -> list[str]:
    return [str(path.absolute()), str(path.resolve())]


def _either(names: Iterable[str]) -> str:
    """Return an expression for one of these paths, the longest first; for nothing where none."""
    ordered = sorted(set(names), key=len, reverse=True)
    either = "|".join(map(re.escape, ordered)) or r"(?!)"
    return rf"(?<![\w.-])(?:{either})(?![\w.-])"
