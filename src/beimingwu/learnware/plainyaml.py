"""YAML of strangers, read into plain values: no tags that construct, no aliases that explode.

The document is first walked as a stream of events, which costs no recursion and no memory, and
only then built. The one tag allowed beyond plain YAML is `!!python/tuple`, which the public
engine's template writes for shapes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from typing import Any, NoReturn

import yaml

from beimingwu.errors import HostileArchive, InvalidArchive

#: Values in the document, aliases counted each time they stand for something.
MAX_VALUES = 20_000
MAX_DEPTH = 32
#: Characters of one number. Python's conversions cost the square of the length; a double needs 24.
MAX_NUMBER_CHARACTERS = 64
_INTEGERS = range(-(2**63), 2**63)
_INT_TAG, _FLOAT_TAG = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# YAML 1.1 without its numbers in base 60, of which a long one takes the constructor minutes.
_INT = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_TUPLE_TAG = "tag:yaml.org,2002:python/tuple"


def load_yaml(data: bytes) -> object:
    """Return the one document of `data` as dicts, lists, tuples and scalars.

    Raises
    ------
    InvalidArchive
        Not UTF-8, not YAML, a key given twice, a tag that would construct something, a number
        that is long or over 64 bits.
    HostileArchive
        Nested or aliased beyond what a manifest needs.

    Examples
    --------
    >>> load_yaml(b"shape: !!python/tuple [13]")
    {'shape': (13,)}
    """
    try:
        text = data.decode("utf-8-sig")
        _walk(text)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - it is a SafeLoader
    except InvalidArchive:
        raise  # Ours, and a ValueError too.
    except UnicodeDecodeError:
        _refuse("learnware.yaml is not UTF-8.", "manifest.encoding")
    except yaml.constructor.ConstructorError as error:
        _refuse(f"learnware.yaml: {error.problem}.", "manifest.tag")
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        # The last two are what PyYAML raises for `!!bool maybe` and `!!timestamp today`.
        _refuse(f"learnware.yaml is not plain YAML: {_one_line(error)}.", "manifest.yaml")


def dump_yaml(document: object) -> bytes:
    r"""Return `document` as YAML in a fixed order, tuples under their tag, without aliases.

    Examples
    --------
    >>> dump_yaml({"a": 1})
    b'a: 1\n'
    """
    text = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)
    return bytes(text.encode())


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that knows tuples, and refuses long numbers and a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        given = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, times in given.items():
            if times > 1:
                _refuse(f"learnware.yaml gives {key!r} twice.", "manifest.duplicate_key")
        return super().construct_mapping(node, deep=deep)

    def construct_tuple(self, node: yaml.Node) -> tuple[object, ...]:
        """Build a `!!python/tuple` from a sequence of plain values."""
        if not isinstance(node, yaml.SequenceNode):
            raise yaml.constructor.ConstructorError(None, None, "a tuple must be a list")
        return tuple(self.construct_sequence(node, deep=True))

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        """Build an integer of 64 bits, from text short enough to convert."""
        number = self.construct_yaml_int(_short(node))
        if number not in _INTEGERS:
            _refuse(f"learnware.yaml holds {number}, over 64 bits.", "manifest.large_number")
        return number

    def construct_real(self, node: yaml.ScalarNode) -> float:
        """Build a float, from text short enough to convert."""
        return self.construct_yaml_float(_short(node))


_PlainLoader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] not in (_INT_TAG, _FLOAT_TAG)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(_INT_TAG, _INT, list("-+0123456789"))
_PlainLoader.add_implicit_resolver(_FLOAT_TAG, _FLOAT, list("-+0123456789."))
_PlainLoader.add_constructor(_INT_TAG, _PlainLoader.construct_integer)
_PlainLoader.add_constructor(_FLOAT_TAG, _PlainLoader.construct_real)
_PlainLoader.add_constructor(_TUPLE_TAG, _PlainLoader.construct_tuple)


def _short(node: yaml.ScalarNode) -> yaml.ScalarNode:
    """Return the node of a number; refuse one that would take long to convert."""
    text = str(node.value)
    if len(text) > MAX_NUMBER_CHARACTERS:
        _refuse(
            f"learnware.yaml holds a number of {len(text):,} characters: {text[:20]}….",
            "manifest.long_number",
        )
    if ":" in text:  # Only a tag leads here.
        _refuse(f"learnware.yaml holds a number in base 60: {text}.", "manifest.tag")
    return node


class _PlainDumper(yaml.SafeDumper):
    """SafeDumper that keeps tuples apart from lists, as the engine's models expect them."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Quote NEL and its like doubly: between single quotes they come back as blanks."""
        style = '"' if set(text) & set("\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _PlainDumper.represent_text)
_PlainDumper.add_representer(
    tuple, lambda dumper, value: dumper.represent_sequence(_TUPLE_TAG, list(value), flow_style=True)
)


def _walk(text: str) -> None:
    """Count what the document would hold with every alias written out; refuse if too much."""
    open_collections: list[tuple[str | None, int, int]] = []  # anchor, values, depth below
    anchored: dict[str, tuple[int, int]] = {}
    values, depth = 0, 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_collections.append((event.anchor, values + 1, depth))
            values, depth = 0, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before, beside = open_collections.pop()
            if anchor is not None:
                anchored[anchor] = (values + 1, depth + 1)
            values, depth = values + before, max(depth + 1, beside)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchored:
                _explode("refers to itself or to nothing")
            values += anchored[event.anchor][0]
            depth = max(depth, anchored[event.anchor][1])
        elif isinstance(event, yaml.ScalarEvent):
            values, depth = values + 1, max(depth, 1)
            if event.anchor is not None:
                anchored[event.anchor] = (1, 1)
        so_far = values + sum(before for _, before, _ in open_collections)
        if so_far > MAX_VALUES or len(open_collections) + depth > MAX_DEPTH:
            _explode("nests or repeats its values too often")


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)


def _explode(what: str) -> NoReturn:
    raise HostileArchive(
        f"learnware.yaml {what}.",
        remedy="Write out the few values that the manifest needs.",
        code="manifest.explodes",
    )


def _refuse(problem: str, code: str) -> NoReturn:
    raise InvalidArchive(problem, remedy="Correct learnware.yaml in the archive.", code=code)
