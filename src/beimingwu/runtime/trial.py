"""Trying the walls of a sandbox: a small program of ours is run inside them, and what comes of it.

`require` answers whether they can be put up at all, and says how to mend the machine where not.
Used by `host.py` when a guest does not start, by docks that open, and by the doctor.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from beimingwu.errors import SandboxUnavailable
from beimingwu.learnware.scratch import Scratch
from beimingwu.runtime.launch import Launch, current_interpreter
from beimingwu.runtime.profiles import Limits, Profile
from beimingwu.runtime.sandbox import confined

TRIAL_SECONDS = 20.0


@dataclass(frozen=True)
class Trial:
    """What came of a program inside the walls: its status, what it printed, and who it was.

    Parameters
    ----------
    status
        As of `subprocess`.
    output, complaint
        Standard output and standard error.
    """

    status: int
    output: str
    complaint: str


def require(profile: Profile | None = None, limits: Limits | None = None) -> None:
    """Put up the walls around a program that does nothing, and refuse the profile if that fails.

    Parameters
    ----------
    profile, limits
        As the settings say where None.

    Raises
    ------
    SandboxUnavailable
        This machine cannot put them up; the remedy says what to change.

    Examples
    --------
    >>> require(Profile.NONE)
    """
    profile = profile or Profile.from_settings()
    if profile is Profile.NONE:
        return
    trial = run_inside(("-c", "print('inside')"), profile, limits)
    if trial.output.strip() != "inside":
        said = (trial.complaint.strip().splitlines() or [f"status {trial.status}"])[-1]
        raise SandboxUnavailable(
            f"The sandbox profile {str(profile)!r} cannot be put up on this machine: {said}",
            remedy=mend(profile, said),
            code="sandbox.refused",
        )


def run_inside(
    arguments: Sequence[str],
    profile: Profile,
    limits: Limits | None = None,
    *,
    readable: Sequence[Path] = (),
    learnware: Path | None = None,
) -> Trial:
    """Run this interpreter with these arguments inside the walls, and wait for its end.

    Raises
    ------
    SandboxUnavailable
        A part that the walls need is missing.
    """
    bare = current_interpreter()
    command = (bare.command[0], "-I", "-S", "-B", *arguments)
    launch = confined(
        replace(bare, command=command), readable=readable, profile=profile, limits=limits
    )
    with Scratch("trial") as scratch:
        empty = scratch / "learnware"
        empty.mkdir(mode=0o755)
        return _ran(launch, learnware or empty, scratch)


def _ran(launch: Launch, learnware: Path, scratch: Path) -> Trial:
    lifeline, hold = os.pipe()
    try:
        ended = subprocess.run(  # noqa: S603 - the words are ours, no shell
            launch.words(learnware=learnware, scratch=scratch, lifeline=lifeline),
            env=launch.variables(scratch=scratch),
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=[lifeline],
            start_new_session=True,
            timeout=TRIAL_SECONDS,
            check=False,
        )
        return Trial(ended.returncode, ended.stdout, ended.stderr)
    except subprocess.TimeoutExpired:
        return Trial(-9, "", f"it took longer than {TRIAL_SECONDS:g} seconds")
    finally:
        os.close(lifeline)
        os.close(hold)


#: Switches of the kernel that keep ordinary users from namespaces, the value that does, the mend.
SWITCHES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor (Ubuntu 23.10 and newer) keeps bwrap from user namespaces. Allow it: apt-get "
        "install apparmor-profiles && ln -s /usr/share/apparmor/extra-profiles/"
        "bwrap-userns-restrict /etc/apparmor.d/ && apparmor_parser -r "
        "/etc/apparmor.d/bwrap-userns-restrict",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "Allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "Allow user namespaces: sysctl -w user.max_user_namespaces=10000",
    ),
)


def mend(profile: Profile, said: str) -> str:
    """Say what to change on this machine, from what the walls complained of.

    Examples
    --------
    >>> "landlock" in mend(Profile.LANDLOCK, "Landlock 3 is needed")
    True
    """
    if profile is Profile.LANDLOCK:
        return "Use bubblewrap, or Linux 6.2 or newer with lsm=landlock among its boot options."
    for switch, bad, mend in SWITCHES:
        if Path(switch).exists() and Path(switch).read_text().strip() == bad:
            return mend
    if "proc" in said and "mount" in said:
        return (
            "This container hides parts of /proc: start it with --security-opt "
            "systempaths=unconfined, or use BEIMINGWU_SANDBOX=landlock."
        )
    return (
        "In a container, start it with --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined; or use BEIMINGWU_SANDBOX=landlock."
    )
