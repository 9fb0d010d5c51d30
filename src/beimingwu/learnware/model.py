"""A learnware: a model and its specifications, opened from an archive or a folder.

Opening reads declarations only. The model itself is a stranger's code: `load` starts it in a
process of its own (`beimingwu.runtime`, imported only then).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.config import settings
from beimingwu.errors import InvalidArchive, TooLarge
from beimingwu.learnware.archive import open_archive, requirements_of, statistical_entry
from beimingwu.learnware.manifest import MANIFEST_NAME, Manifest
from beimingwu.learnware.scratch import Scratch
from beimingwu.specification.files import read_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import SemanticSpecification


class Model(Protocol):
    """A model that is ready to predict."""

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one record, or None where the learnware does not say (texts)."""

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Shape of one answer: `(C,)` probabilities or values, `(1,)` a label or a value."""

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return one answer per record."""

    def close(self) -> None:
        """Let go of what the model holds."""


class Learnware:
    """A model with a specification of what it is good for.

    Parameters
    ----------
    id
        Eight digits in a dock; anything elsewhere.
    folder
        Where its files lie, as extracted from its archive.
    manifest
        What its `learnware.yaml` says.
    semantic
        What it is for, in words; None where the archive does not say.
    specification
        What its data looked like.
    lock
        The exact packages it was verified with, as a dock recorded them.

    Examples
    --------
    >>> spec = RKME(np.eye(2), np.array([0.5, 0.5]), n=20)
    >>> Learnware("00000042", Path("."), Manifest(), None, spec)
    Learnware('00000042', RKME(table, 2 points of 2 features, for 20 records))
    """

    def __init__(
        self,
        id: str,
        folder: str | Path,
        manifest: Manifest,
        semantic: SemanticSpecification | None,
        specification: RKME,
        *,
        lock: Mapping[str, object] | None = None,
    ) -> None:
        self.id = id
        self.folder = Path(folder)
        self.manifest = manifest
        self.semantic = semantic
        self.specification = specification
        self.lock = lock
        self._model: Model | None = None
        self._loading = threading.Lock()
        self._remove_folder: weakref.finalize[[], Learnware] | None = None

    @classmethod
    def open(
        cls,
        source: str | Path,
        *,
        id: str | None = None,
        semantic: SemanticSpecification | None = None,
    ) -> Learnware:
        """Open a learnware's archive, or the folder of one.

        An archive is extracted to a private temporary folder, which `close` removes.

        Parameters
        ----------
        source
            Path of a zip file or of a folder.
        id
            Its id; by default what its manifest says, else the name of the file.
        semantic
            By default the one embedded, if any; that is not read where one is given.

        Raises
        ------
        InvalidArchive, InvalidSpecification, TooLarge, NotFound
            As `open_archive`.
        """
        path = Path(source)
        learnware = (_from_folder if path.is_dir() else _from_archive)(path, semantic)
        learnware.id = id or learnware.manifest.id or path.stem
        return learnware

    def load(self) -> Model:
        """Start the model, isolated, and return it; the caller closes it.

        It runs in a process of its own, with the packages it asks for, inside a sandbox.

        Raises
        ------
        GuestCrashed, GuestTimedOut
            It cannot be imported or made.
        EnvironmentFailed
            The packages it asks for cannot be had here.
        SandboxUnavailable
            This machine cannot put up the walls that the settings ask for.
        """
        from beimingwu.runtime import open_model

        return open_model(self.folder, self.manifest, requirements_of(self.folder), lock=self.lock)

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return one answer per record; the first call starts the model, `close` ends it.

        Parameters
        ----------
        X
            Numbers of shape `(n, *input_shape)`, or a list of n texts.

        Raises
        ------
        GuestCrashed, GuestTimedOut, GuestOutOfMemory, InvalidInput, TooLarge
        """
        with self._loading:
            if self._model is None:
                self._model = self.load()
            model = self._model
        return model.predict(X)

    def close(self) -> None:
        """End the model's process and remove the temporary folder, if there are any."""
        with self._loading:
            model, self._model = self._model, None
        if model is not None:
            model.close()
        if self._remove_folder is not None:
            self._remove_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        name = f", {self.semantic.name!r}" if self.semantic is not None else ""
        return f"Learnware({self.id!r}{name}, {self.specification!r})"

    def _repr_html_(self) -> str:
        from beimingwu.learnware.display import learnware_html

        return learnware_html(self)


def _from_archive(path: Path, semantic: SemanticSpecification | None) -> Learnware:
    with open_archive(path) as archive:
        semantic, specification = semantic or archive.semantic(), archive.specification()
        scratch = Scratch("learnware")
        try:
            archive.extract(scratch.path)
        except BaseException:
            scratch.remove()
            raise
        learnware = Learnware("", scratch.path, archive.manifest, semantic, specification)
    learnware._remove_folder = weakref.finalize(learnware, scratch.remove)
    return learnware


def _from_folder(folder: Path, semantic: SemanticSpecification | None) -> Learnware:
    limits = settings()
    manifest = Manifest.parse(_content(folder, MANIFEST_NAME, limits.manifest_max_bytes))
    entry = statistical_entry(manifest)
    data = _content(folder, entry.file_name, limits.specification_max_bytes)
    if semantic is None and manifest.semantic_file is not None:
        semantic = SemanticSpecification.from_json(
            _content(folder, manifest.semantic_file, limits.manifest_max_bytes)
        )
    specification = read_specification(data, class_name=entry.class_name)
    return Learnware("", folder, manifest, semantic, specification)


def _content(folder: Path, name: str, limit: int) -> bytes:
    path = folder / name
    if not path.is_file():
        raise InvalidArchive(
            f"The folder {str(folder)!r} holds no {name}.",
            remedy="Give the folder that holds learnware.yaml and the files it names.",
            code="archive.no_manifest" if name == MANIFEST_NAME else "archive.no_such_file",
        )
    if path.stat().st_size > limit:
        raise TooLarge(
            f"{name!r} is {path.stat().st_size:,} bytes; {limit:,} are accepted.",
            remedy="Make the file smaller.",
            code="archive.file_too_large",
        )
    return path.read_bytes()
