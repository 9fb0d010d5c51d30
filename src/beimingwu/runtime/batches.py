"""Records on their way to a guest, in pieces of bounded size, and its answers joined again.

A batch of any size is answered, and neither end ever holds more of it at once than a piece. Used by
`host.py`; nothing here knows of processes.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import GuestCrashed, InvalidInput, TooLarge
from beimingwu.runtime.channel import PAYLOAD_MAX_BYTES, encode_array

Payload = tuple[bytes | memoryview, ...]
#: Of a `.npy` file, before its data.
_NPY_HEADER_ROOM = 4096


@dataclass(frozen=True)
class Piece:
    """Some of a batch's records.

    Parameters
    ----------
    count
        How many.
    kind
        How they travel: "array" or "texts".
    payload
        Their bytes, in parts.
    """

    count: int
    kind: str
    payload: Payload


def pieces(X: ArrayLike, input_shape: tuple[int, ...] | None, *, limit: int) -> Iterator[Piece]:
    """Return the pieces in order; at least one, if an empty one.

    Parameters
    ----------
    X
        Numbers of shape `(n, *input_shape)`, or a list of n texts.
    input_shape
        Of one record; any where None.
    limit
        Bytes of a piece, unless it is a single record.

    Raises
    ------
    InvalidInput
        Not numbers or texts, or records of another shape.
    TooLarge
        One record is larger than any guest accepts; raised when its piece is asked for.

    Examples
    --------
    >>> [piece.count for piece in pieces(np.zeros((5, 2)), (2,), limit=32)]
    [2, 2, 1]
    """
    texts = _texts(X)
    if texts is not None:
        return _pieces_of_texts(texts, limit)
    return _pieces_of_array(_numbers(X, input_shape), limit)


def joined(answers: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Return the answers of all pieces as one array.

    Labels may be longer in one piece than in another; anything else that differs is an error.

    Raises
    ------
    GuestCrashed
        Two pieces were answered by arrays of different types or widths (`guest.reply_pieces`).

    Examples
    --------
    >>> joined([np.array(["no"]), np.array(["maybe"])]).tolist()
    ['no', 'maybe']
    """
    first = answers[0]
    for answer in answers[1:]:
        alike = answer.dtype == first.dtype or answer.dtype.kind == first.dtype.kind == "U"
        if not alike or answer.shape[1:] != first.shape[1:]:
            raise GuestCrashed(
                f"The learnware answered some records with {first.dtype} of shape "
                f"{first.shape[1:]}, and others of the same batch with {answer.dtype} of shape "
                f"{answer.shape[1:]}.",
                remedy="Its predict must return the same type and width whatever the records: "
                "convert what it returns, such as by np.asarray(…, dtype=np.float32).",
                code="guest.reply_pieces",
            )
    return first if len(answers) == 1 else np.concatenate(answers)


def _pieces_of_array(values: NDArray[np.generic], limit: int) -> Iterator[Piece]:
    size = values.dtype.itemsize * math.prod(values.shape[1:])
    _require_fitting(size)
    rows = max(1, limit // max(1, size))
    for start in range(0, max(1, len(values)), rows):
        some = values[start : start + rows]
        yield Piece(len(some), "array", encode_array(some))


def _pieces_of_texts(texts: Sequence[str], limit: int) -> Iterator[Piece]:
    """Cut so that the JSON of each piece is within the limit, or of one text."""
    some: list[str] = []
    size = 0
    for text in texts:
        written = json.dumps(text)
        if some and size + len(written) > limit:
            yield _piece_of(some)
            some, size = [], 0
        _require_fitting(len(written))
        some.append(written)
        size += len(written) + 2
    yield _piece_of(some)


def _piece_of(written: Sequence[str]) -> Piece:
    return Piece(len(written), "texts", (f"[{', '.join(written)}]".encode(),))


def _require_fitting(size: int) -> None:
    most = PAYLOAD_MAX_BYTES - _NPY_HEADER_ROOM
    if size > most:
        raise TooLarge(
            f"One record is {size:,} bytes; a learnware is given at most {most:,} at once.",
            remedy="Give it smaller records.",
            code="input.record_too_large",
        )


def _numbers(X: ArrayLike, input_shape: tuple[int, ...] | None) -> NDArray[np.generic]:
    values: NDArray[np.generic] = np.asarray(X)
    if values.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            values = values.astype(np.float64)
    if values.dtype.kind not in "biuf" or values.ndim == 0:
        raise InvalidInput(
            f"A learnware takes an array of numbers or a list of texts. Got {values.dtype} "
            f"of shape {values.shape} instead.",
            remedy="Turn categories into numbers first, the way the learnware's features say.",
            code="input.not_numbers",
        )
    if input_shape is not None and values.shape[1:] != input_shape:
        raise InvalidInput(
            f"The learnware takes records of shape {input_shape}. Got {values.shape[1:]} instead.",
            remedy="Give the features that the learnware's specification names, in its order.",
            code="input.shape",
        )
    return values


def _texts(X: ArrayLike) -> list[str] | None:
    """Return `X` as a list of texts, or None where it holds anything else."""
    if isinstance(X, list | tuple):
        given: list[object] = list(X)
    else:
        values = np.asarray(X)
        if values.ndim != 1 or values.dtype.kind not in "UOT":
            return None
        given = values.tolist()
    texts = [text for text in given if isinstance(text, str)]
    return texts if texts and len(texts) == len(given) else None
