"""Which installed packages a model needs, and at which version, found by looking and not running.

The modules that a pickle or a source file names are mapped to the distributions that provide them.
Standard library only.
"""

from __future__ import annotations

import ast
import pickletools
import sys
from collections.abc import Iterable
from importlib import metadata

from beimingwu.errors import InvalidInput

#: Provided to every learnware: by the public engine, or by our stand-in.
_ALWAYS_THERE = {"learnware"}


def pinned(modules: Iterable[str]) -> list[str]:
    """Return `name==version` of the distributions that provide these top-level modules.

    Raises
    ------
    InvalidInput
        No installed distribution provides one of them: it is the user's own.

    Examples
    --------
    >>> [line.split("==")[0] for line in pinned({"numpy", "yaml", "os"})]
    ['numpy', 'PyYAML']
    """
    providers = metadata.packages_distributions()
    pins = set()
    for module in set(modules) - set(sys.stdlib_module_names) - _ALWAYS_THERE:
        if module not in providers:
            raise InvalidInput(
                f"The model needs the module {module!r}, which no installed package provides.",
                remedy="Pack a folder that holds the module with the model: pack('folder', …).",
                code="pack.own_module",
            )
        name = sorted(providers[module])[0]
        # A local version (2.13.0+cpu) names a build that package indexes do not serve.
        pins.add(f"{name}=={metadata.version(name).partition('+')[0]}")
    return sorted(pins, key=str.lower)


def modules_of_pickle(data: bytes) -> set[str]:
    """Return the top-level modules whose classes and functions a pickle names.

    Examples
    --------
    >>> import fractions, pickle
    >>> modules_of_pickle(pickle.dumps(fractions.Fraction(1, 2), protocol=4))
    {'fractions'}
    """
    modules, texts, memory = set(), [""], dict[int, str]()
    for operation, argument, _ in pickletools.genops(data):
        if operation.name == "GLOBAL":
            modules.add(str(argument).split(" ")[0])
            texts.append("")
        elif operation.name == "STACK_GLOBAL":
            modules.add(texts[-2])
            texts.append("")
        elif operation.name == "MEMOIZE":
            memory[len(memory)] = texts[-1]
        elif operation.name in ("BINGET", "LONG_BINGET"):
            texts.append(memory.get(argument if isinstance(argument, int) else -1, ""))
        elif isinstance(argument, str):
            texts.append(argument)
        elif operation.name not in ("FRAME", "PROTO"):
            texts.append("")
    return {module.partition(".")[0] for module in modules}


def modules_of_source(text: str, file_name: str) -> set[str]:
    r"""Return the top-level modules that a source file imports, relative imports left out.

    Raises
    ------
    InvalidInput
        Not Python.

    Examples
    --------
    >>> sorted(modules_of_source("import numpy.linalg, os\nfrom . import parts", "a.py"))
    ['numpy', 'os']
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise InvalidInput(
            f"{file_name} is not Python: {error}.",
            remedy="Correct the file; it must run under this version of Python.",
            code="pack.syntax",
        ) from None
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}
