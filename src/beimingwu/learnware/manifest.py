"""The manifest `learnware.yaml`: which class is the model, which file is its specification.

It comes from strangers. It is parsed without constructing anything but plain values, and the names
in it are only ever compared with names we know or looked up inside the archive; a module path in
it is never imported here.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from beimingwu.errors import InvalidArchive
from beimingwu.learnware.plainyaml import dump_yaml, load_yaml

MANIFEST_NAME = "learnware.yaml"
MODULE_NAME = "__init__.py"
#: Class names of statistical specifications that the 2024 formats know; anything else is refused.
STATISTICAL_CLASSES = (
    "RKMETableSpecification",
    "RKMEStatSpecification",
    "RKMETextSpecification",
    "RKMEImageSpecification",
    "HeteroMapTableSpecification",
)
_STATISTICAL_MODULE = "learnware.specification"


@dataclass(frozen=True)
class StatisticalEntry:
    """One statistical specification file: the class that reads it and the file's name."""

    class_name: str = "RKMETableSpecification"
    file_name: str = "stat_spec.json"
    kwargs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Manifest:
    """What `learnware.yaml` says.

    Parameters
    ----------
    class_name
        The model's class in the module.
    module_path
        The Python file that holds it, relative to the learnware's folder.
    kwargs
        Arguments of its constructor: plain values, lists, tuples and mappings.
    statistical
        The statistical specifications, in order of preference.
    name, id
        Informative only; the dock gives ids.
    semantic_file
        Name of an embedded semantic specification, or None.

    Raises
    ------
    InvalidArchive
        A value that breaks the format.

    Examples
    --------
    >>> manifest = Manifest.parse(b"model: {class_name: Model}")
    >>> manifest.module_path, manifest.statistical[0].file_name
    ('__init__.py', 'stat_spec.json')
    >>> Manifest.parse(manifest.dump()) == manifest
    True
    """

    class_name: str = "Model"
    module_path: str = MODULE_NAME
    kwargs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    statistical: tuple[StatisticalEntry, ...] = (StatisticalEntry(),)
    name: str | None = None
    id: str | None = None
    semantic_file: str | None = None

    def __post_init__(self) -> None:
        if not self.class_name.isidentifier() or keyword.iskeyword(self.class_name):
            _refuse(
                f"model.class_name must be the name of a Python class. Got {self.class_name!r}.",
                "manifest.class_name",
            )
        _require_inside(self.module_path, "model.module_path")
        if not self.module_path.endswith(".py"):
            _refuse(
                f"model.module_path must be a .py file of the archive. Got {self.module_path!r}.",
                "manifest.module_path",
            )
        for entry in self.statistical:
            if entry.class_name not in STATISTICAL_CLASSES:
                _refuse(
                    f"No statistical specification is called {entry.class_name!r}.",
                    "manifest.statistical_class",
                    remedy=f"Use one of {', '.join(STATISTICAL_CLASSES)}.",
                )
            _require_inside(entry.file_name, "stat_specifications.file_name")
        if self.semantic_file is not None:
            _require_inside(self.semantic_file, "semantic_specification.file_name")

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read the bytes of a `learnware.yaml`, of 2024 or ours; unknown keys are ignored.

        Raises
        ------
        InvalidArchive
            Not YAML, a tag that would construct something, or a value that breaks the format.
        """
        document = _mapping(load_yaml(data), "the manifest")
        model = _mapping(document.get("model"), "model")
        semantic = document.get("semantic_specification")
        semantic = {} if semantic is None else _mapping(semantic, "semantic_specification")
        name, identifier = document.get("name"), document.get("id")
        given: dict[str, object] = {}
        if document.get("stat_specifications") is not None:
            given["statistical"] = _entries(document["stat_specifications"])
        return cls(
            class_name=_text(model.get("class_name", "Model"), "model.class_name"),
            module_path=_text(model.get("module_path", MODULE_NAME), "model.module_path"),
            kwargs=_kwargs(model.get("kwargs"), "model.kwargs"),
            name=name if isinstance(name, str) else None,
            # An unquoted 00000042 is the number 34 in YAML 1.1, so only text counts as an id.
            id=identifier if isinstance(identifier, str) else None,
            semantic_file=_optional_text(
                semantic.get("file_name"), "semantic_specification.file_name"
            ),
            **given,  # type: ignore[arg-type]
        )

    def dump(self) -> bytes:
        """Return the bytes of a `learnware.yaml` that both we and the public engine read."""
        document: dict[str, object] = {
            "model": {
                "class_name": self.class_name,
                "module_path": self.module_path,
                "kwargs": dict(self.kwargs),
            },
            "stat_specifications": [
                {
                    "module_path": _STATISTICAL_MODULE,
                    "class_name": entry.class_name,
                    "file_name": entry.file_name,
                    "kwargs": dict(entry.kwargs),
                }
                for entry in self.statistical
            ],
        }
        if self.name is not None:
            document["name"] = self.name
        if self.id is not None:
            document["id"] = self.id
        if self.semantic_file is not None:
            document["semantic_specification"] = {"file_name": self.semantic_file}
        return dump_yaml(document)


def _entries(value: object) -> tuple[StatisticalEntry, ...]:
    if not isinstance(value, list):
        _refuse("stat_specifications must be a list.", "manifest.statistical")
    entries = []
    for item in value:
        entry = _mapping(item, "stat_specifications")
        entries.append(
            StatisticalEntry(
                class_name=_text(entry.get("class_name"), "stat_specifications.class_name"),
                file_name=_text(entry.get("file_name"), "stat_specifications.file_name"),
                kwargs=_kwargs(entry.get("kwargs"), "stat_specifications.kwargs"),
            )
        )
    return tuple(entries)


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        _refuse(f"{what} must be a mapping of names. Got {str(value)[:60]!r}.", "manifest.shape")
    return value


def _kwargs(value: object, what: str) -> Mapping[str, object]:
    kwargs = {} if value is None else _mapping(value, what)
    for name in kwargs:
        if not name.isidentifier():
            _refuse(f"{what} names arguments. Got {name!r}.", "manifest.kwargs")
    _require_plain(kwargs, what)
    return MappingProxyType(dict(kwargs))


def _require_plain(value: object, what: str) -> None:
    """Refuse dates, sets and bytes, which YAML knows and JSON, the guest's language, does not."""
    if isinstance(value, Mapping):
        _mapping(value, what)
        for inner in value.values():
            _require_plain(inner, what)
    elif isinstance(value, list | tuple):
        for inner in value:
            _require_plain(inner, what)
    elif not isinstance(value, str | int | float | None):
        _refuse(
            f"{what} holds a value of type {type(value).__name__}: {str(value)[:60]!r}.",
            "manifest.kwargs",
            remedy="Use numbers, text, booleans, lists and mappings.",
        )


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        _refuse(f"{what} must be text. Got {str(value)[:60]!r}.", "manifest.shape")
    return value


def _optional_text(value: object, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _require_inside(path: str, what: str) -> None:
    """Refuse a path that is not a plain relative path, before anyone joins it to a folder."""
    parts = path.split("/")
    plain = path.isprintable() and not set(path) & set("\\:")
    if not plain or any(part in ("", ".", "..") for part in parts):
        _refuse(
            f"{what} must be the name of a file of the archive. Got {path[:100]!r}.",
            "manifest.path_escape",
        )


def _refuse(
    problem: str, code: str, *, remedy: str = "Correct learnware.yaml in the archive."
) -> NoReturn:
    raise InvalidArchive(problem, remedy=remedy, code=code)
