"""How often something may be done, by whom: the policies of the settings, counted in memory.

Counting forgets when the server starts anew, and each of several servers counts for itself.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from beimingwu.config import Settings
from beimingwu.errors import InvalidInput, TooManyRequests

#: The policies by their names; each is the setting `rate_<name>`.
POLICIES = (
    "address",
    "account",
    "sign_in",
    "sign_in_account",
    "sign_in_address",
    "mail",
    "report",
)


@dataclass(frozen=True)
class Window:
    """How a policy stands for somebody.

    Parameters
    ----------
    limit, seconds
        So many in so long.
    remaining
        How many are left.
    reset
        In how many seconds there is one more.
    """

    policy: str
    limit: int
    seconds: int
    remaining: int
    reset: int


class Rates:
    """The counters of one server.

    Examples
    --------
    >>> rates = Rates(Settings(rate_mail="1/hour"))
    >>> rates.spend("mail", "ada@example.org").remaining
    0
    >>> rates.spend("mail", "ada@example.org")
    Traceback (most recent call last):
    beimingwu.errors.TooManyRequests: This was done too often: at most 1 in 3,600 seconds.
    Wait for 3600 seconds.
    """

    def __init__(self, settings: Settings) -> None:
        self._policies = {name: _parsed(name, settings) for name in POLICIES}
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def spend(self, policy: str, key: str) -> Window:
        """Count one, and return how it stands then.

        Raises
        ------
        TooManyRequests
            There is none left; it is not counted.
        """
        if not self._limiter.hit(self._policies[policy], policy, key):
            raise self._exhausted(policy, key)
        return self.window(policy, key)

    def forgive(self, policy: str, key: str) -> None:
        """Forget what was counted."""
        self._limiter.clear(self._policies[policy], policy, key)

    def window(self, policy: str, key: str) -> Window:
        """Return how a policy stands."""
        item = self._policies[policy]
        at, remaining = self._limiter.get_window_stats(item, policy, key)
        reset = max(1, math.ceil(at - time.time()))
        return Window(policy, item.amount, item.get_expiry(), remaining, reset)

    def _exhausted(self, policy: str, key: str) -> TooManyRequests:
        window = self.window(policy, key)
        return TooManyRequests(
            f"This was done too often: at most {window.limit:,} in {window.seconds:,} seconds.",
            remedy=f"Wait for {window.reset} seconds.",
            code=f"too_many_requests.{policy}",
            retry_after=window.reset,
        )


def _parsed(name: str, settings: Settings) -> RateLimitItem:
    given: str = getattr(settings, f"rate_{name}")
    try:
        return parse(given)
    except ValueError:
        raise InvalidInput(
            f"BEIMINGWU_RATE_{name.upper()} must be a rate. Got {given!r} instead.",
            remedy="Set it to one such as 10/minute or 5/15 minutes.",
            code="input.setting",
        ) from None
