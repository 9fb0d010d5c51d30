"""The Python modules that packing writes into an archive, as text.

They are short, they are what a person will read who opens the archive, and they know the model's
own library and `learnware.model` only: neither we nor the dock need be installed to run them.
"""

from __future__ import annotations

MODULE = '''"""{what}, as a learnware. Written by Beimingwu."""

{imports}


class Model(BaseModel):
    def __init__(self):
        super().__init__(input_shape={input_shape}, output_shape={output_shape})
{load}

    def predict(self, X):
{predict}
'''
#: scikit-learn and others refuse no records; the answer keeps the rank and type of their others.
_NONE = """\
if len(X) == 0:
    return self.predict(np.zeros((1, *self.input_shape), dtype=np.float32))[:0]
"""
_INDENT = " " * 8


def module_text(
    *,
    what: str,
    imports: tuple[str, ...],
    load: str,
    predict: str,
    input_shape: tuple[int, ...] | None,
    output_shape: tuple[int, ...] | None,
) -> str:
    """Return the source of a learnware's module.

    Parameters
    ----------
    what
        The model in a few words.
    imports
        Modules to import, beside the ones that every module needs.
    load, predict
        The bodies of the constructor's end and of `predict`, not indented. The model's file is in
        `folder`.

    Examples
    --------
    >>> text = module_text(what="A line", imports=("math",), load="self.slope = 2.0",
    ...                    predict="return X * self.slope", input_shape=(1,), output_shape=(1,))
    >>> "return X * self.slope" in text
    True
    """
    named = [name if name.startswith("from ") else f"import {name}" for name in imports]
    standard = [line for line in named if line == "import pickle"]
    others = sorted({*named, "import numpy as np"} - set(standard))
    if "folder" in load:
        standard.append("from pathlib import Path")
        load = "folder = Path(__file__).parent\n" + load
    blocks = ["\n".join(standard), "\n".join([*others, "from learnware.model import BaseModel"])]
    return MODULE.format(
        what=what.replace('"', "'").replace("\\", "/"),
        imports="\n\n".join(block for block in blocks if block),
        load=_indented(load),
        predict=_indented(predict if input_shape is None else _NONE + predict),
        input_shape=input_shape,
        output_shape=output_shape,
    )


def _indented(text: str) -> str:
    return "\n".join(_INDENT + line for line in text.splitlines())
