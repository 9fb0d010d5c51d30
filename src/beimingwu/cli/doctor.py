"""`beimingwu doctor`: whether this machine can keep a learnware's code behind walls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beimingwu.cli.options import command, output_options
from beimingwu.cli.output import Output, Table

if TYPE_CHECKING:
    from beimingwu.runtime.doctor import Diagnosis


@command("doctor", "doctor --format json")
@output_options
def doctor(output: Output) -> None:
    """Try the walls around a learnware's code on this machine, one by one.

    For each sandbox profile a probe is run inside it that tries to get out: to files, the network,
    other processes, forbidden system calls, and past every limit. The exit status is 0 when the
    profile that is set (BEIMINGWU_SANDBOX; bubblewrap otherwise) stands, and 15 when it does not.
    """
    from beimingwu.errors import SandboxUnavailable
    from beimingwu.runtime.doctor import examine
    from beimingwu.runtime.profiles import Profile

    chosen = Profile.from_settings()
    found = []
    for profile in Profile:
        with output.working(f"Trying {profile}"):
            found.append(examine(profile))
    output.show(
        [_as_json(diagnosis, chosen) for diagnosis in found],
        ids=[diagnosis.profile for diagnosis in found if diagnosis.sound],
        sections=[_table(found, chosen)],
    )
    for diagnosis in found:
        if diagnosis.problem:
            output.say(f"{diagnosis.profile}: {diagnosis.problem}\n  {diagnosis.remedy}")
    (own,) = (diagnosis for diagnosis in found if diagnosis.profile == chosen)
    output.say(_how_packages_are_installed(chosen, own.sound))
    if chosen is not Profile.NONE and not own.sound:
        breaches = "; ".join(wall.breach for wall in own.walls if not wall.stands)
        raise SandboxUnavailable(
            own.problem or f"The sandbox profile {str(chosen)!r} does not hold: {breaches}.",
            remedy=own.remedy or "Run no learnware of others here; report this as a fault.",
        )


def _how_packages_are_installed(chosen: str, sound: bool) -> str:
    from beimingwu.runtime.installing import index_hosts
    from beimingwu.runtime.profiles import Profile

    if chosen == Profile.BUBBLEWRAP and not sound:
        return (
            "No packages are installed: the gate that they are installed behind needs bubblewrap."
        )
    if chosen == Profile.BUBBLEWRAP:
        hosts = ", ".join(sorted(index_hosts())) or "no host"
        return f"Packages are installed behind a gate that lets through to: {hosts}."
    return (
        "Packages are installed without a gate, which needs bubblewrap; none of their code runs "
        "meanwhile."
    )


def _as_json(diagnosis: Diagnosis, chosen: str) -> dict[str, object]:
    return {
        "profile": diagnosis.profile,
        "chosen": diagnosis.profile == chosen,
        "sound": diagnosis.sound,
        "walls": {wall.name: wall.breach or "stands" for wall in diagnosis.walls},
        "problem": diagnosis.problem,
        "remedy": diagnosis.remedy,
    }


def _table(found: list[Diagnosis], chosen: str) -> Table:
    names = dict.fromkeys(wall.name for diagnosis in found for wall in diagnosis.walls)
    rows = []
    for name in names:
        row = [name]
        for diagnosis in found:
            breach = {wall.name: wall.breach for wall in diagnosis.walls}.get(name, "-")
            row.append(breach or "stands")
        rows.append(row)
    columns = [
        f"{diagnosis.profile} (set)" if diagnosis.profile == chosen else diagnosis.profile
        for diagnosis in found
    ]
    return Table(["wall", *columns], rows, prose=columns)
