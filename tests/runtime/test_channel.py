"""Frames from a stranger: whatever the bytes, no memory beyond the limit and no other exception."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from beimingwu.errors import GuestCrashed, GuestTimedOut, TooLarge
from beimingwu.learnware import Manifest
from beimingwu.runtime import Launch, start
from beimingwu.runtime.channel import Channel, Closed, Late, Malformed, encode_array

LIMIT = 1_000_000


class Pipe:
    """A channel whose guest is this test."""

    def __init__(self) -> None:
        self._descriptors = [*os.pipe(), *os.pipe()]
        self.requests, to_guest, from_guest, self.replies = self._descriptors
        self.channel = Channel(to_guest, from_guest)

    def receive(self, *parts: bytes, seconds: float = 0.2) -> Any:
        for part in parts:
            os.write(self.replies, part)
        return self.channel.receive(time.monotonic() + seconds, limit=LIMIT)

    def hang_up(self) -> None:
        os.close(self.replies)
        self._descriptors.remove(self.replies)

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def a_header(**header: object) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text


def an_array(description: str, data: bytes = b"", *, size: int | None = None) -> bytes:
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(description)) + description.encode() + data
    return a_header(bytes=len(npy) if size is None else size) + npy


def described(shape: object = (3,), descr: object = "<f8", fortran: object = False) -> str:
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}\n"


def test_an_honest_frame_is_read(pipe: Pipe) -> None:
    header, values = pipe.receive(an_array(described(), np.arange(3.0).tobytes()))
    assert header["bytes"] > 24
    assert values.tolist() == [0, 1, 2]


MALFORMED: dict[str, bytes] = {
    "a header of 4 GiB": struct.pack("<I", 0xFFFFFFFF),
    "a header that is no JSON": struct.pack("<I", 3) + b"{x}",
    "a header that is a list": struct.pack("<I", 2) + b"[]",
    "a header of nested lists": struct.pack("<I", 60_000) + b"[" * 60_000,
    "a payload of minus one": a_header(bytes=-1),
    "a payload of a text": a_header(bytes="9"),
    "a payload of a truth": a_header(bytes=True),
    "a payload that is no array": a_header(bytes=20) + bytes(20),
    "a payload of three bytes": a_header(bytes=3) + b"\x93NU",
    "an array of version 2": an_array(described()).replace(b"NUMPY\x01", b"NUMPY\x02"),
    "a pickle": an_array(described(descr="|O"), b"cos\nsystem\n(S'true'\ntR."),
    "a record with an object": an_array(described(descr=[("a", "|O")]), bytes(8)),
    "a record": an_array(described(descr=[("a", "<f8")]), bytes(24)),
    "a date": an_array(described(descr="<M8[s]"), bytes(24)),
    "raw memory": an_array(described(descr="|V8"), bytes(24)),
    "complex numbers": an_array(described(descr="<c16"), bytes(48)),
    "letters of no width": an_array(described((1 << 60,), descr="<U0")),
    "a shape larger than its bytes": an_array(described((1 << 40,)), bytes(24)),
    "a shape smaller than its bytes": an_array(described((1,)), bytes(24)),
    "a shape that overflows": an_array(described((1 << 32, 1 << 32)), bytes(0)),
    "a shape that overflows to its bytes": an_array(described(((1 << 61) + 3,)), bytes(24)),
    "a negative shape": an_array(described((-3, -1)), bytes(24)),
    "a shape of truths": an_array(described((True, 3)), bytes(24)),
    "a shape of 60 dimensions": an_array(described((1,) * 60), bytes(8)),
    "an empty shape with a huge side": an_array(described((0, 1 << 62, 1 << 62))),
    "a shape that is a call": an_array(described().replace("(3,)", "__import__('os')"), bytes(24)),
    "a header that is no mapping": an_array("[1, 2]\n", bytes(24)),
    "a header of nested brackets": an_array("(" * 9000 + "\n", bytes(24)),
    "a header longer than numpy reads": an_array(described() + " " * 20_000, bytes(24)),
    "a header longer than the payload": an_array(described(), bytes(24), size=20),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_refused_within_little_memory(name: str, pipe: Pipe) -> None:
    tracemalloc.start()
    with pytest.raises(Malformed):
        pipe.receive(MALFORMED[name])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_an_array_over_the_limit_is_refused_by_its_header_alone(pipe: Pipe) -> None:
    with pytest.raises(TooLarge):
        pipe.receive(a_header(bytes=LIMIT + 1))


def test_a_frame_that_stops_is_late_and_a_closed_pipe_is_closed(pipe: Pipe) -> None:
    frame = an_array(described(), bytes(24))
    with pytest.raises(Late):
        pipe.receive(frame[:-1])
    pipe.hang_up()
    with pytest.raises(Closed):
        pipe.receive()


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_or_read(data: bytes) -> None:
    pipe = Pipe()
    try:
        os.write(pipe.replies, data)
        pipe.hang_up()
        pipe.receive()
    except (Closed, Malformed, TooLarge):
        pass
    finally:
        pipe.close()


@given(
    arrays.arrays(
        st.sampled_from(["<f8", ">f4", "<i8", "|u1", "|b1", "<U3"]),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
    )
)
def test_an_array_survives_the_pipe(values: np.ndarray[Any, Any]) -> None:
    payload = b"".join(encode_array(values))
    assert np.array_equal(np.load(io.BytesIO(payload)), values, equal_nan=values.dtype.kind == "f")
    pipe = Pipe()
    try:
        _, got = pipe.receive(a_header(bytes=len(payload)) + payload)
    finally:
        pipe.close()
    assert (got.dtype, got.shape) == (values.dtype, values.shape)
    assert got.tobytes() == np.ascontiguousarray(values).tobytes()


def saying(reply: bytes) -> Launch:
    """Return a launch of a process that is no guest: it answers every call with `reply`."""
    script = (
        "import struct, sys\n"
        "while prefix := sys.stdin.buffer.read(4):\n"
        "    sys.stdin.buffer.read(struct.unpack('<I', prefix)[0])\n"
        "    print('here I am', file=sys.stderr)\n"
        f"    sys.stdout.buffer.write({reply!r}); sys.stdout.buffer.flush()\n"
    )
    return Launch((sys.executable, "-c", script), MappingProxyType({}))


@pytest.mark.parametrize("reply", [b"garbage, and more", a_header(bytes=9) + b"x" * 9])
def test_a_process_that_sends_nonsense_is_ended(reply: bytes, tmp_path: Path) -> None:
    with pytest.raises(GuestCrashed) as caught:
        start(tmp_path, Manifest(), launch=saying(reply))
    assert caught.value.code == "guest.reply"
    assert "here I am" in str(caught.value)


def test_a_process_that_sends_half_a_frame_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEIMINGWU_GUEST_START_SECONDS", "0.3")
    with pytest.raises(GuestTimedOut, match="here I am"):
        start(tmp_path, Manifest(), launch=saying(a_header()[:-1]))


@pytest.mark.parametrize(
    "answer",
    [
        {"error": 7},
        {"error": {"type": ["x"], "message": {}}},
        {"error": {"code": 9, "traceback": 1}},
        {"error": None},
    ],
)
def test_an_error_in_no_known_form_is_still_a_crash(answer: Any, tmp_path: Path) -> None:
    with pytest.raises(GuestCrashed):
        start(tmp_path, Manifest(), launch=saying(a_header(**answer)))


@pytest.mark.parametrize("told", [10**400, -5, 1e300, "x", None])
def test_a_measure_that_cannot_be_is_none(told: object, tmp_path: Path) -> None:
    reply = a_header(seconds=told, peak_memory=told)
    with start(tmp_path, Manifest(), launch=saying(reply)) as model:
        assert (model.report.call_seconds, model.report.peak_memory) == (0.0, 0)


@pytest.mark.parametrize("shape", [7, "x", [1.5], [[1]], {"a": 1}, [True]])
def test_a_shape_in_no_known_form_is_no_shape(shape: object, tmp_path: Path) -> None:
    reply = a_header(input_shape=shape, output_shape=shape, seconds="x", peak_memory=[])
    with start(tmp_path, Manifest(), launch=saying(reply)) as model:
        assert (model.input_shape, model.output_shape) == (None, None)
        assert model.report.peak_memory == 0
