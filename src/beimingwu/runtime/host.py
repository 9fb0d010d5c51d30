"""The host's end of the pipe: a learnware's model that runs in a process of its own.

The process is started once and kept; calls from several threads take turns. When it crashes or
takes too long it is ended, and the next call starts another. Used by `learnware.model` and by the
dock's verification.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.config import settings
from beimingwu.errors import (
    GuestCrashed,
    GuestFailed,
    GuestTimedOut,
    InvalidInput,
)
from beimingwu.learnware.manifest import Manifest
from beimingwu.runtime.channel import Closed, Late, Malformed, encode_array
from beimingwu.runtime.endings import raise_ended, raise_raised
from beimingwu.runtime.launch import Launch, current_interpreter
from beimingwu.runtime.process import Ending, Process
from beimingwu.runtime.profiles import Profile


@dataclass(frozen=True)
class GuestReport:
    """What was measured of a guest.

    Parameters
    ----------
    start_seconds
        From the start of the process until the model was made.
    calls
        Calls answered by all processes so far.
    call_seconds
        Of the last call, inside the guest.
    peak_memory
        Most memory the process held, in bytes.
    output
        What the learnware printed, up to `guest_output_max_bytes` of the end.
    """

    start_seconds: float = 0.0
    calls: int = 0
    call_seconds: float = 0.0
    peak_memory: int = 0
    output: str = ""


def start(
    learnware_folder: str | Path,
    manifest: Manifest,
    *,
    launch: Launch | None = None,
    held: Held | None = None,
) -> GuestModel:
    """Start a process that loads the model of the learnware in a folder.

    Parameters
    ----------
    learnware_folder
        As extracted from its archive.
    manifest
        Names the module, the class and its arguments.
    launch
        How to start the process; in this interpreter by default.
    held
        What the process needs as long as it may run; closed with the model.

    Raises
    ------
    GuestCrashed
        The module cannot be imported, or the class cannot be made; the text ends with the last
        lines the learnware printed.
    GuestTimedOut
        It took longer than `guest_start_seconds`.
    SandboxUnavailable
        This machine cannot put up the walls that `launch` asks for.
    """
    model = GuestModel(Path(learnware_folder), manifest, launch or current_interpreter(), held)
    model.start()
    return model


class Held(Protocol):
    """What a guest needs while it runs: its environment."""

    def close(self) -> None:
        """Let go of it."""


class GuestModel:
    """A model in a process of its own. Made by `start`.

    Attributes
    ----------
    input_shape, output_shape : tuple of int, or None
        As the learnware says itself.
    report : GuestReport
    """

    def __init__(
        self, folder: Path, manifest: Manifest, launch: Launch, held: Held | None = None
    ) -> None:
        self.input_shape: tuple[int, ...] | None = None
        self.output_shape: tuple[int, ...] | None = None
        self._folder, self._manifest, self._launch = folder.absolute(), manifest, launch
        self._turn = threading.Lock()
        self._process: Process | None = None
        self._held = held
        self._closed = False
        self._report = GuestReport()

    @property
    def report(self) -> GuestReport:
        """What was measured until now."""
        process = self._process
        return self._report if process is None else replace(self._report, output=process.output())

    def start(self) -> None:
        """Start the process now, if none is running, rather than with the first call."""
        with self._turn:
            self._running()

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return the learnware's answer for each record.

        Parameters
        ----------
        X
            Numbers of shape `(n, *input_shape)`, or a list of n texts.

        Returns
        -------
        ndarray of shape (n, …)

        Raises
        ------
        InvalidInput
            Not numbers or texts, or records of another shape than the learnware takes.
        GuestCrashed
            The learnware raised, ended its process, or answered with something else than n values.
        GuestTimedOut
            It took longer than `guest_call_seconds`.
        GuestOutOfMemory
            It asked for more memory than there is.
        TooLarge
            The answer is over `guest_reply_max_bytes`.
        """
        count, kind, payload = _encoded(X, self.input_shape)
        with self._turn:
            if self._closed:
                raise GuestFailed(
                    "The learnware was closed.", remedy="Load it again.", code="guest.closed"
                )
            process = self._running()
            request = {"call": "predict", "input": kind}
            answer, values = self._exchange(
                process, request, payload, settings().guest_call_seconds, "predict"
            )
            self._measure(answer, calls=self._report.calls + 1)
            self._replace_when_worn(answer)
        if values is None or values.shape[:1] != (count,):
            got = "nothing" if values is None else f"an array of shape {values.shape}"
            raise GuestCrashed(
                f"The learnware answered {count} records with {got}.",
                remedy="Its predict must return one answer per record.",
                code="guest.reply_length",
            )
        return values

    def close(self) -> None:
        """End the process and remove its scratch folder; calling it again does nothing."""
        with self._turn:
            self._closed = True
            self._end()
            if self._held is not None:
                self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"GuestModel({self._manifest.class_name}, {self.input_shape} -> {self.output_shape})"

    def _running(self) -> Process:
        """Return the process, started if there is none or if it ended since the last call."""
        if self._process is not None and self._process.popen.poll() is None:
            return self._process
        self._end()
        started = time.monotonic()
        self._process = process = Process(self._launch, self._folder)
        request = {
            "call": "start",
            "class_name": self._manifest.class_name,
            "module_path": self._manifest.module_path,
            "kwargs": _plain(self._manifest.kwargs),
        }
        try:
            answer, _ = self._exchange(
                process, request, (), settings().guest_start_seconds, "start"
            )
        except BaseException:
            self._end()
            raise
        self.input_shape = _shape(answer.get("input_shape"))
        self.output_shape = _shape(answer.get("output_shape"))
        self._measure(answer, start_seconds=time.monotonic() - started)
        return process

    def _exchange(
        self,
        process: Process,
        request: Mapping[str, object],
        payload: tuple[bytes | memoryview, ...],
        seconds: float,
        what: str,
    ) -> tuple[dict[str, object], NDArray[np.generic] | None]:
        """Send a request and wait for its answer; whatever goes wrong between ends the process."""
        deadline = time.monotonic() + seconds
        try:
            process.channel.send(request, payload, deadline)
            answer, values = process.channel.receive(
                deadline, limit=settings().guest_reply_max_bytes
            )
        except Closed:
            ending = self._end(patience=1.0)
            if self._launch.sandbox and what == "start":
                from beimingwu.runtime.trial import require

                require(Profile.of(self._launch.sandbox))
            raise_ended(what, ending)
        except Late:
            last = self._end()
            raise GuestTimedOut(
                f"The learnware took longer than {seconds:g} seconds to {what}.{last.text}",
                remedy="Predict on fewer records at a time, or allow it more time with "
                f"BEIMINGWU_GUEST_{'START' if what == 'start' else 'CALL'}_SECONDS.",
            ) from None
        except Malformed as error:
            last = self._end()
            raise GuestCrashed(
                f"The learnware's process sent {error}.{last.text}",
                remedy="It must not write to the pipe it was started with.",
                code="guest.reply",
            ) from None
        except BaseException:
            self._end()
            raise
        if "error" in answer:
            walls = bool(self._launch.sandbox)
            raise_raised(answer["error"], what, process.last_lines(), walls=walls)
        return answer, values

    def _measure(self, answer: Mapping[str, object], **more: float) -> None:
        seconds, memory = answer.get("seconds"), answer.get("peak_memory")
        self._report = replace(
            self._report,
            call_seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
            peak_memory=memory if isinstance(memory, int) else 0,
            **more,  # type: ignore[arg-type]
        )

    def _replace_when_worn(self, answer: Mapping[str, object]) -> None:
        """End a process that has used half of its processor time; the next call starts another."""
        used = answer.get("cpu_seconds")
        worn = isinstance(used, int | float) and used > settings().guest_cpu_seconds / 2
        if self._launch.sandbox and worn:
            self._end()

    def _end(self, patience: float = 0.0) -> Ending:
        process, self._process = self._process, None
        if process is None:
            return Ending(None, "")
        ending = process.end(patience)
        self._report = replace(self._report, output=process.output())
        return ending


def _encoded(
    X: ArrayLike, input_shape: tuple[int, ...] | None
) -> tuple[int, str, tuple[bytes | memoryview, ...]]:
    """Return how many records there are, how they travel, and their bytes."""
    texts = _texts(X)
    if texts is not None:
        return len(texts), "texts", (json.dumps(texts).encode(),)
    values = np.asarray(X)
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
    return len(values), "array", encode_array(values)


def _texts(X: ArrayLike) -> list[str] | None:
    """Return `X` as a list of texts, or None where it holds anything else."""
    if isinstance(X, list | tuple):
        given: list[object] = list(X)
    else:
        values = np.asarray(X)
        if values.ndim != 1 or values.dtype.kind not in "UO":
            return None
        given = values.tolist()
    texts = [text for text in given if isinstance(text, str)]
    return texts if texts and len(texts) == len(given) else None


def _plain(value: object) -> object:
    """Return the model's arguments for JSON, which has no tuples: see `revive` in guest.py."""
    if isinstance(value, Mapping):
        return {"dict": {name: _plain(inner) for name, inner in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [_plain(inner) for inner in value]}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _shape(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not all(type(size) is int for size in value):
        return None
    return tuple(value)
