"""Why a package that a learnware asks for cannot be had here: a question to uv for each, by trial.

Each requirement is tried alone: under this Python, under others, for all systems. What works
where tells a package of another system from one of another Python and from one without wheels.
Used by `lock.py` once a request as a whole has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from beimingwu.errors import EnvironmentFailed
from beimingwu.runtime.installer import Outcome
from beimingwu.runtime.interpreters import NEWEST, OLDEST
from beimingwu.runtime.requirements import Request, Wanted, with_numpy

#: Tries to resolve one requirement alone; the words are further options of uv's.
Try = Callable[[str, tuple[str, ...]], Outcome]

VERSIONS = tuple((3, minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1))
_UNKNOWN = re.compile(r"not found in the (package registry|provided package locations)")
_NO_VERSION = re.compile(r"there (is|are) no versions? of|there are no (suitable )?versions")
_NO_WHEEL = re.compile(r"ha(s|ve) no usable wheels")
_ALL_SYSTEMS = ("--universal",)


class Why(Enum):
    """What became of one requirement, tried alone."""

    FITS = "fits"
    UNKNOWN = "no index has it"
    NO_VERSION = "it has no such version"
    OTHER_SYSTEM = "it exists for other systems only"
    OTHER_PYTHON = "it exists for other versions of Python only"
    SOURCE_ONLY = "it has no wheel"
    NOT_HERE = "nothing of it runs here"


@dataclass(frozen=True)
class Amended:
    """A request without what cannot be had here.

    Parameters
    ----------
    wanted
        What is left.
    notes
        What was left out or changed, a sentence each.
    other_python
        The lines that need another version of Python.
    """

    wanted: tuple[Wanted, ...]
    notes: tuple[str, ...]
    other_python: tuple[str, ...]


def amend(request: Request, attempt: Try) -> Amended:
    """Try each requirement alone, and leave out or loosen those that exist nowhere for us.

    Raises
    ------
    EnvironmentFailed
        One that pip asks for exists as source only (`environment.source_only`).
    """
    with ThreadPoolExecutor(4) as pool:
        reasons = list(pool.map(lambda wanted: why(wanted, attempt), request.wanted))
    kept: list[Wanted] = []
    notes: list[str] = []
    other_python: list[str] = []
    for wanted, reason in zip(request.wanted, reasons, strict=True):
        if reason is Why.SOURCE_ONLY and wanted.source == "pip":
            _refuse_source(request.file, wanted)
        if reason is Why.OTHER_PYTHON:
            other_python.append(wanted.line)
        if reason in (Why.FITS, Why.OTHER_PYTHON):
            kept.append(wanted)
            continue
        looser = _first(wanted.looser(), attempt) if reason is not Why.OTHER_SYSTEM else None
        if looser is None:
            notes.append(f"{request.file}: `{wanted.line}` is left out: {reason.value}.")
        else:
            notes.append(f"{request.file}: `{wanted.line}`: {reason.value}; {looser} is taken.")
            kept.append(Wanted(looser, wanted.line, wanted.source))
    return Amended(with_numpy(kept), tuple(notes), tuple(other_python))


def why(wanted: Wanted, attempt: Try) -> Why:
    """Return what is the matter with one requirement."""
    outcome = attempt(wanted.requirement, ())
    if outcome.succeeded:
        return Why.FITS
    if _UNKNOWN.search(outcome.text):
        return Why.UNKNOWN
    if _NO_VERSION.search(outcome.text):
        return Why.NO_VERSION
    pythons = [("--python-version", f"{major}.{minor}") for major, minor in VERSIONS]
    if _any(attempt, wanted, pythons):
        return Why.OTHER_PYTHON
    systems = [_ALL_SYSTEMS, *((*_ALL_SYSTEMS, *python) for python in pythons)]
    if _any(attempt, wanted, systems):
        return Why.OTHER_SYSTEM
    return Why.SOURCE_ONLY if _NO_WHEEL.search(outcome.text) else Why.NOT_HERE


def _any(attempt: Try, wanted: Wanted, options: Sequence[tuple[str, ...]]) -> bool:
    return any(attempt(wanted.requirement, words).succeeded for words in options)


def _first(requirements: Iterable[str], attempt: Try) -> str | None:
    return next((text for text in requirements if attempt(text, ()).succeeded), None)


def _refuse_source(file: str, wanted: Wanted) -> None:
    raise EnvironmentFailed(
        f"{file}: `{wanted.line}` has no wheel: installing it would run code of its own.",
        remedy="Ask for a version that has a wheel, or pack the module's files into the learnware.",
        code="environment.source_only",
    )
