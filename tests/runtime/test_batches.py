"""Batches cut into pieces and answers joined: laws over any size of record, piece and batch."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beimingwu.errors import GuestCrashed, TooLarge
from beimingwu.runtime.batches import Piece, joined, pieces
from beimingwu.runtime.channel import PAYLOAD_MAX_BYTES

SIZES = st.integers(0, 40)
LIMITS = st.integers(1, 400)


def array_of(piece: Piece) -> np.ndarray:
    return np.load(io.BytesIO(b"".join(map(bytes, piece.payload))), allow_pickle=False)


def texts_of(piece: Piece) -> list[str]:
    return json.loads(b"".join(map(bytes, piece.payload)))


@given(SIZES, st.integers(1, 9), LIMITS, st.sampled_from(["f4", "f8", "i8", "?", ">i2"]))
def test_the_pieces_of_an_array_are_the_array(count, width, limit, dtype):
    X = np.arange(count * width).reshape(count, width).astype(dtype)
    arrays = [array_of(piece) for piece in pieces(X, (width,), limit=limit)]
    assert np.array_equal(np.concatenate(arrays), X)
    assert {array.dtype for array in arrays} == {X.dtype}
    assert all(array.nbytes <= limit or len(array) == 1 for array in arrays)
    assert len(arrays) == 1 or all(map(len, arrays))


@given(st.lists(st.text(), min_size=1, max_size=30), LIMITS)
def test_the_pieces_of_texts_are_the_texts(texts, limit):
    cut = list(pieces(texts, None, limit=limit))
    told = [texts_of(piece) for piece in cut]
    assert [text for some in told for text in some] == texts
    assert [piece.count for piece in cut] == list(map(len, told))
    for piece in cut:
        assert piece.count == 1 or sum(map(len, piece.payload)) <= limit + 2


@given(st.lists(SIZES, min_size=1, max_size=5), st.integers(1, 6))
def test_joining_is_the_inverse_of_cutting(counts, width):
    whole = np.arange(sum(counts) * width).reshape(-1, width)
    answers = np.split(whole, np.cumsum(counts)[:-1])
    assert np.array_equal(joined(answers), whole)


def test_records_without_a_single_number_are_not_lost():
    [piece] = pieces(np.zeros((3, 0)), (0,), limit=8)
    assert array_of(piece).shape == (3, 0)


def test_fixed_width_and_growing_texts_travel_as_texts():
    for texts in (np.array(["a", "long"]), np.array(["a", "long"], dtype=np.dtypes.StringDType())):
        [piece] = pieces(texts, None, limit=1000)
        assert (piece.kind, texts_of(piece)) == ("texts", ["a", "long"])


def test_labels_of_other_lengths_are_joined():
    answer = joined([np.array(["no", "yes"]), np.array(["maybe"])])
    assert answer.tolist() == ["no", "yes", "maybe"]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (np.zeros(2, dtype=np.float32), ["float64", "float32"]),
        (np.zeros(2, dtype=np.int64), ["float64", "int64"]),
        (np.array(["a", "b"]), ["float64", "<U1"]),
        (np.zeros((2, 1)), ["()", "(1,)"]),
    ],
    ids=["type", "kind", "labels", "width"],
)
def test_answers_that_differ_between_pieces_are_named(second, told):
    with pytest.raises(GuestCrashed) as caught:
        joined([np.zeros(2), second])
    assert caught.value.code == "guest.reply_pieces"
    assert all(text in caught.value.problem for text in told)


def test_a_record_that_no_guest_accepts_is_refused_before_it_is_copied():
    one = np.broadcast_to(np.zeros(1), (1, PAYLOAD_MAX_BYTES // 8))
    with pytest.raises(TooLarge) as caught:
        next(pieces(one, None, limit=1000))
    assert caught.value.code == "input.record_too_large"
