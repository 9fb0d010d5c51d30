"""One call from learnwares to something that predicts: choose a reuser, and say why.

`SearchResult.deploy()` comes here with a mixture's learnwares, weights and the dock's kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beimingwu.errors import InvalidInput
from beimingwu.reuse.averaging import AveragingReuser, Mode
from beimingwu.reuse.density import density_kernel
from beimingwu.reuse.estimator import (
    LearnwareLike,
    Reuser,
    checked_weights,
    declared_task,
)
from beimingwu.reuse.gating import GatedReuser
from beimingwu.reuse.job_selector import JobSelectorReuser
from beimingwu.reuse.outputs import DeclaredTask
from beimingwu.specification import RKME, VOCABULARIES, GaussianKernel

Method = Literal["auto", "single", "averaging", "gated", "job_selector"]

#: Weights under this share are noise of the mixture search (ALGORITHMS §3).
NEGLIGIBLE = 1e-3
#: Squared distance, relative to the self inner products, under which two specifications are alike.
ALIKE = 0.01


def deploy(
    learnwares: Sequence[LearnwareLike],
    weights: ArrayLike | None = None,
    *,
    task: str | None = None,
    kernel: GaussianKernel | None = None,
    method: Method = "auto",
) -> Reuser:
    """Return a reuser over the learnwares, ready to predict; its `reason` says why this one.

    Parameters
    ----------
    learnwares
        At least one; of several, all of one feature space and one task.
    weights
        One per learnware, those of a mixture for instance; equal ones by default. Learnwares with
        less than a thousandth of the weight are left out.
    task
        A task of the semantic specification ("Classification", …), or what a reuser's `task` may
        be; by default what the learnwares' semantic specifications say.
    kernel
        The dock's kernel. Densities are taken in its unit, by a Gaussian as narrow as the points
        of the specifications are dense.
    method
        "single": the learnware of largest weight alone. "averaging", "gated", "job_selector": that
        reuser. "auto": gating, unless there is one learnware, or their specifications are alike.

    Raises
    ------
    InvalidInput
        `method` or `task` is unknown, or the learnwares cannot be combined.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> spec = RKME(np.zeros((1, 1)), np.ones(1), n=10)
    >>> learnware = SimpleNamespace(id="00000001", specification=spec, predict=np.ravel)
    >>> deploy([learnware]).reason
    'Learnware 00000001 alone fits your data as well as any combination.'
    """
    declared = _declared(learnwares, task)
    kept, share = _kept(learnwares, checked_weights(learnwares, weights))
    specs = [learnware.specification for learnware in kept]
    chosen, reason = _choice(kept, specs, kernel, method)
    if chosen == "single":
        best = int(np.argmax(share))
        kept, share = kept[best : best + 1], np.ones(1)
    scale = None if kernel is None else kernel.scale
    reuser: Reuser
    if chosen in ("single", "averaging"):
        reuser = AveragingReuser(kept, _mode(declared), share)
    elif chosen == "gated":
        reuser = GatedReuser(kept, share, density_kernel(specs, scale), declared)
    else:
        reuser = JobSelectorReuser(kept, share, density_kernel(specs, scale), declared)
    reuser.reason = reason
    return reuser.fit()


def _declared(learnwares: Sequence[LearnwareLike], task: str | None) -> DeclaredTask:
    said = declared_task(learnwares, "auto")
    if task is None:
        return said
    # Only two of the semantic tasks tell how to read an answer; others go by the answers.
    semantic = dict.fromkeys(VOCABULARIES["Task"], "auto")
    semantic |= {"Classification": "classification", "Regression": "regression"}
    return declared_task(learnwares, semantic.get(task, task))


def _kept(
    learnwares: Sequence[LearnwareLike], weights: NDArray[np.float64]
) -> tuple[list[LearnwareLike], NDArray[np.float64]]:
    keep = weights >= min(NEGLIGIBLE, float(weights.max()))
    kept = [learnware for learnware, stays in zip(learnwares, keep, strict=True) if stays]
    return kept, weights[keep] / weights[keep].sum()


def _choice(
    kept: Sequence[LearnwareLike],
    specs: Sequence[RKME],
    kernel: GaussianKernel | None,
    method: str,
) -> tuple[str, str]:
    if method not in get_args(Method):
        raise InvalidInput(
            f"`method` must be one of {', '.join(get_args(Method))}. Got {method!r} instead.",
            remedy='Pass "auto" to let the specifications decide.',
            code="reuse.method",
        )
    if len(kept) == 1:
        why = "fits your data as well as any combination" if method == "auto" else "was asked for"
        return "single", f"Learnware {kept[0].id} alone {why}."
    if method != "auto":
        return method, f"By {_NAMES[method]}, as asked."
    if _all_alike(specs, kernel):
        return "averaging", (
            f"{len(kept)} learnwares come from data that look alike, so no row is more one's "
            "than another's; their answers are averaged by weight."
        )
    return "gated", (
        f"{len(kept)} learnwares cover different parts of your data; each row is answered mostly "
        "by those whose data looked like it."
    )


def _all_alike(specs: Sequence[RKME], kernel: GaussianKernel | None) -> bool:
    kernel = kernel or density_kernel(specs)
    first = specs[0]
    return all(
        first.mmd2(spec, kernel)
        <= ALIKE * min(first.inner(first, kernel), spec.inner(spec, kernel))
        for spec in specs[1:]
    )


def _mode(declared: DeclaredTask) -> Mode:
    modes: dict[str, Mode] = {
        "regression": "mean",
        "labels": "vote_by_label",
        "probabilities": "vote_by_prob",
    }
    return modes.get(declared, "auto")


_NAMES = {
    "single": "the one learnware of largest weight",
    "averaging": "the weighted average of the learnwares",
    "gated": "soft gating by the specifications",
    "job_selector": "one learnware per row",
}
