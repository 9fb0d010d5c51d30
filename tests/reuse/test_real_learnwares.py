"""Reusers over packed learnwares, whose models run in processes of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from beimingwu import Learnware, pack, specify
from beimingwu.reuse import GatedReuser, check_reuser, deploy


def packed(folder: Path, id: str, at: float, task: str) -> tuple[Learnware, object]:
    generator = np.random.default_rng(int(at))
    rows = generator.normal(at, 1.0, (200, 2))
    noise = generator.normal(0.0, 0.1, 200)
    if task == "Regression":
        model = LinearRegression().fit(rows, rows @ [1.0, at] + noise)
    else:
        model = LogisticRegression().fit(rows, rows[:, 0] + noise > at)
    path = pack(
        model, specify(rows), path=folder / f"{id}.zip", name=f"Around {at}", task=task,
        description="Two features around a centre.", scenarios="Nature", license="MIT",
    )  # fmt: skip
    return Learnware.open(path, id=id), model


@pytest.mark.parametrize("task", ["Regression", "Classification"])
def test_packed_learnwares_are_gated_as_their_models_would_answer(tmp_path: Path, task) -> None:
    (low, low_model), (high, high_model) = (
        packed(tmp_path, id, at, task) for id, at in (("00000001", 0.0), ("00000002", 9.0))
    )
    rows = np.random.default_rng(5).normal([[0.0, 0.0], [9.0, 9.0]] * 10, 0.5)
    with deploy([low, high], [0.5, 0.5]) as reuser:
        assert isinstance(reuser, GatedReuser)
        answer = reuser.predict(rows) if task == "Regression" else reuser.predict_proba(rows)
        check_reuser(lambda: GatedReuser([low, high], [0.5, 0.5]))
    ask = "predict" if task == "Regression" else "predict_proba"
    np.testing.assert_allclose(answer[::2], getattr(low_model, ask)(rows[::2]), atol=1e-3)
    np.testing.assert_allclose(answer[1::2], getattr(high_model, ask)(rows[1::2]), atol=1e-3)
