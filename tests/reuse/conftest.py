"""Small learnwares for the reusers' tests: real specifications, and models of one line."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from beimingwu.specification import RKME, Dimensions


class SmallLearnware:
    """A learnware in this process, which remembers the rows it was asked about."""

    def __init__(
        self, id: str, specification: RKME, model: Callable[[Any], Any], task: str | None
    ) -> None:
        self.id = id
        self.specification = specification
        self.semantic = None if task is None else SimpleNamespace(task=task)
        self.model = model
        self.asked: list[np.ndarray] = []
        self.closed = 0

    def predict(self, X: np.ndarray) -> Any:
        self.asked.append(X)
        return self.model(X)

    def close(self) -> None:
        self.closed += 1


class Factory:
    """Makes learnwares around a centre, answering by a function or with a constant."""

    features = 2

    def __call__(
        self,
        answer: Any = 0.0,
        at: float = 0.0,
        *,
        id: str = "00000001",
        task: str | None = None,
        output: Dimensions | None = None,
    ) -> SmallLearnware:
        def constant(X: np.ndarray) -> np.ndarray:
            return np.repeat(np.asarray(answer)[None], len(X), axis=0)

        model = answer if callable(answer) else constant
        made = SmallLearnware(id, self.specification(at), model, task)
        if output is not None:
            made.semantic = SimpleNamespace(task=task or "Classification", output=output)
        return made

    def specification(self, at: float = 0.0, features: tuple[str, ...] = ()) -> RKME:
        generator = np.random.default_rng(7)
        points = generator.normal(at, 1.0, (12, self.features))
        return RKME(points, generator.dirichlet(np.full(12, 5.0)), n=120, features=features)

    def rows(self, n: int = 20, at: float = 0.0, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(at, 1.0, (n, self.features))


@pytest.fixture(scope="session")
def learnware() -> Factory:
    return Factory()
