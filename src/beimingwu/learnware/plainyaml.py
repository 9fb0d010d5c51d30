"""YAML of strangers, read into plain values: no tags that construct, no aliases that explode.

The document is first walked as a stream of events, which costs no recursion and no memory, and
only then built. The one tag allowed beyond plain YAML is `!!python/tuple`, which the public
engine's template writes for shapes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

import yaml

from beimingwu.errors import HostileArchive, InvalidArchive

#: Values in the document, aliases counted each time they stand for something.
MAX_VALUES = 20_000
MAX_DEPTH = 32
_TUPLE_TAG = "tag:yaml.org,2002:python/tuple"


def load_yaml(data: bytes) -> object:
    """Return the one document of `data` as dicts, lists, tuples and scalars.

    Raises
    ------
    InvalidArchive
        Not UTF-8, not YAML, a key given twice, a tag that would construct something.
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
    except (yaml.YAMLError, ValueError) as error:
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
    """SafeLoader that knows tuples and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        given = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in set(given):
            if given.count(key) > 1:
                _refuse(f"learnware.yaml gives {key!r} twice.", "manifest.duplicate_key")
        return super().construct_mapping(node, deep=deep)

    def construct_tuple(self, node: yaml.Node) -> tuple[object, ...]:
        """Build a `!!python/tuple` from a sequence of plain values."""
        if not isinstance(node, yaml.SequenceNode):
            raise yaml.constructor.ConstructorError(None, None, "a tuple must be a list")
        return tuple(self.construct_sequence(node, deep=True))


_PlainLoader.add_constructor(_TUPLE_TAG, _PlainLoader.construct_tuple)


class _PlainDumper(yaml.SafeDumper):
    """SafeDumper that keeps tuples apart from lists, as the engine's models expect them."""

    def ignore_aliases(self, data: object) -> bool:
        return True


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
