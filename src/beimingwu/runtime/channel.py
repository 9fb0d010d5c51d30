"""Frames on the pipe to a guest, with a deadline on every byte and a bound on every length.

A frame is four bytes (little-endian length), that many bytes of JSON, and as many bytes of payload
as its key `bytes` says: a `.npy` array or JSON. What comes from the guest is a stranger's: each
length is checked before memory is asked for, and nothing is ever unpickled.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import select
import struct
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import TooLarge

HEADER_MAX_BYTES = 64 * 1024
#: What the guest accepts of us: `guest.py` has the same two numbers, and bounds by them itself.
REQUEST_MAX_BYTES = 16 * 1024 * 1024
PAYLOAD_MAX_BYTES = 1024 * 1024 * 1024
NPY_HEADER_MAX_BYTES = 10_000
#: Booleans, numbers and text labels only: objects would be pickles, the rest has no meaning here.
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|][biufU]\d{1,9})', 'fortran_order': (True|False), "
    rb"'shape': \(([0-9, ]{0,1000})\), \} *\n"
)


class Closed(Exception):
    """The guest's end of the pipe is closed."""


class Late(Exception):
    """The deadline passed."""


class Malformed(Exception):
    """The guest sent what no honest guest sends."""


class Channel:
    """Both directions of one guest's pipe.

    Parameters
    ----------
    to_guest, from_guest
        File descriptors, owned by whoever made them; both are set not to block.
    """

    def __init__(self, to_guest: int, from_guest: int) -> None:
        self._to, self._from = to_guest, from_guest
        os.set_blocking(to_guest, False)
        os.set_blocking(from_guest, False)

    def send(
        self, header: Mapping[str, object], payload: tuple[memoryview | bytes, ...], deadline: float
    ) -> None:
        """Write one frame before `deadline`, a value of `time.monotonic`.

        Raises
        ------
        Closed, Late
        TooLarge
            The header is over what a guest accepts; nothing was sent.
        """
        size = sum(len(memoryview(part).cast("B")) for part in payload)
        text = json.dumps({**header, "bytes": size}).encode()
        if len(text) > REQUEST_MAX_BYTES:
            raise TooLarge(
                f"The arguments of the model take {len(text):,} bytes; {REQUEST_MAX_BYTES:,} are "
                "accepted.",
                remedy="Keep what is large in a file of the learnware, and read it from there.",
                code="guest.request_too_large",
            )
        for part in (struct.pack("<I", len(text)) + text, *payload):
            self._write(memoryview(part).cast("B"), deadline)

    def receive(
        self, deadline: float, *, limit: int
    ) -> tuple[dict[str, object], NDArray[np.generic] | None]:
        """Read one frame before `deadline`; its array, if any, is at most `limit` bytes.

        Raises
        ------
        Closed, Late, Malformed
        TooLarge
            The array is over `limit`.
        """
        (length,) = struct.unpack("<I", self._read(4, deadline))
        if length > HEADER_MAX_BYTES:
            raise Malformed(f"a header of {length:,} bytes")
        try:
            header = json.loads(self._read(length, deadline))
        except (ValueError, RecursionError):
            raise Malformed("a header that is not JSON") from None
        if not isinstance(header, dict):
            raise Malformed("a header that is not an object")
        size = header.get("bytes", 0)
        if type(size) is not int or size < 0:
            raise Malformed(f"a payload of {size!r} bytes")
        return header, self._read_array(size, deadline, limit) if size else None

    def _read_array(self, size: int, deadline: float, limit: int) -> NDArray[np.generic]:
        if size > limit:
            raise TooLarge(
                f"The learnware answers with {size:,} bytes; {limit:,} are accepted.",
                remedy="Predict on fewer records at a time.",
                code="guest.reply_too_large",
            )
        prefix = self._read(10, deadline) if size >= 10 else b""
        if prefix[:8] != b"\x93NUMPY\x01\x00":
            raise Malformed("a payload that is not an array")
        (header_size,) = struct.unpack("<H", prefix[8:])
        if header_size > min(NPY_HEADER_MAX_BYTES, size - 10):
            raise Malformed("an array whose header is too long")
        shape, fortran, dtype = _described(self._read(header_size, deadline))
        if _byte_size(shape, dtype) != size - 10 - header_size:
            raise Malformed(f"an array said to be {shape} of {dtype}, in {size:,} bytes")
        try:
            flat = np.empty(math.prod(shape), dtype=dtype)
            self._read_into(flat.view(np.uint8).data, deadline)
            return flat.reshape(shape, order="F" if fortran else "C")
        except (ValueError, MemoryError):
            raise Malformed(f"an array of shape {shape}") from None

    def _write(self, data: memoryview, deadline: float) -> None:
        while data:
            self._wait(self._to, select.POLLOUT, deadline)
            try:
                data = data[os.write(self._to, data) :]
            except BrokenPipeError:
                raise Closed from None
            except BlockingIOError:
                continue

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray(size)
        self._read_into(memoryview(data), deadline)
        return bytes(data)

    def _read_into(self, target: memoryview, deadline: float) -> None:
        while target:
            self._wait(self._from, select.POLLIN, deadline)
            try:
                count = os.readv(self._from, [target])
            except BlockingIOError:
                continue
            if count == 0:
                raise Closed
            target = target[count:]

    @staticmethod
    def _wait(descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Late


def encode_array(array: NDArray[np.generic]) -> tuple[bytes, memoryview]:
    """Return an array as the header and the data of a `.npy` file, without copying the data.

    Examples
    --------
    >>> header, data = encode_array(np.zeros(3))
    >>> bool((np.load(io.BytesIO(header + data)) == 0).all())
    True
    """
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    return header.getvalue(), array.reshape(-1).view(np.uint8).data


def _described(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Read the header of a `.npy` array in the one form that numpy writes, evaluating nothing."""
    found = _NPY_HEADER.fullmatch(header)
    if found is None:
        raise Malformed("an array whose header cannot be read, or not of numbers or labels")
    descr, fortran, sizes = (group.decode() for group in found.groups())
    try:
        dtype = np.dtype(descr)
        shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    except (TypeError, ValueError):
        raise Malformed("an array whose header cannot be read") from None
    return shape, fortran == "True", dtype


def _byte_size(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> int:
    """Return the size that the header promises; Python's integers cannot be made to overflow."""
    if len(shape) > 32 or dtype.itemsize == 0:
        raise Malformed(f"an array of shape {shape}")
    return math.prod(shape) * dtype.itemsize
