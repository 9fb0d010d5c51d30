"""The guest's end of the pipe: loads one learnware and answers calls until the pipe closes.

A stand-alone script: standard library and numpy, run by its path, in a process and an environment
of its own; it must never import beimingwu. `host.py` is the other end and describes the frames.
It keeps to the syntax of Python 3.8, since a learnware may bring its own interpreter.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import io
import json
import os
import resource
import signal
import struct
import sys
import threading
import time
import traceback
import types
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

PACKAGE = "learnware_guest_module"
NUMERIC_KINDS = "biufU"
MESSAGE_MAX_CHARACTERS = 4000
#: Of one frame from the host; `channel.py` has the same two numbers.
HEADER_MAX_BYTES = 16 * 1024 * 1024
PAYLOAD_MAX_BYTES = 1024 * 1024 * 1024


def main(folder: Path, lifeline: int) -> None:
    """Serve the learnware in `folder`; end when told to, or when the host's end closes.

    The calls: `load` makes the model, `describe` tells its shapes, `predict` answers records and
    `stop` ends the process. There is none to fit: a learnware is what was verified, and what a
    reuser fits, it fits on answers, where the user's data is.
    """
    die_with_host(lifeline)
    requests, replies = take_pipe()
    model: Any = None
    call = ""
    while call != "stop":
        request, payload = read_frame(requests)
        if request is None:
            return
        call = request["call"]
        started = time.perf_counter()
        answer: dict[str, Any] = {}
        array = None
        try:
            if call == "load":
                model = load(folder, request)
            elif call == "describe":
                answer = describe(model)
            elif call == "predict":
                array = predict(model, request["input"], payload)
        except BaseException as error:  # The learnware may raise anything, SystemExit included.
            answer, array = {"error": explain(error)}, None
        answer["seconds"] = time.perf_counter() - started
        answer["peak_memory"] = peak_memory()
        answer["cpu_seconds"] = time.process_time()
        with contextlib.suppress(Exception):  # The learnware may have put anything there.
            sys.stdout.flush()
            sys.stderr.flush()
        write_frame(replies, answer, array)
    os._exit(0)  # At once, whatever threads and farewells the learnware has left.


def die_with_host(lifeline: int) -> None:
    """End this process, and all it started, when the host's end of `lifeline` closes.

    Nothing is ever written to this pipe. A thread waits for its end; since a learnware may be deep
    in native code that lets no thread run, Linux is also asked to kill us then; inside walls that
    refuse this, PR_SET_PDEATHSIG is set already (`process.py` starts us from a thread that lasts).
    """

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
    if hasattr(fcntl, "F_SETSIG"):
        with contextlib.suppress(PermissionError):
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(lifeline, fcntl.F_GETFL) | fcntl.FASYNC
            fcntl.fcntl(lifeline, fcntl.F_SETFL, flags)


def take_pipe() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipe for us; what the learnware prints goes to standard error from here on."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return requests, replies


def read_frame(requests: Any) -> tuple[dict[str, Any] | None, bytearray]:
    """Return the header and the payload of the next frame; None and nothing where there is none."""
    prefix = requests.read(4)
    if len(prefix) < 4:
        return None, bytearray()
    header = json.loads(requests.read(bounded(struct.unpack("<I", prefix)[0], HEADER_MAX_BYTES)))
    payload = bytearray(bounded(header.get("bytes", 0), PAYLOAD_MAX_BYTES))
    requests.readinto(payload)
    return header, payload


def bounded(size: int, most: int) -> int:
    """Return a size that the host has told; end where it is over what is accepted."""
    if not 0 <= size <= most:
        sys.exit(f"guest: a frame of {size} bytes, and at most {most} are accepted")
    return size


def write_frame(replies: BinaryIO, header: dict[str, Any], array: Any) -> None:
    """Write one frame; an array follows its header as the bytes of a `.npy` file."""
    npy_header = io.BytesIO()
    if array is not None:
        np.lib.format.write_array_header_1_0(
            npy_header, np.lib.format.header_data_from_array_1_0(array)
        )
        header["bytes"] = len(npy_header.getvalue()) + array.nbytes
    text = json.dumps(header).encode()
    replies.write(struct.pack("<I", len(text)) + text + npy_header.getvalue())
    if array is not None and array.nbytes:
        replies.write(array.reshape(-1).view(np.uint8).data)
    replies.flush()


def load(folder: Path, request: dict[str, Any]) -> Any:
    """Import the learnware's module and return an instance of its class."""
    class_name, module_path = request["class_name"], request["module_path"]
    supply_base_model()
    module = import_module(folder, module_path)
    model_class = getattr(module, class_name, None)
    if model_class is None:
        raise Misfit("guest.no_class", f"{module_path} defines no class {class_name!r}.")
    # The public engine puts the class there too, and pickles in old archives count on it.
    setattr(sys.modules["__main__"], class_name, model_class)
    model = model_class(**revive(request["kwargs"]))
    if not callable(getattr(model, "predict", None)):
        raise Misfit("guest.no_predict", f"{class_name} has no method predict.")
    return model


def import_module(folder: Path, module_path: str) -> types.ModuleType:
    """Import the file as part of a package, so that its relative imports work."""
    path = folder / module_path
    initial = path.with_name("__init__.py")
    if initial.exists():
        package = import_file(PACKAGE, initial, [str(path.parent)])
    else:
        package = sys.modules[PACKAGE] = types.ModuleType(PACKAGE)
        package.__path__ = [str(path.parent)]
    if path == initial:
        return package
    return import_file(PACKAGE + "." + path.stem, path, None)


def import_file(name: str, path: Path, search: list[str] | None) -> types.ModuleType:
    """Import one file under `name`."""
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def supply_base_model() -> None:
    """Stand in for `learnware.model.BaseModel` where the public engine is not installed."""
    if importlib.util.find_spec("learnware") is not None:
        return
    names = ("learnware", "learnware.model", "learnware.model.base")
    engine, model, base = (vars(sys.modules.setdefault(n, types.ModuleType(n))) for n in names)
    engine["__path__"] = model["__path__"] = []
    engine["model"], model["base"] = sys.modules[names[1]], sys.modules[names[2]]
    model["BaseModel"] = base["BaseModel"] = BaseModel


class BaseModel:
    """What the class of a learnware derives from."""

    def __init__(self, input_shape: Any = None, output_shape: Any = None) -> None:
        self.input_shape = input_shape
        self.output_shape = output_shape

    def predict(self, X: Any) -> Any:
        """Answer for each record of X."""
        raise NotImplementedError("predict")

    def fit(self, X: Any, y: Any) -> None:
        """Train on X, y; few learnwares do."""
        raise NotImplementedError("fit")

    def finetune(self, X: Any, y: Any) -> None:
        """Train further on X, y; few learnwares do."""
        raise NotImplementedError("finetune")


class Misfit(Exception):
    """The learnware does not fit the format; carries a code for the host."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def describe(model: Any) -> dict[str, Any]:
    """Return what the host wants to know of a model that has just been made."""
    return {
        "input_shape": shape(getattr(model, "input_shape", None)),
        "output_shape": shape(getattr(model, "output_shape", None)),
        "python": sys.version.split()[0],
    }


def shape(value: Any) -> list[int] | None:
    """Return a shape as a list of numbers, or None where the learnware gives none."""
    if isinstance(value, int):
        return [value]
    try:
        return [int(size) for size in value]
    except (TypeError, ValueError):
        return None


def predict(model: Any, kind: str, payload: bytearray) -> Any:
    """Call the learnware and return its answer as an array that is safe to send."""
    records = json.loads(payload.decode()) if kind == "texts" else read_array(payload)
    return as_array(model.predict(records))


def read_array(payload: bytearray) -> Any:
    """Return the array of a `.npy` file where it lies; a copy would cost more than the pipe."""
    start = io.BytesIO(memoryview(payload)[:4096])
    np.lib.format.read_magic(start)
    shape, _, dtype = np.lib.format.read_array_header_1_0(start)
    return np.ndarray(shape, dtype, payload, start.tell())


def as_array(answer: Any) -> Any:
    """Return tensors, frames, lists and arrays as one C-ordered array of numbers or labels."""
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    for convert in ("numpy", "to_numpy"):
        if not isinstance(answer, np.ndarray) and callable(getattr(answer, convert, None)):
            answer = getattr(answer, convert)()
    array = np.asarray(answer)
    if array.dtype.kind in "OT" and all(isinstance(label, str) for label in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in NUMERIC_KINDS:
        raise Misfit(
            "guest.reply_type", f"predict returned {type(answer).__name__} of {array.dtype}."
        )
    return np.ascontiguousarray(array).reshape(array.shape)


def revive(value: Any) -> Any:
    """Turn `{"tuple": [...]}` back into tuples, which JSON does not have."""
    if isinstance(value, dict):
        if set(value) == {"tuple"}:
            return tuple(revive(item) for item in value["tuple"])
        return {name: revive(item) for name, item in value["dict"].items()}
    if isinstance(value, list):
        return [revive(item) for item in value]
    return value


def explain(error: BaseException) -> dict[str, Any]:
    """Return what the host needs to raise an error of its own."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "code": getattr(error, "code", None) if isinstance(error, Misfit) else None,
        "type": type(error).__name__,
        "message": str(error)[:MESSAGE_MAX_CHARACTERS],
        "traceback": "".join(lines)[-MESSAGE_MAX_CHARACTERS:],
        "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
    }


def peak_memory() -> int:
    """Return the most memory this process ever held, in bytes.

    Linux counts in `ru_maxrss` also what the process held before it became this program, which is
    the memory of the host; `VmHWM` does not.
    """
    try:
        with Path("/proc/self/status").open() as status:
            return next(1024 * int(line.split()[1]) for line in status if line[:6] == "VmHWM:")
    except (OSError, StopIteration):
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
