"""The one door to a learnware's code: its own environment, inside walls, at the end of a pipe.

Verification, reuse and the command line all open models here, so all of them are isolated in the
same way. What the settings ask for and this machine cannot give is an error, never a weaker wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from beimingwu.config import settings
from beimingwu.errors import InvalidInput
from beimingwu.learnware.archive import Requirements
from beimingwu.learnware.manifest import Manifest
from beimingwu.runtime.cancellation import Cancellation
from beimingwu.runtime.environment import Environments, environment_launch
from beimingwu.runtime.host import GuestModel, start
from beimingwu.runtime.installer import OnLine, configured
from beimingwu.runtime.installing import behind_gate
from beimingwu.runtime.launch import current_interpreter
from beimingwu.runtime.lock import Lock, this_platform
from beimingwu.runtime.sandbox import confined

#: What `BEIMINGWU_PACKAGES` may be.
PACKAGES = ("own", "current")


def open_model(
    folder: str | Path,
    manifest: Manifest,
    requirements: Requirements,
    *,
    lock: Mapping[str, object] | None = None,
    on_line: OnLine | None = None,
    cancellation: Cancellation | None = None,
) -> GuestModel:
    """Start the model of a learnware in an environment of its own, behind walls.

    Parameters
    ----------
    folder
        The learnware's, as extracted from its archive.
    manifest, requirements
        What the learnware says about itself.
    lock
        The exact packages as `Lock.to_json` tells them, where a dock recorded them; found anew
        where None, or where it is another platform's.
    on_line
        Is told the steps of making the environment.
    cancellation
        Ends, from another thread, the making of the environment and the model's process.

    Returns
    -------
    GuestModel
        Holds its environment until it is closed.

    Raises
    ------
    InvalidArchive
        A line of the requirements is refused.
    EnvironmentFailed
        The packages cannot be had here, or it was called off (`environment.cancelled`).
    SandboxUnavailable
        This machine cannot put up the walls that the settings ask for.
    GuestFailed
        It was called off (`guest.cancelled`).
    GuestCrashed, GuestTimedOut
        The model cannot be imported or made.
    """
    if not own_packages():
        launch = confined(current_interpreter())
        return start(folder, manifest, launch=launch, cancellation=cancellation)
    environments = gated_environments(cancellation)
    known = None if lock is None else Lock.from_json(lock)
    if known is None or known.platform != this_platform():
        known = environments.lock(requirements, on_line=on_line)
    environment = environments.use(known, on_line=on_line)
    try:
        launch = confined(environment_launch(environment), readable=environment.readable)
        return start(folder, manifest, launch=launch, held=environment, cancellation=cancellation)
    except BaseException:
        environment.close()
        raise


def gated_environments(cancellation: Cancellation | None = None) -> Environments:
    """Return the environments of this machine, whose packages are installed behind the gate.

    Parameters
    ----------
    cancellation
        Ends what is under way from another thread.

    Raises
    ------
    SandboxUnavailable
        The settings ask for bubblewrap, and there is none.
    """
    installer = configured(confine=behind_gate())
    if cancellation is not None:
        installer = replace(installer, cancellation=cancellation)
    return Environments(installer=installer)


def own_packages() -> bool:
    """Tell whether a learnware gets the packages it asks for, rather than this interpreter's.

    Raises
    ------
    InvalidInput
        `BEIMINGWU_PACKAGES` is neither.

    Examples
    --------
    >>> own_packages() in (True, False)
    True
    """
    chosen = settings().packages
    if chosen not in PACKAGES:
        raise InvalidInput(
            f"BEIMINGWU_PACKAGES must be one of {', '.join(PACKAGES)}. Got {chosen!r} instead.",
            remedy="Unset it, for an environment of each learnware's own.",
            code="input.setting",
        )
    return chosen == "own"
