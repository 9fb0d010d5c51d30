"""Every error Beimingwu raises, in one tree; each names what is wrong and how to mend it.

BeimingwuError
├── InvalidInput            the caller's data, before it became anything of ours (ValueError)
├── InvalidSpecification    a statistical or semantic specification breaks its rules (ValueError)
│   └── WouldDiscloseRecords publishing it would publish records of the training data
├── InvalidArchive          a learnware archive that cannot be accepted (ValueError)
│   └── HostileArchive      … because it tries to escape, exhaust or deceive its reader
├── InvalidRequirement      what a search asks for cannot be asked (ValueError)
├── CheckFailed             a submitted learnware did not pass verification
├── NotFound                no learnware, revision or file of that name (LookupError)
├── Conflict                the state of the thing forbids the call
├── TooLarge                over a limit that config.py names (ValueError)
├── Unauthenticated         who asks did not show who they are, or did so wrongly
├── Forbidden               who asks may not do this (PermissionError)
├── TooManyRequests         asked more often than config.py allows
├── Unavailable             what the dock needs does not answer now; later it may
├── GuestFailed             a learnware's own code, run apart, failed
│   ├── GuestCrashed        its process ended or raised
│   ├── GuestTimedOut       its process took longer than it may
│   └── GuestOutOfMemory    its process asked for more memory than it may
├── EnvironmentFailed       what a learnware asks to be installed cannot be
├── SandboxUnavailable      this machine cannot give the walls that were asked for
├── MissingDependency       an optional package is needed and absent (ImportError)
└── DockDamaged             what is on disk is not what the catalogue says

`code` is stable and machine-readable (`archive.path_escape`); the text may change.
"""

from __future__ import annotations


class BeimingwuError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    problem
        One sentence: what is wrong with the input, naming the offending value.
    remedy
        One sentence: what to do about it.
    code
        Stable machine code; the class's own where omitted.
    """

    code = "error"
    exit_status = 1

    def __init__(self, problem: str, *, remedy: str = "", code: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}" if self.remedy else self.problem

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.problem, self.remedy, self.code), self.__dict__


def _rebuild(kind: type[BeimingwuError], problem: str, remedy: str, code: str) -> BeimingwuError:
    return kind(problem, remedy=remedy, code=code)


class InvalidInput(BeimingwuError, ValueError):
    """The caller's own data cannot be used as given."""

    code = "input"
    exit_status = 3


class InvalidSpecification(BeimingwuError, ValueError):
    """A statistical or semantic specification breaks its rules."""

    code = "specification"
    exit_status = 4


class WouldDiscloseRecords(InvalidSpecification):
    """Publishing this specification would publish records of the data it was made from."""

    code = "specification.discloses_records"


class InvalidArchive(BeimingwuError, ValueError):
    """A learnware archive that cannot be accepted."""

    code = "archive"
    exit_status = 5


class HostileArchive(InvalidArchive):
    """An archive that tries to escape, exhaust or deceive its reader."""

    code = "archive.hostile"


class InvalidRequirement(BeimingwuError, ValueError):
    """What a search asks for cannot be asked."""

    code = "requirement"
    exit_status = 6


class CheckFailed(BeimingwuError):
    """A submitted learnware did not pass verification."""

    code = "check"
    exit_status = 7


class NotFound(BeimingwuError, LookupError):
    """No learnware, revision or file of that name."""

    code = "not_found"
    exit_status = 8


class Conflict(BeimingwuError):
    """The state of the thing forbids the call."""

    code = "conflict"
    exit_status = 9


class TooLarge(BeimingwuError, ValueError):
    """Over a limit that `beimingwu.config` names."""

    code = "too_large"
    exit_status = 10


class Unauthenticated(BeimingwuError):
    """Who asks did not show who they are, or what they showed is not valid."""

    code = "unauthenticated"
    exit_status = 16


class Forbidden(BeimingwuError, PermissionError):
    """Who asks may not do this."""

    code = "forbidden"
    exit_status = 17


class TooManyRequests(BeimingwuError):
    """Asked more often than `beimingwu.config` allows; `retry_after` seconds make it good.

    Examples
    --------
    >>> TooManyRequests("Asked too often.", retry_after=30.0).retry_after
    30.0
    """

    code = "too_many_requests"
    exit_status = 18

    def __init__(
        self, problem: str, *, remedy: str = "", code: str | None = None, retry_after: float = 0.0
    ) -> None:
        super().__init__(problem, remedy=remedy, code=code)
        self.retry_after = retry_after


class Unavailable(BeimingwuError):
    """What the dock needs, such as its database, does not answer now; later it may."""

    code = "unavailable"
    exit_status = 19


class GuestFailed(BeimingwuError):
    """A learnware's own code, run apart from ours, failed."""

    code = "guest"
    exit_status = 11


class GuestCrashed(GuestFailed):
    """The learnware's process ended or its code raised."""

    code = "guest.crashed"


class GuestTimedOut(GuestFailed):
    """The learnware's process took longer than it may."""

    code = "guest.timed_out"


class GuestOutOfMemory(GuestFailed):
    """The learnware's process asked for more memory than it may."""

    code = "guest.out_of_memory"


class EnvironmentFailed(BeimingwuError):
    """What a learnware asks to be installed cannot be."""

    code = "environment"
    exit_status = 14


class SandboxUnavailable(BeimingwuError):
    """The walls that were asked for cannot be had on this machine."""

    code = "sandbox.unavailable"
    exit_status = 15


class MissingDependency(BeimingwuError, ImportError):
    """An optional package is needed for this call and is not installed."""

    code = "missing_dependency"
    exit_status = 12


class DockDamaged(BeimingwuError):
    """What is on disk is not what the catalogue says."""

    code = "dock.damaged"
    exit_status = 13
