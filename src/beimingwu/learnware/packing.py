"""Packing a model and its specifications into an archive that we and the public engine load.

`pack` is the whole of the public face: it turns the model into files (`adapters`), or takes a
folder with the user's own module, completes the semantic specification from what the model and the
statistical specification already say, pins the packages, and writes the zip.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from beimingwu.learnware.adapted import Adapted, refuse
from beimingwu.learnware.adapters import adapt
from beimingwu.learnware.manifest import MANIFEST_NAME, MODULE_NAME, Manifest, StatisticalEntry
from beimingwu.learnware.pins import modules_of_source, pinned
from beimingwu.learnware.zipwriter import write_archive
from beimingwu.specification.files import dumps_specification
from beimingwu.specification.rkme import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

STATISTICAL_NAME = "stat.json"
SEMANTIC_NAME = "semantic_specification.json"
_CLASS_OF_KIND = {
    "table": "RKMETableSpecification",
    "text": "RKMETextSpecification",
    "image": "RKMEImageSpecification",
}
_REQUIREMENT_FILES = ("requirements.txt", "environment.yaml")


def pack(
    model: object,
    spec: RKME,
    semantic: SemanticSpecification | None = None,
    path: str | Path = "learnware.zip",
    *,
    name: str = "",
    description: str = "",
    scenarios: str | Sequence[str] = (),
    license: str = "",
    task: str | None = None,
    library: str | None = None,
    outputs: Sequence[str] = (),
    requirements: Sequence[str] | None = None,
    input_shape: tuple[int, ...] | None = None,
    class_name: str | None = None,
) -> Path:
    """Pack a model and its specifications into a learnware archive.

    Parameters
    ----------
    model
        A fitted scikit-learn, LightGBM or XGBoost model, a torch module, the path of an `.onnx`
        file, or the path of a folder whose `__init__.py` defines a class derived from
        `learnware.model.BaseModel`.
    spec
        What the model's data looked like, from `specify`.
    semantic
        What it is for, in words. Where omitted it is made of `name`, `description`, `scenarios`
        and `license`, and of what the model and `spec` say themselves.
    path
        Where to write the archive.
    name, description, scenarios, license, task, library
        Of the semantic specification; only without `semantic`. `task` and `library` are needed
        where the model does not show them.
    outputs
        Names of the classes or targets; a classifier's own where omitted.
    requirements
        Lines of `requirements.txt`; by default the packages that the model needs, pinned to the
        installed versions, or the folder's own file.
    input_shape
        Shape of one record, where it differs from the specification's.
    class_name
        Of the model in a folder's module, where it defines several.

    Returns
    -------
    Path
        Of the archive. The same input gives the same bytes.

    Raises
    ------
    InvalidInput
        The model cannot be packed, or does not fit the specification.
    InvalidSpecification
        The semantic specification breaks its rules.

    Notes
    -----
    Classifiers answer `(C,)` probabilities in the order of their classes where they can, else the
    number of the class, from 0; the names of the classes go to the semantic specification.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.arange(8.0).reshape(4, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pack(LinearRegression().fit(X, X.sum(axis=1)),
    ...                 RKME(X, np.full(4, 0.25), n=4), path=f"{folder}/sum.zip", name="The sum",
    ...                 description="Adds two numbers.", scenarios="Education", license="MIT")
    ...     path.name
    'sum.zip'
    """
    if isinstance(model, str | Path) and Path(model).is_dir():
        adapted, manifest = _adapt_folder(Path(model), class_name, requirements)
    else:
        adapted, manifest = adapt(model, spec, input_shape), Manifest()
    words = {
        "name": name,
        "description": description,
        "scenarios": scenarios,
        "license": license,
        "task": task,
        "library": library,
    }
    given = {word: value for word, value in words.items() if value}
    semantic = _completed(semantic, given, adapted, spec, tuple(outputs))
    return write_archive(
        {
            **adapted.files,
            **_requirements(adapted, requirements),
            **_declarations(manifest, spec, semantic),
        },
        path,
    )


def _declarations(
    manifest: Manifest, spec: RKME, semantic: SemanticSpecification
) -> dict[str, bytes]:
    manifest = dataclasses.replace(
        manifest,
        statistical=(StatisticalEntry(_CLASS_OF_KIND[spec.kind], STATISTICAL_NAME),),
        name=semantic.name,
        semantic_file=SEMANTIC_NAME,
    )
    return {
        MANIFEST_NAME: manifest.dump(),
        STATISTICAL_NAME: dumps_specification(spec),
        SEMANTIC_NAME: semantic.dumps().encode(),
    }


def _requirements(adapted: Adapted, requirements: Sequence[str] | None) -> dict[str, bytes]:
    if requirements is None and any(name in adapted.files for name in _REQUIREMENT_FILES):
        return {}
    lines = pinned(adapted.packages) if requirements is None else requirements
    return {"requirements.txt": "".join(f"{line}\n" for line in lines).encode()}


def _adapt_folder(
    folder: Path, class_name: str | None, requirements: Sequence[str] | None
) -> tuple[Adapted, Manifest]:
    """Take a folder as it is; only caches and what packing writes itself are left out."""
    files: dict[str, bytes | Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            refuse(
                f"{name!r} is a link, which an archive does not hold.",
                "pack.link",
                remedy="Put a copy of the file in its place.",
            )
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            files[name] = path
    if requirements is not None:
        files = {name: path for name, path in files.items() if name not in _REQUIREMENT_FILES}
    manifest = Manifest()
    if MANIFEST_NAME in files:
        manifest = Manifest.parse((folder / MANIFEST_NAME).read_bytes())
    elif MODULE_NAME in files:
        manifest = Manifest(class_name=class_name or _class_of_module(folder / MODULE_NAME))
    if manifest.module_path not in files:
        refuse(
            f"The folder {str(folder)!r} holds no {manifest.module_path}.",
            "pack.no_module",
            remedy="Put the class of the model, derived from learnware.model.BaseModel, there.",
        )
    packages: set[str] = set()
    if requirements is None and not any(name in files for name in _REQUIREMENT_FILES):
        for name in files:
            if name.endswith(".py"):
                packages |= modules_of_source((folder / name).read_text("utf-8"), name)
    return Adapted(files, frozenset(packages), "Others", None, None), manifest


def _class_of_module(path: Path) -> str:
    """Return the one class of the module that derives from BaseModel."""
    modules_of_source(path.read_text("utf-8"), path.name)
    names = [
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("BaseModel") for base in node.bases)
    ]
    if len(names) != 1:
        refuse(
            f"{path.name} defines {len(names)} classes derived from BaseModel.",
            "pack.no_class",
            remedy="Say which is the model: pack(…, class_name='Model').",
        )
    return names[0]


def _completed(
    semantic: SemanticSpecification | None,
    given: Mapping[str, object],
    adapted: Adapted,
    spec: RKME,
    output_names: tuple[str, ...],
) -> SemanticSpecification:
    """Return the semantic specification with all that need not be said twice."""
    if semantic is not None and given:
        refuse(
            f"semantic= says already what {', '.join(given)} would.",
            "pack.said_twice",
            remedy="Give one or the other.",
        )
    data = {"table": "Table", "text": "Text", "image": "Image"}[spec.kind]
    if semantic is None:
        semantic = _made(given, adapted, spec, output_names, data)
    if semantic.data != data:
        refuse(
            f"The semantic specification is for {semantic.data}, the statistical one for {data}.",
            "pack.data",
            remedy="Give the two of the same data.",
        )
    _require_task(semantic, adapted)
    names = spec.features or adapted.features
    return dataclasses.replace(
        semantic,
        input=_described(semantic.input, spec.dimension, names, "features"),
        output=_described(
            semantic.output, adapted.outputs, output_names or adapted.classes, "outputs"
        ),
    )


def _made(
    given: Mapping[str, object],
    adapted: Adapted,
    spec: RKME,
    output_names: tuple[str, ...],
    data: str,
) -> SemanticSpecification:
    missing = [
        word for word in ("name", "description", "scenarios", "license") if word not in given
    ]
    task = given.get("task", adapted.task)
    if task is None:
        missing.append("task")
    count = len(output_names) or adapted.outputs
    if task in ("Classification", "Regression") and count is None:
        missing.append("outputs")
    if missing:
        refuse(
            f"A learnware says what it is for. Missing: {', '.join(missing)}.",
            "pack.words_missing",
            remedy=f"Give {', '.join(f'{word}=' for word in missing)} or semantic=.",
        )
    words = {"library": adapted.library, "task": task, **given}
    return SemanticSpecification(
        data=data,
        input=Dimensions(spec.dimension) if data == "Table" else None,
        output=Dimensions(count)
        if task in ("Classification", "Regression") and count is not None
        else None,
        **words,  # type: ignore[arg-type]
    )


def _require_task(semantic: SemanticSpecification, adapted: Adapted) -> None:
    pair = {semantic.task, adapted.task}
    if pair == {"Classification", "Regression"}:
        refuse(
            f"The model is made for {adapted.task}, the semantic specification says "
            f"{semantic.task}.",
            "pack.task",
            remedy=f"Say task={adapted.task!r}.",
        )


def _described(
    said: Dimensions | None, count: int | None, names: tuple[str, ...], what: str
) -> Dimensions | None:
    """Return the dimensions with the names that are known, where nobody described them yet."""
    if said is None:
        return None
    if count is not None and said.dimension != count:
        refuse(
            f"The model has {count} {what}, the semantic specification says {said.dimension}.",
            f"pack.{what}",
            remedy=f"Say {count}.",
        )
    if said.description or len(names) != said.dimension:
        return said
    return Dimensions.of(names)
