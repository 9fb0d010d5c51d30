"""Hostile learnwares that lie to us: forged frames, pickles, errors that are none, and tampering.

Nothing that comes back is more than data, and every lie ends with an error of the liar's own. Also
those that take the guest script apart from inside: it is theirs to break, and only theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from beimingwu.dock.usability import check_usability
from beimingwu.errors import (
    BeimingwuError,
    CheckFailed,
    GuestCrashed,
    GuestFailed,
    GuestOutOfMemory,
    GuestTimedOut,
    TooLarge,
)
from beimingwu.specification import RKME
from beimingwu.specification.semantic import Dimensions, SemanticSpecification

ONE = np.ones((1, 2))
ANY_CODE = "any"
SEMANTIC = SemanticSpecification(
    data="Table",
    task="Classification",
    library="Scikit-learn",
    scenarios=("Business",),
    license="MIT",
    name="hostile",
    description="A learnware that lies about everything.",
    input=Dimensions(2),
    output=Dimensions(3),
)
FORGER = r"""
import io, pickle

class Bomb:
    def __reduce__(self):
        return (os.system, ("echo pwned > pwned",))

def frame(header, payload=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(header)) + header + payload

def npy(descr, shape, data=b"", version=b"\x01\x00", fortran="False"):
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data

def send(data):
    for pipe in pipes():
        view = memoryview(data)
        while view:
            view = view[os.write(pipe, view):]
    time.sleep(5)
"""


@dataclass(frozen=True)
class Lie:
    """The body of predict, and how it is told."""

    body: str
    ends: type[BeimingwuError] | tuple[type[BeimingwuError], ...] = GuestCrashed
    code: str = "guest.reply"


FRAMES = {
    "a pickle": Lie("send(pickle.dumps(Bomb()))"),
    "a pickle for an array": Lie(
        "data = pickle.dumps(Bomb())\nsend(frame({'bytes': len(data)}, data))"
    ),
    "an array of objects": Lie(
        """
        out = io.BytesIO(); np.save(out, np.array([Bomb()], dtype=object), allow_pickle=True)
        send(frame({"bytes": len(out.getvalue())}, out.getvalue()))
        """
    ),
    "an array of records": Lie(
        "data = npy([('a', 'O')], '(1,)', bytes(8))\nsend(frame({'bytes': len(data)}, data))"
    ),
    "an array whose header is a program": Lie(
        "data = npy(\"__import__('os').system('echo pwned > pwned')\", '(1,)')\n"
        "send(frame({'bytes': len(data)}, data))"
    ),
    "an array larger than it is": Lie(
        "data = npy(\"'<f8'\", '(1000000,)')\nsend(frame({'bytes': len(data)}, data))"
    ),
    "an array whose size overflows": Lie(
        "data = npy(\"'<f8'\", '(4294967296, 4294967296)')\nsend(frame({'bytes': len(data)}, data))"
    ),
    "an array of a negative size": Lie(
        "data = npy(\"'<f8'\", '(-1,)')\nsend(frame({'bytes': len(data)}, data))"
    ),
    "an array of a newer kind": Lie(
        """
        data = npy("'<f8'", "(1,)", bytes(8), b"\\x03\\x00")
        send(frame({"bytes": len(data)}, data))
        """
    ),
    "a header of 4 GiB": Lie("send(struct.pack('<I', 0xFFFFFFFF))"),
    "a header that is no JSON": Lie("send(frame(b'\\xff\\xfe{'))"),
    "a header that is a list": Lie("send(frame([1, 2]))"),
    "a header of brackets": Lie("send(frame(b'[' * 60000))"),
    "a header with an endless number": Lie("send(frame(b'{\"bytes\": ' + b'9' * 60000 + b'}'))"),
    "a payload of a negative size": Lie("send(frame({'bytes': -1}))"),
    "a payload of no size": Lie("send(frame({'bytes': 'many'}))"),
    "a payload of a terabyte": Lie(
        "send(frame({'bytes': 1 << 40}))", TooLarge, "guest.reply_too_large"
    ),
    "half a frame, then silence": Lie(
        "send(b'\\x40\\x00\\x00\\x00{')", GuestTimedOut, "guest.timed_out"
    ),
    "half a frame, then the end": Lie(
        "[os.write(pipe, b'\\x40\\x00\\x00\\x00{') for pipe in pipes()]; os._exit(0)",
        code="guest.ended",
    ),
    "an answer without an array": Lie("send(frame({}))", code="guest.reply_length"),
    "an answer of other measures": Lie(
        "data = npy(\"'<f8'\", '(7, 7)', bytes(392))\n"
        "send(frame({'bytes': len(data), 'seconds': 'x', 'peak_memory': -1}, data))",
        code="guest.reply_length",
    ),
    "an error that is no mapping": Lie("send(frame({'error': 5}))", code="guest.raised"),
    "an error of another's name": Lie(
        "send(frame({'error': {'type': 'X', 'message': 'y', 'code': 'sandbox.unavailable'}}))",
        code="guest.raised",
    ),
    "an error whose code is none": Lie(
        "send(frame({'error': {'type': [], 'message': {}, 'code': []}}))", code="guest.raised"
    ),
    "an error without end": Lie(
        "send(frame({'error': {'type': 'X' * 20000, 'message': 'y' * 20000}}))", code="guest.raised"
    ),
}
TAMPERING = {
    "the stand-in's methods": Lie(
        "BaseModel.predict = None; BaseModel.__init__ = None; sys.modules['learnware'] = None\n"
        "raise ValueError('done')",
        code="guest.raised",
    ),
    "the script's own functions": Lie(
        "main = sys.modules['__main__']\nmain.write_frame = lambda *a: os._exit(7)",
        code="guest.ended",
    ),
    "how errors are explained": Lie(
        "sys.modules['__main__'].explain = lambda error: {'type': Bomb}\nraise ValueError",
        code="guest.ended",
    ),
    "how arrays are written": Lie(
        "np.lib.format.header_data_from_array_1_0 = lambda a: {'descr': '|O', 'shape': (1,), "
        "'fortran_order': False}\nreturn X[:, 0]",
    ),
    "how JSON is written": Lie(
        "json.dumps = lambda x: pickle.dumps(Bomb()).decode('latin-1')\nreturn X[:, 0]"
    ),
    "the words of the language": Lie(
        "import builtins\nbuiltins.len = lambda x: 0; builtins.isinstance = lambda *a: True\n"
        "raise ValueError('done')",
        GuestFailed,
        "guest.ended",
    ),
    "standard output": Lie(
        "sys.stdout = sys.stderr = None\nreturn X[:0]", code="guest.reply_length"
    ),
    "standard output, with a trap": Lie(
        """
        class Trap:
            def __getattr__(self, name): os._exit(9)
        sys.stdout = Trap()
        return X[:, 0]
        """,
        code="guest.ended",
    ),
    "every open file": Lie("os.closerange(0, 64)\nreturn X[:, 0]", code="guest.ended"),
    "the pipe, by another": Lie(
        """
        reading, writing = os.pipe()
        for pipe in pipes():
            if pipe != writing: os.dup2(writing, pipe)
        return X[:, 0]
        """,
        (GuestCrashed, GuestTimedOut),
        ANY_CODE,
    ),
    "the tracer": Lie(
        "sys.setprofile(lambda *a: os._exit(8))\nreturn X[:, 0]",
        code="guest.ended",
    ),
    "the importer": Lie(
        "sys.meta_path.insert(0, SimpleNamespace(find_spec=lambda *a: os._exit(6)))\nimport wave",
        code="guest.ended",
    ),
}
RAISING = {
    "leaves": Lie("sys.exit(0)", code="guest.raised"),
    "ends without a word": Lie("os._exit(0)", code="guest.ended"),
    "reads what is not there": Lie("ctypes.string_at(0)", code="guest.ended"),
    "aborts": Lie("os.abort()", code="guest.ended"),
    "kills itself": Lie("os.kill(os.getpid(), 9)", code="guest.ended"),
    "interrupts": Lie("raise KeyboardInterrupt", code="guest.raised"),
    "raises what cannot be shown": Lie(
        "class E(Exception):\n    def __str__(self): raise E\n    __repr__ = __str__\nraise E",
        code="guest.ended",
    ),
    "raises what says it is another's": Lie(
        "error = sys.modules['__main__'].Misfit('dock.damaged', 'boo')\nraise error",
        code="guest.raised",
    ),
    "raises a whole book": Lie("raise ValueError('x' * (8 << 20))", code="guest.raised"),
    "says that memory ran out": Lie(
        "raise MemoryError('so I say')", GuestOutOfMemory, "guest.out_of_memory"
    ),
}
VALUES = {
    "objects": Lie("return np.array([Bomb()] * len(X), dtype=object)", code="guest.reply_type"),
    "itself": Lie("return self", code="guest.reply_type"),
    "nothing": Lie("return None", code="guest.reply_type"),
    "too few": Lie("return X[:0, 0]", code="guest.reply_length"),
    "too many": Lie("return np.zeros(1000)", code="guest.reply_length"),
    "complex numbers": Lie("return X[:, 0] * 1j", code="guest.reply_type"),
    "bytes": Lie("return np.array([b'x'] * len(X))", code="guest.reply_type"),
    "what claims to be an array": Lie(
        """
        class A:
            def __array__(self, *a, **k): return np.array([Bomb()], dtype=object)
        return A()
        """,
        code="guest.reply_type",
    ),
}
SHAPES = {
    "endless": "self.input_shape = iter(int, 1)",
    "huge": "self.input_shape = [1] * 1_000_000",
    "a trap": "type(self).input_shape = property(lambda self: os._exit(3))",
}
LIES = {
    f"{verb} {name}": lie
    for verb, lies in (
        ("sends", FRAMES),
        ("tampers with", TAMPERING),
        ("or it", RAISING),
        ("answers with", VALUES),
    )
    for name, lie in lies.items()
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.usefixtures("serving")
def test_a_lie_is_only_the_liars(name, profile, ground, loaded, monkeypatch):
    lie = LIES[name]
    with ground.loose(loaded(lie.body, FORGER), profile) as model:
        monkeypatch.setenv("BEIMINGWU_GUEST_CALL_SECONDS", "1")
        with pytest.raises(lie.ends) as caught:
            model.predict(ONE)
        assert lie.code in {caught.value.code, ANY_CODE}
        assert len(str(caught.value)) < 200_000
    assert not list(ground.folder.parent.rglob("pwned"))
    assert ground.changes() == {}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.usefixtures("serving")
def test_a_shape_that_is_none_is_refused(name, profile, ground, loaded, monkeypatch):
    source = loaded("return X").replace("global T\n", f"{SHAPES[name]}\n        global T\n")
    assert SHAPES[name] in source
    monkeypatch.setenv("BEIMINGWU_GUEST_START_SECONDS", "1")
    with pytest.raises(GuestFailed):
        ground.loose(source, profile)
    assert ground.changes() == {}


@pytest.mark.usefixtures("serving")
def test_an_early_answer_deceives_only_about_itself(profile, ground, loaded):
    """It answers twice: the second answer is taken for the next one's, which is its own too."""
    body = """
        data = npy("'<f8'", "(1,)", bytes(8))
        for pipe in pipes(): os.write(pipe, frame({"bytes": len(data)}, data))
        return X[:, 0] + len(X)
    """
    with ground.loose(loaded(body, FORGER), profile) as model:
        assert model.predict(ONE).tolist() == [0]
    assert ground.changes() == {}


NOT_FIT = {
    "NaN": "return np.full(len(X), np.nan)",
    "infinity": "return np.full(len(X), np.inf)",
    "another shape": "return np.zeros((len(X), 3))",
    "a label out of range": "return np.full(len(X), 99)",
    "nothing for one record": "return X[:, 0] if len(X) > 1 else 1 / 0",
}


@pytest.mark.parametrize("name", NOT_FIT)
@pytest.mark.usefixtures("serving")
def test_the_check_refuses_values_that_are_no_answers(name, profile, ground, loaded):
    specification = RKME(np.eye(2), np.array([0.5, 0.5]), n=20)
    with (
        ground.loose(loaded(NOT_FIT[name]), profile) as model,
        pytest.raises((CheckFailed, GuestCrashed)),
    ):
        check_usability(model, SEMANTIC, specification)
    assert ground.changes() == {}
