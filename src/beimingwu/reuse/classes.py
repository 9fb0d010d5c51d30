"""Which classes several classifiers tell apart, by name: their union, and each one's places in it.

A classifier answers with column numbers or label numbers, which mean the classes of its own
semantic specification. Before the answers of several are combined they are brought here to the
numbers of the union, so that a cat is a cat whichever column a learnware keeps it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.outputs import Answer, Task, labels, probabilities
from beimingwu.specification import Dimensions

_ALONE = (
    'Deploy one of them alone, method="single" (on the command line, --method single), '
    "or combine learnwares that name all their classes."
)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of several learnwares together.

    Parameters
    ----------
    names
        The union of their classes in order of first mention; empty where they are not named.
    places
        For each learnware the place in `names` of each of its classes; None where all of them
        number the classes alike, and nothing has to be moved.
    """

    names: tuple[str, ...] = ()
    places: tuple[NDArray[np.intp], ...] | None = None

    def aligned(self, task: Task, answer: Answer, position: int, learnware: _Named) -> Answer:
        """Return an answer of the learnware at `position` in the numbers of the union.

        Raises
        ------
        InvalidInput
            It answered with another number of classes than it names.
        """
        if self.places is None:
            return answer
        places = self.places[position]
        if task == "probabilities":
            return replace(answer, values=self._widened(answer, places, learnware))
        said = labels(answer.values)
        if said.dtype.kind in "USO":  # Text is a name already.
            return answer
        if not np.isin(said, np.arange(len(places))).all():
            raise _unlike_its_names(learnware, "labels other than", len(places))
        return replace(answer, values=places[said.astype(np.intp)])

    def _widened(
        self, answer: Answer, places: NDArray[np.intp], learnware: _Named
    ) -> NDArray[np.float64]:
        own = probabilities(answer.values)
        if own.shape[1] != len(places):
            raise _unlike_its_names(learnware, f"{own.shape[1]} columns for", len(places))
        wide = np.zeros((len(own), len(self.names)))
        wide[:, places] = own
        return wide


def common_classes(learnwares: Sequence[_Named]) -> Classes:
    """Return the classes of all learnwares together.

    Learnwares that name the same classes in the same order, or none at all and as many, number
    their classes alike. Others are brought together by name, for which each has to name all.

    Raises
    ------
    InvalidInput
        The classes differ, and not all of them are named.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> first, second = (
    ...     SimpleNamespace(id=id, semantic=SimpleNamespace(output=Dimensions.of(names)))
    ...     for id, names in (("00000001", ["cat", "dog"]), ("00000002", ["ant", "cat"]))
    ... )
    >>> classes = common_classes([first, second])
    >>> classes.names, [places.tolist() for places in classes.places]
    (('cat', 'dog', 'ant'), [[0, 1], [2, 0]])
    """
    outputs = [_classes(learnware) for learnware in learnwares]
    if _numbered_alike(outputs):
        return Classes(() if outputs[0] is None else outputs[0].names)
    named = [_names(output) for output in outputs]
    if not all(named):
        raise InvalidInput(
            "The learnwares tell other classes apart, or may do so, and not all of these have a "
            f"name: {_listed(learnwares, outputs)}.",
            remedy=_ALONE,
            code="reuse.classes_differ",
        )
    union = tuple(dict.fromkeys(name for names in named for name in names))
    places = {name: place for place, name in enumerate(union)}
    return Classes(union, tuple(np.array([places[name] for name in names]) for names in named))


def require_same_classes(learnwares: Sequence[_Named]) -> None:
    """Refuse to average, as numbers, classifiers that do not number their classes alike.

    Raises
    ------
    InvalidInput
        Their classes differ.
    """
    outputs = [_classes(learnware) for learnware in learnwares]
    if not _numbered_alike(outputs):
        raise InvalidInput(
            "The learnwares tell other classes apart, so the mean of their answers means "
            f"nothing: {_listed(learnwares, outputs)}.",
            remedy='Let them vote: mode="vote_by_prob" or mode="vote_by_label".',
            code="reuse.classes_differ",
        )


def _classes(learnware: _Named) -> Dimensions | None:
    semantic = getattr(learnware, "semantic", None)
    if getattr(semantic, "task", None) == "Regression":
        return None
    output = getattr(semantic, "output", None)
    return output if isinstance(output, Dimensions) else None


def _numbered_alike(outputs: Sequence[Dimensions | None]) -> bool:
    first = outputs[0]
    if all(output == first for output in outputs):
        return True
    unnamed = all(output is None or not output.description for output in outputs)
    return unnamed and len({output.dimension for output in outputs if output is not None}) < 2


def _names(output: Dimensions | None) -> tuple[str, ...]:
    """Return one name per class, or nothing where a class has none or two share one."""
    names = () if output is None else tuple(name.strip() for name in output.names)
    return names if all(names) and len(set(names)) == len(names) else ()


def _unlike_its_names(learnware: _Named, what: str, count: int) -> InvalidInput:
    return InvalidInput(
        f"Learnware {learnware.id} answered with {what} the {count} classes that it names, so "
        "what it means cannot be told.",
        remedy=_ALONE,
        code="reuse.classes_differ",
    )


def _listed(learnwares: Sequence[_Named], outputs: Sequence[Dimensions | None]) -> str:
    return "; ".join(
        f"{learnware.id} has {_shown(output)}"
        for learnware, output in zip(learnwares, outputs, strict=True)
    )


def _shown(output: Dimensions | None) -> str:
    if output is None:
        return "classes it does not count"
    if not output.description:
        return f"{output.dimension} classes without names"
    named = ", ".join(list(output.description.values())[:6])
    more = ", …" if len(output.description) > 6 else ""
    return f"{output.dimension} classes, of them named: {named}{more}"
