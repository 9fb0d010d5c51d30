"""stat.json: a statistical specification as the files of 2024 hold it, read and written.

A file of the public engine is read here and written back byte for byte, and the engine reads ours.
What a file may ask of memory is bounded before it is parsed; each thing that can be wrong with it
has a code of its own. What the old formats have no place for (feature names, the number of images)
travels in the key `v2`, which the engine passes over.
"""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from beimingwu.config import settings
from beimingwu.errors import InvalidInput, InvalidSpecification, NotFound, TooLarge
from beimingwu.specification.bounded_json import Bounds, parse_json
from beimingwu.specification.rkme import CLASSIC_GAMMA, RKME, Floats, GaussianKernel, Kind

#: The sentence embedder of 2024 gives 384 numbers; its images are 32 x 32.
TEXT_DIMENSION = 384
IMAGE_WIDTH = 32
IMAGE_VERSION = 1

#: Classes of the engine, as a manifest or the key `type` names them, and the kind each one is.
KIND_OF_CLASS: Mapping[str, Kind] = MappingProxyType(
    {
        "RKMETableSpecification": "table",
        "RKMEStatSpecification": "table",  # the alias of the first releases
        "RKMETextSpecification": "text",
        "RKMEImageSpecification": "image",
    }
)
CLASS_OF_KIND: Mapping[Kind, str] = MappingProxyType(
    {
        "table": "RKMETableSpecification",
        "text": "RKMETextSpecification",
        "image": "RKMEImageSpecification",
    }
)

_REMEDY = "Make the specification again with `beimingwu specify`, and send the file it writes."
# A point set with more lists than this summarises nothing; each list costs some 70 bytes.
_MOST_LISTS = 1_000_000
_MOST_TEXTS = 100_000
_LONGEST_TEXT = 1_000
_MOST_LANGUAGES = 200
_MOST_AXES = 5
_MOST_RECORDS = 2**63 - 1
# A 2024 file may hold negative weights; beyond this their products lose every digit.
_LARGEST_WEIGHT = 1e6
_LARGEST_VALUE = float(np.finfo(np.float32).max)


def read_specification(
    file: str | os.PathLike[str] | bytes, *, class_name: str | None = None
) -> RKME:
    """Read a specification from a stat.json, of ours or of the public engine.

    Parameters
    ----------
    file
        Its path, or its content as bytes.
    class_name
        What the manifest says it is; the key `type` of the file has to agree. Where both are
        missing it is a table, as in the first releases of the engine.

    Returns
    -------
    RKME
        Points are float32 where that holds every digit of the file, else float64.

    Raises
    ------
    NotFound
        There is no such file.
    TooLarge
        `specification.too_large`, `.too_many_values`, `.too_many_numbers`, `.too_many_points`.
    InvalidSpecification
        `specification.` followed by what is wrong: `json`, `encoding`, `too_deep`, `duplicate_key`,
        `long_number`, `not_finite`, `missing`, `type`, `unknown_type`, `not_a_number`, `ragged`,
        `shape`, `out_of_range`, `weights`, `gamma`, `num_points`, `features`, `language`, `image`.

    Examples
    --------
    >>> read_specification(b'{"z":[[0.5],[2.0]],"beta":[0.25,0.75],"gamma":0.1,"num_points":40}')
    RKME(table, 2 points of 1 feature, for 40 records)
    """
    content = file if isinstance(file, bytes) else _content(Path(file))
    given = parse_json(content, bounds(), what="The specification", code="specification")
    return specification_from_json(given, class_name=class_name)


def specification_from_json(given: object, *, class_name: str | None = None) -> RKME:
    """Return the specification that a stat.json holds, which was parsed within `bounds`.

    Raises
    ------
    InvalidSpecification, TooLarge
        As `read_specification`.
    """
    if not isinstance(given, dict):
        _refuse("json", "is a JSON object", given)
    kind = _kind(given, class_name)
    ours = _ours(given)
    return RKME(
        points=_points(given, kind),
        weights=_weights(given),
        n=_records(ours if kind == "image" else given),
        kind=kind,
        kernel=None if kind == "image" else _kernel(given),
        features=_features(ours),
        details=_details(given, kind),
    )


def write_specification(spec: RKME, path: str | os.PathLike[str]) -> Path:
    """Write `spec` as a stat.json and return its path; the file appears whole or not at all.

    Raises
    ------
    InvalidSpecification, TooLarge
        As `dumps_specification`.
    InvalidInput
        `specification.not_a_file`, `specification.no_folder`: nothing can be written there.
    """
    content = dumps_specification(spec)
    target = Path(path)
    _check_target(target)
    # Not named after the target, whose name may be as long as a name can be.
    partial = target.with_name(f".{secrets.token_hex(8)}.stat.json")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def dumps_specification(spec: RKME) -> bytes:
    """Return the stat.json of `spec`, in the public engine's own bytes where that can say it all.

    Raises
    ------
    InvalidSpecification
        `specification.kernel`: its kernel is not a Gaussian of one rate on raw features, which is
        all that the format can say; or it breaks a rule of `read_specification`.
    TooLarge
        Over what `read_specification` accepts.

    Examples
    --------
    >>> dumps_specification(RKME(np.array([[0.5], [2.0]]), np.array([0.25, 0.75]), n=40))
    b'{"z":[[0.5],[2.0]],"beta":[0.25,0.75],"gamma":0.1,"num_points":40,"type":"RKMETableSpecification"}'
    """
    made = specification_to_json(spec)
    content = json.dumps(made, separators=(",", ":"), allow_nan=False).encode()
    most = settings().specification_max_bytes
    if len(content) > most:
        _too_large(f"{len(content):,} bytes", f"{most:,}", "too_large")
    return content


def specification_to_json(spec: RKME) -> dict[str, object]:
    """Return the JSON object that the stat.json of `spec` holds.

    Raises
    ------
    InvalidSpecification, TooLarge
        As `dumps_specification`.
    """
    _check_points(spec.points, spec.kind)
    _check_weights(spec.weights)
    _records({"num_points": spec.n})
    made = _image_states(spec) if spec.kind == "image" else _table_states(spec)
    if ours := _our_states(spec):
        made["v2"] = ours
    return made


def _table_states(spec: RKME) -> dict[str, object]:
    """Return what the engine's table class holds, in its order; a text adds its languages."""
    states: dict[str, object] = {
        "z": spec.points.tolist(),
        "beta": spec.weights.tolist(),
        "gamma": _gamma(spec.kernel),
        "num_points": int(spec.n),
        "type": CLASS_OF_KIND[spec.kind],
    }
    if spec.kind == "text":
        states["language"] = _languages(spec.details)
    return states


def _image_states(spec: RKME) -> dict[str, object]:
    """Return what the engine's image class holds, in its order."""
    network = _network(spec.details)
    return {
        "RKME_IMAGE_VERSION": network.version,
        "msg": network.message,
        "z": spec.points.tolist(),
        "beta": spec.weights.tolist(),
        "n_models": network.count,
        "model_config": dict(network.config),
        "type": CLASS_OF_KIND["image"],
    }


def _our_states(spec: RKME) -> dict[str, object]:
    """Return what the formats of 2024 have no place for."""
    states: dict[str, object] = {}
    if spec.features:
        states["features"] = list(_features({"features": spec.features}))
    if spec.kind == "image" and spec.n:
        states["num_points"] = int(spec.n)
    return states


def _gamma(kernel: GaussianKernel | None) -> float:
    if kernel is None:
        return CLASSIC_GAMMA
    if kernel.scale is not None or len(kernel.rates) != 1:
        raise InvalidSpecification(
            "A specification file says one rate on raw features; this kernel has more to say.",
            remedy="Leave the kernel at its default: the dock chooses the one it compares by.",
            code="specification.kernel",
        )
    return kernel.rates[0]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(settings().specification_max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound(
            f"There is no specification file at {str(path)!r}.",
            remedy="Give the path of a stat.json.",
            code="specification.not_found",
        ) from None


def _check_target(path: Path) -> None:
    if path.is_dir():
        raise InvalidInput(
            f"{str(path)!r} is a folder, and a specification is written to a file.",
            remedy=f"Write it to {str(path / 'stat.json')!r}.",
            code="specification.not_a_file",
        )
    if not path.parent.is_dir():
        raise InvalidInput(
            f"There is no folder {str(path.parent)!r} to write {path.name!r} into.",
            remedy="Make the folder first, or write elsewhere.",
            code="specification.no_folder",
        )


def bounds() -> Bounds:
    """Return what a stat.json may hold."""
    limits = settings()
    return Bounds(
        bytes=limits.specification_max_bytes,
        depth=_MOST_AXES + 1,
        containers=_MOST_LISTS,
        # Every number of a one-feature table comes with a weight.
        values=2 * limits.specification_max_numbers + _MOST_TEXTS,
        texts=_MOST_TEXTS,
    )


def _kind(given: Mapping[str, object], class_name: str | None) -> Kind:
    named = given.get("type", class_name or CLASS_OF_KIND["table"])
    declared = class_name or named
    for name in (named, declared):
        if not isinstance(name, str) or name not in KIND_OF_CLASS:
            _refuse("unknown_type", f"has a type of {', '.join(KIND_OF_CLASS)}", name)
    if KIND_OF_CLASS[str(named)] != KIND_OF_CLASS[str(declared)]:
        _refuse("type", f"has the type that its manifest names, {declared!r}", named)
    return KIND_OF_CLASS[str(named)]


def _points(given: Mapping[str, object], kind: Kind) -> Floats:
    exact = _array(given, "z")
    _check_points(exact, kind)
    with np.errstate(under="ignore"):
        single = exact.astype(np.float32)
    return single if np.array_equal(single.astype(np.float64), exact) else exact


def _check_points(points: Floats, kind: Kind) -> None:
    """Refuse points whose shape is not the kind's own, or that float32 cannot hold."""
    wanted = {
        "table": ("(m, d…)", 2 <= points.ndim <= _MOST_AXES),
        "text": (f"(m, {TEXT_DIMENSION})", points.shape[1:] == (TEXT_DIMENSION,)),
        "image": (
            f"(m, C, {IMAGE_WIDTH}, {IMAGE_WIDTH})",
            points.ndim == 4 and points.shape[2:] == (IMAGE_WIDTH, IMAGE_WIDTH),
        ),
    }
    shape, fits = wanted[kind]
    if not fits:
        _refuse("shape", f"of kind {kind} has points of shape {shape}", points.shape)
    _check_count(len(points))
    most = settings().specification_max_numbers
    if points.size > most:
        _too_large(f"{points.size:,} numbers", f"{most:,}", "too_many_numbers")
    _check_range("z", points, _LARGEST_VALUE)


def _check_count(points: int) -> None:
    most = settings().specification_max_points
    if points > most:
        _too_large(f"{points:,} points", f"{most:,}", "too_many_points")


def _weights(given: Mapping[str, object]) -> NDArray[np.float64]:
    weights = _array(given, "beta")
    _check_weights(weights)
    return weights


def _check_weights(weights: NDArray[np.float64]) -> None:
    _check_range("beta", weights, _LARGEST_WEIGHT)


def _check_range(name: str, values: Floats, largest: float) -> None:
    if values.size == 0:
        return
    extreme = float(np.max(np.abs(values)))
    if not math.isfinite(extreme):
        _refuse("not_finite", f"has finite numbers in {name}", extreme)
    if extreme > largest:
        _refuse("out_of_range", f"has numbers in {name} up to {largest:.3g}", extreme)


def _array(given: Mapping[str, object], name: str) -> NDArray[np.float64]:
    """Return nested lists of numbers as an array, after checking that they make one."""
    level = _entry(given, name)
    if not isinstance(level, list):
        _refuse("shape", f"has a list in {name}", level)
    _check_count(len(level))
    shape = [len(level)]
    most = settings().specification_max_numbers
    while level and isinstance(level[0], list):
        width = len(level[0])
        for row in level:
            if type(row) is not list or len(row) != width:
                _refuse("ragged", f"has lists of {width} in {name}, as its first one", row)
        shape.append(width)
        if math.prod(shape) > most:
            _too_large(f"{math.prod(shape):,} numbers", f"{most:,}", "too_many_numbers")
        level = list(chain.from_iterable(level))
    if not set(map(type, level)) <= {int, float}:
        odd = next(value for value in level if type(value) not in (int, float))
        _refuse("not_a_number", f"has numbers alone in {name}", odd)
    return np.fromiter(level, dtype=np.float64, count=len(level)).reshape(shape)


def _entry(given: Mapping[str, object], name: str) -> object:
    if name not in given:
        keys = ", ".join(list(given)[:10]) or "no keys"
        _refuse("missing", f"has the key {name!r}", keys)
    return given[name]


def _records(given: Mapping[str, object]) -> int:
    count = given.get("num_points", 0)
    if type(count) is not int or not 0 <= count <= _MOST_RECORDS:
        _refuse("num_points", "has a count of records in num_points", count)
    return count


def _kernel(given: Mapping[str, object]) -> GaussianKernel:
    gamma = given.get("gamma", CLASSIC_GAMMA)
    if not (type(gamma) is float or type(gamma) is int) or not 0 < gamma < math.inf:
        _refuse("gamma", "has a positive number in gamma", gamma)
    return GaussianKernel((gamma,))


def _ours(given: Mapping[str, object]) -> Mapping[str, object]:
    ours = given.get("v2", {})
    if not isinstance(ours, dict):
        _refuse("features", "has an object in v2", ours)
    return ours


def _features(ours: Mapping[str, object]) -> tuple[str, ...]:
    return _texts(ours.get("features", []), "features", "has names of features in v2", _MOST_TEXTS)


def _details(given: Mapping[str, object], kind: Kind) -> Mapping[str, object]:
    if kind == "table":
        return MappingProxyType({})
    if kind == "text":
        return MappingProxyType({"language": tuple(_languages(given))})
    return MappingProxyType(_network(given).details())


def _languages(given: Mapping[str, object]) -> list[str]:
    wanted = "has codes of languages in language"
    return list(_texts(given.get("language", []), "language", wanted, _MOST_LANGUAGES))


def _texts(given: object, code: str, wanted: str, most: int) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or len(given) > most:
        _refuse(code, wanted, given)
    for text in given:
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            _refuse(code, wanted, text)
        if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in text):
            _refuse(code, f"{wanted}, without control characters", text)
    return tuple(given)


@dataclass(frozen=True)
class _Network:
    """The random networks that an image specification of 2024 was made with."""

    version: int
    message: str | None
    count: int
    config: Mapping[str, object]

    def details(self) -> dict[str, object]:
        return {
            "RKME_IMAGE_VERSION": self.version,
            "msg": self.message,
            "n_models": self.count,
            "model_config": self.config,
        }


_NETWORK = MappingProxyType({"k": 2, "mu": 0, "sigma": None, "net_width": 128, "net_depth": 3})


def _network(given: Mapping[str, object]) -> _Network:
    version = given.get("RKME_IMAGE_VERSION", IMAGE_VERSION)
    if type(version) is not int or version != IMAGE_VERSION:
        _refuse("image", f"of images has version {IMAGE_VERSION}", version)
    message = given.get("msg")
    if message is not None:
        (message,) = _texts([message], "image", "of images has text or null in msg", 1)
    count = given.get("n_models", 16)
    if type(count) is not int or not 1 <= count <= 10_000:
        _refuse("image", "of images has a count of networks in n_models", count)
    config = given.get("model_config", _NETWORK)
    if not isinstance(config, Mapping) or len(config) > 20:
        _refuse("image", "of images has an object in model_config", config)
    for size in config.values():
        if type(size) not in (int, float, type(None)):
            _refuse("image", "of images has numbers or null in model_config", size)
    return _Network(version, message, count, dict(config))


def _refuse(code: str, wanted: str, given: object) -> NoReturn:
    shown = repr(given) if not isinstance(given, list) else f"a list of {len(given)}"
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    raise InvalidSpecification(
        f"A specification file {wanted}. Got {shown} instead.",
        remedy=_REMEDY,
        code=f"specification.{code}",
    )


def _too_large(given: str, allowed: str, code: str) -> NoReturn:
    raise TooLarge(
        f"The specification holds {given}; {allowed} is the most it may hold.",
        remedy="Make it with fewer points (`--size`), or of fewer features.",
        code=f"specification.{code}",
    )
