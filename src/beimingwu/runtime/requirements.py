"""What a learnware asks to be installed, read from its file into one normal form, or refused.

Only named packages pass: whatever would fetch from an address, read a file or change the index is
refused with its line quoted. Nothing is looked up here; `lock.py` finds what exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from packaging.requirements import InvalidRequirement as NotPep508
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from beimingwu.errors import InvalidArchive
from beimingwu.learnware.archive import Requirements

#: The guest moves arrays, so every environment has it.
NUMPY = "numpy"
#: More than the largest conda export seen, by far.
MAX_PACKAGES = 1000
#: Supplied to every learnware by the guest.
_SUPPLIED = "learnware"
#: Options of requirements.txt that change nothing here: only wheels are ever taken.
#: Characters of a line, without its hashes; what is longer is no name and version.
LONGEST_LINE = 2_000
_HARMLESS = ("--only-binary", "--prefer-binary", "--require-hashes", "--no-cache-dir")
#: The words a line may begin with that are refused, what they are, and the end of their code.
_REFUSED = (
    (("-e", "--editable"), "an editable install", "editable"),
    (("-r", "--requirement", "-c", "--constraint"), "another file", "included_file"),
    (
        ("-i", "--index-url", "--extra-index-url", "--pypi-url", "-f", "--find-links"),
        "an index of its own",
        "index_option",
    ),
    (("--no-index", "--trusted-host", "--index"), "an index of its own", "index_option"),
)
_REMEDIES = {
    "editable": "Ask for a released version, or pack the module's files into the learnware.",
    "included_file": "Write the packages out in this file.",
    "index_option": "Remove the line: the operator of the dock chooses the package index.",
    "option": "Remove the option: only names, versions, extras and markers are read.",
    "vcs": "Ask for a released version, or pack the module's files into the learnware.",
    "url": "Ask for the package by its name and version.",
    "path": "Pack the module's files into the learnware, and import them from there.",
    "variable": "Write the value out.",
    "syntax": "Write `name==version`, one package a line.",
}
_VCS = re.compile(r"(^|[\s@])(git|hg|svn|bzr)\+", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_PATH = re.compile(r"^[.~]|[/\\]")
#: Also names that packages could have; none does.
_FILE = re.compile(r"^[^/:@]+\.(whl|zip|tar\.gz|tgz|tar\.bz2|egg)$", re.IGNORECASE)
_OPTION = re.compile(r"\s--?[A-Za-z]")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True)
class Wanted:
    """One package that is asked for.

    Parameters
    ----------
    requirement
        It in PEP 508, normalised.
    line
        As the owner wrote it.
    source
        Who asked: a line of pip's, one of conda's, or the dock itself.
    """

    requirement: str
    line: str
    source: Literal["pip", "conda", "dock"] = "pip"

    @property
    def name(self) -> str:
        """The normalised name of the package."""
        return canonicalize_name(Requirement(self.requirement).name)

    def looser(self) -> tuple[str, ...]:
        """Return the series of an exact pin that does not exist, the nearest first.

        Examples
        --------
        >>> Wanted("numpy==1.24.99", "numpy=1.24.99").looser()
        ('numpy==1.24.*', 'numpy==1.*')
        >>> Wanted("numpy>=99", "numpy>=99").looser()
        ()
        """
        parsed = Requirement(self.requirement)
        pins = [pin for pin in parsed.specifier if pin.operator in ("==", "===")]
        if len(pins) != len(parsed.specifier) or len(pins) != 1:
            return ()
        try:
            release = Version(pins[0].version.removesuffix(".*")).release
        except InvalidVersion:
            return ()
        series = [f"=={'.'.join(map(str, release[:n]))}.*" for n in (2, 1) if n < len(release)]
        return tuple(str(_with_specifier(parsed, text)) for text in series)


@dataclass(frozen=True)
class Request:
    """What one learnware asks for.

    Parameters
    ----------
    file
        The name of the file that said so.
    wanted
        The packages, numpy always among them.
    python
        The versions of Python it asks for, as a specifier; empty for any.
    notes
        What was left out and why, a sentence each.
    """

    file: str
    wanted: tuple[Wanted, ...]
    python: str = ""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the resolver is given."""
        return "".join(f"{wanted.requirement}\n" for wanted in self.wanted)


def normalise(requirements: Requirements) -> Request:
    """Read the file of a learnware.

    Raises
    ------
    InvalidArchive
        A line that is not a named package: its code says what it is (`requirements.url`,
        `.vcs`, `.path`, `.editable`, `.index_option`, `.included_file`, `.option`, `.variable`,
        `.syntax`), or the file is not one.

    Examples
    --------
    >>> request = normalise(Requirements("requirements.txt", "Scikit_Learn == 1.6.1  # fitted"))
    >>> print(request.text, end="")
    scikit-learn==1.6.1
    numpy
    """
    if requirements.kind == "environment.yaml":
        from beimingwu.runtime.conda import read_environment

        python, wanted, notes = read_environment(requirements.text)
    else:
        python, notes = "", []
        wanted = [
            package
            for line in logical_lines(requirements.text)
            for package in read_line(line, requirements.kind, notes)
        ]
    if len(wanted) > MAX_PACKAGES:
        raise InvalidArchive(
            f"{requirements.kind} asks for {len(wanted)} packages; at most {MAX_PACKAGES} may be.",
            remedy="Name the packages that the model imports; what they need comes by itself.",
            code="requirements.too_many",
        )
    kept = with_numpy(_without_supplied(wanted, notes))
    return Request(requirements.kind, kept, python, tuple(notes))


def with_numpy(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Return the packages and numpy, which the guest needs, where it is not sure to be there."""
    kept = tuple(wanted)
    if any(package.name == NUMPY and ";" not in package.requirement for package in kept):
        return kept
    return (*kept, Wanted(NUMPY, NUMPY, "dock"))


def logical_lines(text: str) -> Iterator[str]:
    r"""Yield the lines of a requirements.txt, continued ones joined, without comments.

    Examples
    --------
    >>> list(logical_lines("numpy \\\n  >=1.2  # any\n\n# nothing\nscipy#1"))
    ['numpy >=1.2', 'scipy#1']
    """
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        bare = " ".join(_COMMENT.sub("", line).split())
        if bare:
            yield bare


def read_line(line: str, file: str, notes: list[str]) -> list[Wanted]:
    """Read one line of pip's: one package, or none where it is an option that changes nothing.

    Parameters
    ----------
    notes
        A sentence is added for what is left out of the line.
    """
    if line.startswith("-"):
        _check_option(line, file)
        return []
    bare, hashes, _ = line.partition(" --hash")
    if len(bare) > LONGEST_LINE:
        refuse(bare, file, f"has {len(bare):,} characters; no package takes so many", "syntax")
    if hashes:
        notes.append(f"{file}: the hashes of `{_short(bare)}` are not used; the lock has its own.")
    if "${" in bare:
        refuse(line, file, "refers to a variable of the environment", "variable")
    if _FILE.search(bare):
        refuse(line, file, "takes a package from a file, not from the index", "path")
    try:
        parsed = Requirement(bare)
    except NotPep508 as error:
        _refuse_unreadable(bare, file, error)
    except RecursionError:
        refuse(line, file, "is not a package: it is nested too deep", "syntax")
    if parsed.url is not None:
        kind = "vcs" if _VCS.search(line) else "url"
        refuse(line, file, "takes a package from an address, not from the index", kind)
    return [Wanted(str(_without_builds(parsed, line, file, notes)), _short(line))]


def refuse(line: str, file: str, what: str, kind: str) -> NoReturn:
    """Refuse a line, quoted, with the remedy for its kind."""
    raise InvalidArchive(
        f"{file}: `{_short(line)}` {what}.",
        remedy=_REMEDIES[kind],
        code=f"requirements.{kind}",
    )


def _check_option(line: str, file: str) -> None:
    option = re.split(r"[\s=]", line, maxsplit=1)[0]
    if option in _HARMLESS:
        return
    for words, what, kind in _REFUSED:
        # pip reads `-rother.txt` as `-r other.txt`.
        short = [word for word in words if len(word) == 2]
        if option in words or (not line.startswith("--") and line[:2] in short):
            refuse(line, file, f"is {what}", kind)
    refuse(line, file, "is an option that is not read", "option")


def _refuse_unreadable(line: str, file: str, error: NotPep508) -> NoReturn:
    if _VCS.search(line):
        refuse(line, file, "takes a package from a repository, not from the index", "vcs")
    if _URL.search(line):
        refuse(line, file, "takes a package from an address, not from the index", "url")
    if _PATH.search(line):
        refuse(line, file, "takes a package from a file, not from the index", "path")
    if _OPTION.search(line):
        refuse(line, file, "has an option that is not read", "option")
    reason = str(error).partition("\n")[0].rstrip(".")
    refuse(line, file, f"is not a package: {reason}", "syntax")


def _without_builds(parsed: Requirement, line: str, file: str, notes: list[str]) -> Requirement:
    """Drop the local part of a version (2.6.0+cu118), which names a build that no index has."""
    kept = []
    for pin in parsed.specifier:
        version, _, build = pin.version.partition("+")
        kept.append(f"{pin.operator}{version}")
        if build:
            notes.append(f"{file}: `{_short(line)}` names the build {build!r}; any is taken.")
    return _with_specifier(parsed, ",".join(sorted(kept)))


def _with_specifier(parsed: Requirement, specifier: str) -> Requirement:
    copy = Requirement(str(parsed))
    copy.name = canonicalize_name(parsed.name)
    copy.specifier = SpecifierSet(specifier)
    return copy


def _without_supplied(wanted: Iterable[Wanted], notes: list[str]) -> Iterator[Wanted]:
    """Leave out the engine itself, and what conda asks for where pip asks for it too."""
    packages = list(wanted)
    by_pip = {package.name for package in packages if package.source == "pip"}
    seen = set()
    for package in packages:
        if package.name == _SUPPLIED:
            notes.append(
                f"`{package.line}` is left out: every learnware is given a `learnware.model`."
            )
        elif package.source == "conda" and package.name in by_pip:
            notes.append(f"`{package.line}` is left out: pip asks for {package.name} as well.")
        elif package.requirement not in seen:
            seen.add(package.requirement)
            yield package


def minor_of(specifier: str) -> tuple[int, int] | None:
    """Return the version of Python that a specifier has in mind: the lowest that it names.

    Examples
    --------
    >>> minor_of("==3.8.*"), minor_of(">=3.9,<3.12"), minor_of("")
    ((3, 8), (3, 9), None)
    """
    named = [
        Version(pin.version.removesuffix(".*")).release
        for pin in SpecifierSet(specifier)
        if not _bounds_above(pin)
    ]
    padded = sorted((*release, 0)[:2] for release in named)
    return (padded[0][0], padded[0][1]) if padded else None


def _bounds_above(pin: Specifier) -> bool:
    return pin.operator in ("<", "<=", "!=")


def _short(line: str) -> str:
    return line if len(line) <= 200 else f"{line[:199]}…"
