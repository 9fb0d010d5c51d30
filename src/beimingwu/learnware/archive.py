"""A learnware archive, opened safely: everything is checked before anything is used.

Opening reads the zip strictly (`zipreader`), runs the named checks (`zipchecks`), unpacks every
member once into nothing to hold it against its size and CRC, and reads the manifest. Nothing is
written to disk and nothing is executed. Used by `model.py`, `packing.py` and the dock.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn, Self

from beimingwu.config import MiB, Settings, settings
from beimingwu.errors import InvalidArchive, NotFound, TooLarge
from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest, StatisticalEntry
from beimingwu.learnware.zipchecks import check_members
from beimingwu.learnware.zipreader import CHUNK, Member, inflate, read_members
from beimingwu.specification.files import read_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification

#: What the Finder adds to archives; it is neither ours nor the learnware's.
_MAC_FOLDER = "__MACOSX/"
#: Python prefers bytecode to the source beside it, even where they differ; only source is to run.
_BYTECODE_FOLDER, _BYTECODE = "__pycache__", (".pyc", ".pyo")
#: Written by a dock from the specification of a learnware, so it says nothing new.
_MADE_BY_DOCKS = ("HeteroMapTableSpecification",)
REQUIREMENTS_MAX_BYTES = 1 * MiB


@dataclass(frozen=True)
class Requirements:
    """The packages a learnware needs: the text of the file that names them, and which file."""

    kind: Literal["requirements.txt", "environment.yaml"]
    text: str


def open_archive(source: str | Path | bytes | BinaryIO) -> Archive:
    """Open a learnware archive after checking all of it.

    Parameters
    ----------
    source
        Path of a zip file, its bytes, or a seekable binary file (which stays the caller's).

    Returns
    -------
    Archive
        A context manager; close it to let go of the file.

    Raises
    ------
    InvalidArchive
        Not an archive of a learnware: not a zip, damaged, or a file that the manifest names is
        missing.
    HostileArchive
        It tries to escape, exhaust or deceive its reader.
    TooLarge
        Over a limit of `beimingwu.config`.
    NotFound
        No file at that path.

    Examples
    --------
    >>> open_archive(b"PK nonsense")
    Traceback (most recent call last):
    beimingwu.errors.InvalidArchive: This is not a zip file, or its end is missing.
    Make the archive again with an ordinary zip tool.
    """
    file, ours = _opened(source)
    try:
        return Archive(file, settings(), owns_file=ours)
    except BaseException:
        if ours:
            file.close()
        raise


class Archive:
    """An archive that passed every check. Made by `open_archive`.

    Attributes
    ----------
    manifest : Manifest
    names : tuple of str
        Every file, as the learnware's folder will hold it: the optional top folder is left out,
        and so are compiled modules.
    sha256 : str
        Of the archive's bytes, in hexadecimal.
    size : int
        Of the archive, in bytes.
    """

    def __init__(self, file: BinaryIO, limits: Settings, *, owns_file: bool) -> None:
        self._file = file
        self._owns_file = owns_file
        self._limits = limits
        self.size = file.seek(0, os.SEEK_END)
        if self.size > limits.archive_max_bytes:
            raise TooLarge(
                f"The archive is {self.size / MiB:,.1f} MiB; "
                f"{limits.archive_max_bytes / MiB:,.0f} are accepted.",
                remedy="Leave out what the model does not need to predict.",
                code="archive.too_large",
            )
        members = read_members(file, max_members=limits.archive_max_members)
        check_members(members, limits)
        for member in members:
            for _ in inflate(file, member):
                pass
        self._members = _by_name(members)
        self.names = tuple(sorted(self._members))
        self.manifest = Manifest.parse(self.read(MANIFEST_NAME, limit=limits.manifest_max_bytes))
        _require_named_files(self.manifest, self._members)
        self.sha256 = _sha256(file)

    def read(self, name: str, *, limit: int | None = None) -> bytes:
        """Return the content of one file.

        Parameters
        ----------
        name
            As in `names`.
        limit
            Most bytes accepted; the archive's own limit where omitted.

        Raises
        ------
        NotFound
            No file of that name.
        TooLarge
            The file is over `limit`.
        """
        member = self._members.get(name)
        if member is None:
            raise NotFound(f"The archive holds no {name!r}.", code="archive.no_such_file")
        if limit is not None and member.size > limit:
            raise TooLarge(
                f"{name!r} is {member.size:,} bytes; {limit:,} are accepted.",
                remedy="Make the file smaller.",
                code="archive.file_too_large",
            )
        return b"".join(inflate(self._file, member))

    def specification(self) -> RKME:
        """Return the learnware's statistical specification: the first that one of us reads.

        Raises
        ------
        InvalidArchive
            The manifest names none.
        InvalidSpecification
            The file breaks the rules of its format.
        """
        entry = statistical_entry(self.manifest)
        data = self.read(entry.file_name, limit=self._limits.specification_max_bytes)
        return read_specification(data, class_name=entry.class_name)

    def semantic(self) -> SemanticSpecification | None:
        """Return the embedded semantic specification, or None where there is none.

        Raises
        ------
        InvalidSpecification
            It breaks the rules of its format.
        """
        name = self.manifest.semantic_file
        if name is None:
            return None
        data = self.read(name, limit=self._limits.manifest_max_bytes)
        return SemanticSpecification.from_json(data)

    def requirements(self) -> Requirements:
        """Return what the learnware asks to be installed; `environment.yaml` wins over the other.

        Raises
        ------
        InvalidArchive
            The file is not UTF-8.
        """
        kind = _requirements_file(self._members)
        return _requirements(kind, self.read(kind, limit=REQUIREMENTS_MAX_BYTES))

    def extract(self, folder: str | Path) -> None:
        """Write every file under `folder`, which must be absent or empty.

        Files are created new, without following links, readable and writable by us only for now;
        where anything fails, what was written is removed.

        Raises
        ------
        InvalidArchive
            The folder holds something already, or the archive changed since it was opened.
        """
        folder = Path(folder)
        existed = folder.exists()
        if existed and any(folder.iterdir()):
            _refuse(
                f"{str(folder)!r} is not empty.",
                "archive.folder_not_empty",
                remedy="Extract into a new folder.",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in self.names:
                self._extract_one(folder, name)
        except BaseException:
            _remove_content(folder, and_itself=not existed)
            raise

    def _extract_one(self, folder: Path, name: str) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # "x" creates, or fails on whatever is there already: a file, a link, a pipe.
        with target.open("xb") as out:
            for chunk in inflate(self._file, self._members[name]):
                out.write(chunk)

    def close(self) -> None:
        """Let go of the file; a file that the caller opened stays open."""
        if self._owns_file:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"Archive({self.manifest.class_name!r}, {len(self.names)} files, {self.size:,} bytes)"
        )


def statistical_entry(manifest: Manifest) -> StatisticalEntry:
    """Return the entry of the specification that we read: the first not made by a dock.

    Raises
    ------
    InvalidArchive
        There is none.

    Examples
    --------
    >>> statistical_entry(Manifest()).file_name
    'stat_spec.json'
    """
    for entry in manifest.statistical:
        if entry.class_name not in _MADE_BY_DOCKS:
            return entry
    _refuse(
        "The manifest names no statistical specification.",
        "archive.no_specification",
        remedy="Make one with `beimingwu specify` and name it under stat_specifications.",
    )


def _opened(source: str | Path | bytes | BinaryIO) -> tuple[BinaryIO, bool]:
    if isinstance(source, bytes):
        return io.BytesIO(source), True
    if not isinstance(source, str | Path):
        return source, False
    path = Path(source)
    if not path.exists():
        raise NotFound(
            f"There is no file {str(path)!r}.", remedy="Check the path.", code="archive.no_file"
        )
    if not path.is_file():
        _refuse(
            f"{str(path)!r} is not a file.", "archive.not_zip", remedy="Give the path of a zip."
        )
    return path.open("rb"), True


def _by_name(members: Iterable[Member]) -> Mapping[str, Member]:
    """Return the files by the name they have below the optional top folder."""
    files = {
        member.name: member
        for member in members
        if not member.is_folder and not _is_left_out(member.name)
    }
    manifests = [
        name for name in files if name.split("/")[-1] == MANIFEST_NAME and name.count("/") < 2
    ]
    if len(manifests) > 1:
        _refuse(
            f"The archive holds {len(manifests)} manifests: {', '.join(sorted(manifests)[:5])}.",
            "archive.two_manifests",
            remedy="Pack one learnware per archive.",
        )
    top = manifests[0].removesuffix(MANIFEST_NAME) if manifests else ""
    outside = [name for name in files if not name.startswith(top)]
    if not manifests or outside:
        _refuse(
            "The archive holds no learnware.yaml at its root or in its one top folder.",
            "archive.no_manifest",
            remedy="Pack the content of the learnware's folder: `beimingwu pack`.",
        )
    return {name.removeprefix(top): member for name, member in files.items()}


def _is_left_out(name: str) -> bool:
    folded = name.casefold()
    return (
        name.startswith(_MAC_FOLDER)
        or _BYTECODE_FOLDER in folded.split("/")
        or folded.endswith(_BYTECODE)
    )


def _require_named_files(manifest: Manifest, files: Mapping[str, Member]) -> None:
    named = [(manifest.module_path, "archive.no_module")]
    named += [(entry.file_name, "archive.no_statistical_file") for entry in manifest.statistical]
    if manifest.semantic_file is not None:
        named.append((manifest.semantic_file, "archive.no_semantic_file"))
    for name, code in named:
        if name not in files:
            _refuse(
                f"learnware.yaml names {name!r}, which is not in the archive.",
                code,
                remedy="Add the file, or correct learnware.yaml.",
            )
    _requirements_file(files)


def requirements_of(folder: Path) -> Requirements:
    """Return what the learnware in a folder asks to be installed, as `Archive.requirements` does.

    Raises
    ------
    InvalidArchive
        There is no such file, or it is not UTF-8 or too large.
    """
    kind = _requirements_file([entry.name for entry in folder.iterdir() if entry.is_file()])
    with (folder / kind).open("rb") as file:
        data = file.read(REQUIREMENTS_MAX_BYTES + 1)
    if len(data) > REQUIREMENTS_MAX_BYTES:
        _refuse(f"{kind} is over {REQUIREMENTS_MAX_BYTES:,} bytes.", "archive.file_too_large")
    return _requirements(kind, data)


def _requirements(
    kind: Literal["requirements.txt", "environment.yaml"], data: bytes
) -> Requirements:
    try:
        return Requirements(kind, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse(f"{kind} is not UTF-8.", "archive.requirements_encoding")


def _requirements_file(
    files: Collection[str],
) -> Literal["requirements.txt", "environment.yaml"]:
    if "environment.yaml" in files:
        return "environment.yaml"
    if "requirements.txt" in files:
        return "requirements.txt"
    _refuse(
        "The archive has neither requirements.txt nor environment.yaml.",
        "archive.no_requirements",
        remedy="Add a requirements.txt; it may be empty when the model needs only Python.",
    )


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _remove_content(folder: Path, *, and_itself: bool) -> None:
    if and_itself:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _refuse(
    problem: str, code: str, *, remedy: str = "Make the archive again: `beimingwu pack`."
) -> NoReturn:
    raise InvalidArchive(problem, remedy=remedy, code=code)
