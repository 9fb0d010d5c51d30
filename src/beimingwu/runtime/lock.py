"""A request made exact: every package with its version and hashes, for one version of Python.

A lock is data. The dock records it with a revision, and the same lock makes the same environment
later and elsewhere. What cannot be had here is left out with a note, or refused with the remedy.
"""

from __future__ import annotations

import hashlib
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from packaging.specifiers import SpecifierSet

from beimingwu.config import settings
from beimingwu.errors import EnvironmentFailed
from beimingwu.learnware.scratch import Scratch
from beimingwu.runtime.diagnosis import VERSIONS, Amended, amend
from beimingwu.runtime.installer import Installer, OnLine, Outcome
from beimingwu.runtime.interpreters import Interpreter, distance, ranked
from beimingwu.runtime.requirements import Request, minor_of

_SHAPE = ("--generate-hashes", "--no-header", "--no-annotate", "--no-strip-extras", "--quiet")
_WHEELS = ("--only-binary", ":all:")


@dataclass(frozen=True)
class Lock:
    """Exact packages for one Python on one system.

    Parameters
    ----------
    packages
        Lines of pip's with exact versions and their hashes.
    python
        The version of Python, such as "3.11".
    platform
        The system, such as "linux-x86_64".
    notes
        What was left out or changed on the way here, a sentence each.

    Examples
    --------
    >>> lock = Lock("six==1.17.0 --hash=sha256:00", "3.11", "linux-x86_64")
    >>> lock.versions, Lock.from_json(lock.to_json()) == lock
    ({'six': '1.17.0'}, True)
    """

    packages: str
    python: str
    platform: str
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of all that decides what is installed; 64 hexadecimal digits."""
        text = "\0".join((self.packages, self.python, self.platform))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def versions(self) -> dict[str, str]:
        """The version of each package."""
        pins = [
            line.split()[0].partition("==")
            for line in self.packages.splitlines()
            if line[:1].isalnum()
        ]
        return {name.partition("[")[0]: version for name, _, version in pins}

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "packages": self.packages,
            "python": self.python,
            "platform": self.platform,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Lock:
        """Return the lock that `to_json` wrote."""
        notes = value.get("notes")
        return cls(
            packages=str(value["packages"]),
            python=str(value["python"]),
            platform=str(value["platform"]),
            notes=tuple(map(str, notes)) if isinstance(notes, list | tuple) else (),
        )


def resolve(
    request: Request,
    interpreters: Sequence[Interpreter],
    installer: Installer,
    *,
    on_line: OnLine | None = None,
) -> Lock:
    """Find exact versions for a request, on one of these interpreters.

    Parameters
    ----------
    on_line
        Is told each step.

    Raises
    ------
    EnvironmentFailed
        A package exists as source only (`environment.source_only`); another Python is needed
        (`environment.needs_python`); the packages contradict each other
        (`environment.unresolvable`); no index answers and the cache has not got them
        (`environment.offline`); all of it takes longer than `environment_resolve_seconds`
        (`environment.timed_out`).
    """
    if not interpreters:
        _need_python(request, "3.11")
    with Scratch("lock") as folder:
        return _Resolution(request, interpreters, installer, folder, on_line).lock()


def this_platform() -> str:
    """Return the name of this system.

    Examples
    --------
    >>> "-" in this_platform()
    True
    """
    return sysconfig.get_platform()


class _Resolution:
    """One search for a lock, within one time: on the nearest interpreter, amended, on others."""

    def __init__(
        self,
        request: Request,
        interpreters: Sequence[Interpreter],
        installer: Installer,
        folder: Path,
        on_line: OnLine | None,
    ) -> None:
        self._request = request
        self._ranked = ranked(request.python, interpreters)
        self._installer = installer
        self._folder = folder
        self._say = on_line or (lambda line: None)
        self._deadline = time.monotonic() + settings().environment_resolve_seconds

    def lock(self) -> Lock:
        nearest = self._ranked[0]
        self._say(f"finding versions for Python {nearest.version}")
        outcome = self._compile(self._request.text, nearest)
        if outcome.succeeded:
            return self._locked(outcome, nearest, ())
        amended = amend(self._request, lambda text, words: self._alone(text, nearest, words))
        for note in amended.notes:
            self._say(note)
        request = replace(self._request, wanted=amended.wanted)
        if not amended.other_python:
            outcome = self._compile(request.text, nearest)
            if outcome.succeeded:
                return self._locked(outcome, nearest, amended.notes)
        return self._on_another(request, amended, outcome)

    def _on_another(self, request: Request, amended: Amended, failed: Outcome) -> Lock:
        """Try the other versions of Python, those on this machine first."""
        here = {interpreter.minor: interpreter for interpreter in self._ranked}
        wished = minor_of(request.python) or self._ranked[0].minor
        admitted = SpecifierSet(request.python)
        absent = [minor for minor in VERSIONS if minor not in here]
        absent.sort(
            key=lambda minor: (_text(minor) + ".99" not in admitted, *distance(wished, minor))
        )
        for interpreter in self._ranked[1:]:
            self._say(f"finding versions for Python {interpreter.version}")
            outcome = self._compile(request.text, interpreter)
            if outcome.succeeded:
                return self._locked(outcome, interpreter, amended.notes)
        for minor in absent:
            words = ("--python-version", _text(minor))
            if self._compile(request.text, self._ranked[0], words).succeeded:
                _need_python(request, _text(minor), amended.other_python)
        raise EnvironmentFailed(
            f"The packages of {request.file} cannot be installed together: {failed.explanation}",
            remedy="Ask for versions that go together: those of the environment it was made in.",
            code="environment.unresolvable",
        )

    def _locked(self, outcome: Outcome, interpreter: Interpreter, notes: Sequence[str]) -> Lock:
        told = [*self._request.notes, *notes]
        python, asked = _text(interpreter.minor), self._request.python
        best = self._ranked[0]
        if best.version not in SpecifierSet(asked):
            told.append(f"Python {_readable(asked)} is not on this machine; {python} is used.")
        elif interpreter is not best:
            told.append(f"The packages are not for Python {_text(best.minor)}; {python} is used.")
        return Lock(outcome.text, python, this_platform(), tuple(told))

    def _alone(self, requirement: str, interpreter: Interpreter, words: Sequence[str]) -> Outcome:
        return self._compile(f"{requirement}\n", interpreter, ("--no-deps", *words))

    def _compile(self, text: str, interpreter: Interpreter, words: Sequence[str] = ()) -> Outcome:
        """Ask uv for exact versions; where no index answers, from the cache alone."""
        with tempfile.NamedTemporaryFile(
            "w", dir=self._folder, prefix="request-", suffix=".txt", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            command = (
                *("pip", "compile", file.name, "--python", str(interpreter.path)),
                *(*_SHAPE, *_WHEELS, *self._installer.indexes, *words),
            )
            outcome = self._run(command)
            if outcome.is_unreachable:
                self._say("no package index answers; looking in the cache")
                outcome = self._run(command, offline=True)
        if outcome.is_not_cached or outcome.is_unreachable:
            raise EnvironmentFailed(
                f"The packages of {self._request.file} are not in the cache, and no package index "
                f"answers: {outcome.explanation}",
                remedy="Try again when the network is there, or let the operator set "
                "BEIMINGWU_INDEX_URL or BEIMINGWU_FIND_LINKS.",
                code="environment.offline",
            )
        if not outcome.succeeded and not outcome.has_no_solution:
            raise EnvironmentFailed(
                f"uv cannot resolve {self._request.file}: {outcome.explanation}",
                remedy="Correct the file, or report this where uv did not understand us.",
                code="environment.uv",
            )
        return outcome

    def _run(self, command: Sequence[str], *, offline: bool | None = None) -> Outcome:
        left = self._deadline - time.monotonic()
        if left <= 0:
            _run_late()
        try:
            return self._installer.uv(
                command, seconds=left, writable=(self._folder,), offline=offline
            )
        except EnvironmentFailed as error:
            if error.code != "environment.timed_out":
                raise
        _run_late()


def _run_late() -> NoReturn:
    raise EnvironmentFailed(
        f"Finding versions took longer than {settings().environment_resolve_seconds:g} s.",
        remedy="Ask for exact versions of fewer packages; if the index is slow, let the operator "
        "raise BEIMINGWU_ENVIRONMENT_RESOLVE_SECONDS.",
        code="environment.timed_out",
    )


def _need_python(request: Request, version: str, lines: Sequence[str] = ()) -> NoReturn:
    which = ", ".join(f"`{line}`" for line in lines[:5]) or "what it asks for"
    raise EnvironmentFailed(
        f"{request.file}: {which} needs Python {version}, which this machine does not have.",
        remedy=f"Let the operator install Python {version} (`uv python install {version}`), or ask "
        "for versions that newer Pythons have.",
        code="environment.needs_python",
    )


def _text(minor: tuple[int, int]) -> str:
    return f"{minor[0]}.{minor[1]}"


def _readable(specifier: str) -> str:
    return specifier.removeprefix("==").removesuffix(".*")
