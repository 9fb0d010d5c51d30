"""The host's end of the pipe: a learnware's model that runs in a process of its own.

The process is started once and kept; calls from several threads take turns. When it crashes or
takes too long it is ended, and the next call starts another. Used by `learnware.model` and by the
dock's verification.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.config import Settings, settings
from beimingwu.errors import GuestCrashed, GuestFailed, GuestTimedOut, TooLarge
from beimingwu.learnware.manifest import Manifest
from beimingwu.runtime.batches import Payload, Piece, joined, pieces
from beimingwu.runtime.cancellation import Cancellation
from beimingwu.runtime.channel import Closed, Late, Malformed
from beimingwu.runtime.endings import raise_ended, raise_raised
from beimingwu.runtime.launch import Launch, current_interpreter
from beimingwu.runtime.process import Ending, Process
from beimingwu.runtime.profiles import Profile

#: A guest that is told to stop has this long for it, and as long again to be gone.
STOP_SECONDS = 0.5
#: What a guest says it measured is believed up to these, in seconds and in bytes.
LONGEST_CALL, MOST_MEMORY = 1e6, 2.0**50


@dataclass(frozen=True)
class GuestReport:
    """What was measured of a guest.

    Parameters
    ----------
    python
        The version of Python that it runs on, as it says itself.
    start_seconds
        From the start of the process until the model was made.
    calls
        Calls answered by all processes so far; a batch in several pieces is one.
    call_seconds
        Of the last call, inside the guest.
    peak_memory
        Most memory the process held, in bytes; and all it started, where it may start any.
    output
        What the learnware printed, up to `guest_output_max_bytes` of the end.
    """

    python: str = ""
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
    cancellation: Cancellation | None = None,
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
    cancellation
        Ends the process from another thread, while this one or a later call waits for it.

    Raises
    ------
    GuestFailed
        It was called off (`guest.cancelled`).
    GuestCrashed
        The module cannot be imported, or the class cannot be made; the text ends with the last
        lines the learnware printed.
    GuestTimedOut
        It took longer than `guest_start_seconds`.
    SandboxUnavailable
        This machine cannot put up the walls that `launch` asks for.
    """
    model = GuestModel(
        Path(learnware_folder), manifest, launch or current_interpreter(), held, cancellation
    )
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
        self,
        folder: Path,
        manifest: Manifest,
        launch: Launch,
        held: Held | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.input_shape: tuple[int, ...] | None = None
        self.output_shape: tuple[int, ...] | None = None
        self._folder, self._manifest, self._launch = folder.absolute(), manifest, launch
        self._turn = threading.Lock()
        self._process: Process | None = None
        self._held = held
        self._cancellation = cancellation or Cancellation()
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

        A batch over `guest_batch_max_bytes` is sent in pieces, and the answers are joined.

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
            The learnware raised, ended its process, answered with something else than n values, or
            answered two pieces by different types or widths.
        GuestTimedOut
            It took longer than `guest_call_seconds` for a piece.
        GuestOutOfMemory
            It asked for more memory than there is.
        TooLarge
            The answers are over `guest_reply_max_bytes`, or one record is over a GiB.
        """
        given = settings()  # Once: reading them takes as long as a small batch.
        cut = pieces(X, self.input_shape, limit=given.guest_batch_max_bytes)
        answers: list[NDArray[np.generic]] = []
        seconds = 0.0
        with self._turn:
            if self._closed:
                raise GuestFailed(
                    "The learnware was closed.", remedy="Load it again.", code="guest.closed"
                )
            for piece in cut:
                room = given.guest_reply_max_bytes - sum(known.nbytes for known in answers)
                answers.append(self._answers(piece, room, given))
                seconds += self._report.call_seconds
            calls = self._report.calls + 1
            self._report = replace(self._report, calls=calls, call_seconds=seconds)
        return joined(answers)

    def close(self) -> None:
        """End the process and remove its scratch folder; calling it again does nothing."""
        with self._turn:
            self._closed = True
            self._stop()
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
        try:
            self._exchange(process, _loading(self._manifest), "start")
            answer, _ = self._exchange(process, {"call": "describe"}, "start", since=started)
        except BaseException:
            self._end()
            raise
        self.input_shape = _shape(answer.get("input_shape"))
        self.output_shape = _shape(answer.get("output_shape"))
        python, taken = str(answer.get("python"))[:40], time.monotonic() - started
        self._measure(answer, process)
        self._report = replace(self._report, python=python, start_seconds=taken)
        return process

    def _answers(self, piece: Piece, room: int, given: Settings) -> NDArray[np.generic]:
        """Return the answers to one piece, of at most `room` bytes."""
        process = self._running()
        request = {"call": "predict", "input": piece.kind}
        answer, values = self._exchange(
            process, request, "predict", piece.payload, room=room, given=given
        )
        self._measure(answer, process)
        self._replace_when_worn(answer, given)
        if values is None or values.shape[:1] != (piece.count,):
            got = "nothing" if values is None else f"an array of shape {values.shape}"
            raise GuestCrashed(
                f"The learnware answered {piece.count} records with {got}.",
                remedy="Its predict must return one answer per record.",
                code="guest.reply_length",
            )
        return values

    def _exchange(
        self,
        process: Process,
        request: Mapping[str, object],
        what: str,
        payload: Payload = (),
        *,
        since: float | None = None,
        room: int | None = None,
        given: Settings | None = None,
    ) -> tuple[dict[str, object], NDArray[np.generic] | None]:
        """Send a request and wait for its answer; whatever goes wrong between ends the process."""
        given = given or settings()
        seconds = given.guest_start_seconds if what == "start" else given.guest_call_seconds
        deadline = (time.monotonic() if since is None else since) + seconds
        try:
            with self._cancellation.ending(process.kill):
                process.channel.send(request, payload, deadline)
                limit = given.guest_reply_max_bytes if room is None else room
                answer, values = process.channel.receive(deadline, limit=limit)
        except Closed:
            ending = self._end(patience=1.0)
            self._require_wanted()
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
            raise_raised(answer["error"], what, process, walls=walls)
        return answer, values

    def _require_wanted(self) -> None:
        if self._cancellation.cancelled:
            raise GuestFailed(
                "The learnware was called off while it worked.",
                remedy="Load it again.",
                code="guest.cancelled",
            ) from None

    def _measure(self, answer: Mapping[str, object], process: Process) -> None:
        seconds, memory = answer.get("seconds"), answer.get("peak_memory")
        self._report = replace(
            self._report,
            call_seconds=_measured(seconds, LONGEST_CALL),
            peak_memory=max(int(_measured(memory, MOST_MEMORY)), process.tree_peak),
        )

    def _replace_when_worn(self, answer: Mapping[str, object], given: Settings) -> None:
        """End a process that has used half of its processor time; the next call starts another."""
        used = answer.get("cpu_seconds")
        worn = isinstance(used, int | float) and used > given.guest_cpu_seconds / 2
        if self._launch.sandbox and worn:
            self._end()

    def _stop(self) -> None:
        """Tell the process to stop, and see that it does."""
        patience = 0.0
        if self._process is not None:
            deadline = time.monotonic() + STOP_SECONDS
            with contextlib.suppress(Closed, Late, Malformed, TooLarge):
                self._process.channel.send({"call": "stop"}, (), deadline)
                self._process.channel.receive(deadline, limit=0)
                patience = STOP_SECONDS
        self._end(patience)

    def _end(self, patience: float = 0.0) -> Ending:
        process, self._process = self._process, None
        if process is None:
            return Ending(None, "")
        ending = process.end(patience)
        self._report = replace(self._report, output=process.output())
        return ending


def _loading(manifest: Manifest) -> dict[str, object]:
    return {
        "call": "load",
        "class_name": manifest.class_name,
        "module_path": manifest.module_path,
        "kwargs": _plain(manifest.kwargs),
    }


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


def _measured(told: object, most: float) -> float:
    """Return what a guest says it measured; 0 where that cannot be."""
    believable = isinstance(told, int | float) and 0 <= told <= most
    return float(told) if isinstance(told, int | float) and believable else 0.0
