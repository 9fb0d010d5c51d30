"""JSON from strangers: measured before it is parsed, so that a small file cannot ask for much.

The text is measured as bytes first: its size, how deep it nests, how many lists and values it can
hold at most, how long its numbers are. Only then does the standard parser see it. `files` and
`semantic` read through here; what a valid document *means* is theirs to say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from beimingwu.errors import InvalidSpecification, TooLarge

#: The longest number a float64 needs is 25 characters; int64 needs 20. Twice that is generous.
LONGEST_NUMBER = 64
_LONG_NUMBER = re.compile(rb"[-+.0-9eE]{%d}" % (LONGEST_NUMBER + 1))
_REMEDIES = {
    "encoding": "Save it as UTF-8.",
    "json": "Let Beimingwu write it: `write_specification`, or `SemanticSpecification.dumps`.",
    "too_deep": "Let Beimingwu write it: `write_specification`, or `SemanticSpecification.dumps`.",
    "long_number": "Write numbers as float64 does, with 17 digits.",
    "duplicate_key": "Keep one of the two.",
    "not_finite": "Make it again from data without missing or infinite values.",
}
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class Bounds:
    """What one JSON document may hold; each is checked before anything is built.

    Parameters
    ----------
    bytes
        Size of the text.
    depth
        Lists and objects inside one another.
    containers
        Lists and objects together.
    values
        Numbers, texts and the like.
    texts
        Texts, keys included.
    """

    bytes: int
    depth: int
    containers: int
    values: int
    texts: int


def parse_json(text: bytes | str, bounds: Bounds, *, what: str, code: str) -> object:
    """Return the document in `text`, or refuse it with a code of its own under `code`.

    Parameters
    ----------
    text
        UTF-8, with or without a byte order mark.
    bounds
        What it may hold.
    what
        What the document is, as the error names it: "stat.json".
    code
        The first part of each error's code: "specification".

    Raises
    ------
    TooLarge
        `<code>.too_large`, `<code>.too_many_values`.
    InvalidSpecification
        `<code>.encoding`, `<code>.too_deep`, `<code>.long_number`, `<code>.json`,
        `<code>.duplicate_key`, `<code>.not_finite`.

    Examples
    --------
    >>> bounds = Bounds(bytes=100, depth=2, containers=2, values=5, texts=2)
    >>> parse_json(b'{"gamma": [0.1]}', bounds, what="stat.json", code="specification")
    {'gamma': [0.1]}
    """
    refuse = _Refusal(what, code)
    if len(text) > bounds.bytes:
        refuse.too_large(f"{len(text):,} bytes", f"{bounds.bytes:,}", "too_large")
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    _measure(data, bounds, refuse)
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse.invalid(f"is not UTF-8 (byte {error.start})", "encoding")
    return _parse(decoded, refuse)


def _measure(data: bytes, bounds: Bounds, refuse: _Refusal) -> None:
    """Bound what a parser would build of `data`, from the bytes alone."""
    if len(data) > bounds.bytes:
        refuse.too_large(f"{len(data):,} bytes", f"{bounds.bytes:,}", "too_large")
    structure = _without_texts(data, bounds, refuse)
    values = structure.count(b",") + 1
    if values > bounds.values:
        refuse.too_large(f"some {values:,} values", f"{bounds.values:,}", "too_many_values")
    containers = structure.count(b"[") + structure.count(b"{")
    if containers > bounds.containers:
        refuse.too_large(
            f"{containers:,} lists and objects", f"{bounds.containers:,}", "too_many_values"
        )
    depth = _depth(structure, containers)
    if depth > bounds.depth:
        refuse.invalid(
            f"nests {depth:,} deep, and {bounds.depth} is what its format needs", "too_deep"
        )
    if (long := _LONG_NUMBER.search(structure)) is not None:
        refuse.invalid(
            f"holds a number of more than {LONGEST_NUMBER} characters ({long[0][:12].decode()}…)",
            "long_number",
        )


def _without_texts(data: bytes, bounds: Bounds, refuse: _Refusal) -> bytes:
    """Return `data` with every text between quotes taken out, whatever it holds.

    Escapes go first: once pairs of backslashes are gone, a backslash before a quote can only mean
    that the quote is part of the text.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    texts = data.count(b'"') // 2
    if texts > bounds.texts:
        refuse.too_large(f"{texts:,} texts", f"{bounds.texts:,}", "too_many_values")
    return b'""'.join(data.split(b'"')[::2])


def _depth(structure: bytes, containers: int) -> int:
    """Return how deep the brackets nest; those after the last that can still match do not count."""
    brackets = structure.translate(None, _NO_BRACKET)[: 2 * containers]
    if not brackets:
        return 0
    codes = np.frombuffer(brackets, dtype=np.uint8)
    opens = (codes == ord("[")) | (codes == ord("{"))
    return int(np.cumsum(np.where(opens, 1, -1).astype(np.int8), dtype=np.int32).max())


def _parse(text: str, refuse: _Refusal) -> object:
    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, value in items:
            if key in made:
                refuse.invalid(f"gives the key {key[:40]!r} twice", "duplicate_key")
            made[key] = value
        return made

    def constant(name: str) -> NoReturn:
        refuse.invalid(f"holds {name}, which is not a number of JSON", "not_finite")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        refuse.invalid(
            f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})", "json"
        )


@dataclass(frozen=True)
class _Refusal:
    """Words an error about one document, and raises it."""

    what: str
    code: str

    def invalid(self, problem: str, code: str) -> NoReturn:
        raise InvalidSpecification(
            f"{self.what} {problem}.", remedy=_REMEDIES[code], code=f"{self.code}.{code}"
        ) from None

    def too_large(self, given: str, allowed: str, code: str) -> NoReturn:
        raise TooLarge(
            f"{self.what} holds {given}; {allowed} is the most it may hold.",
            remedy="Make it smaller: fewer points, fewer features, shorter texts.",
            code=f"{self.code}.{code}",
        )
