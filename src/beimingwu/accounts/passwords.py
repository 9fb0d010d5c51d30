"""Passwords: argon2id, the same work whether there is an account or not, a few at a time.

One hash takes 64 MiB, so that only a few are made at once however many people sign in, and only so
many wait for their turn that others of the server's threads are left to answer everything else.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from beimingwu.errors import InvalidInput, Unavailable

#: How a password reaches us: as it was typed, or as the MD5 that pages of the 2024 protocol send.
Form = Literal["plain", "md5"]

SHORTEST, LONGEST = 10, 256
_AT_ONCE, _WAITING = 2, 16
_MD5 = "md5:"


class Passwords:
    """Hashes of passwords, made and verified.

    Parameters
    ----------
    hasher
        How much work a hash takes: 64 MiB and 3 passes, as RFC 9106 advises, where omitted.

    Examples
    --------
    >>> passwords = Passwords()
    >>> stored = passwords.hash("correct horse battery")
    >>> passwords.verify(stored, "correct horse battery"), passwords.verify(stored, "wrong")
    (True, False)
    >>> passwords.verify(None, "correct horse battery")
    False
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._queue = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        # Verified against where there is no account, to take as long as where there is one.
        self._nobody = _hash_of_nothing(self._hasher)

    def hash(self, password: str, form: Form = "plain") -> str:
        """Return what is kept of a password: argon2id with a salt of its own.

        Raises
        ------
        Unavailable
            Too many others wait; so does `verify`.
        """
        with self._turn():
            hashed = self._hasher.hash(_bytes(password))
        return f"{_MD5}{hashed}" if form == "md5" else hashed

    def verify(self, stored: str | None, password: str, form: Form = "plain") -> bool:
        """Tell whether a password is the one that `stored` was made from.

        Of a password that came as an MD5 the typed one is known again. The other way round it is
        not: what was typed is kept with no weaker form of itself beside it.
        """
        kept = stored or self._nobody
        from_md5 = kept.startswith(_MD5)
        given = md5_of(password) if from_md5 and form == "plain" else password
        with self._turn():
            try:
                self._hasher.verify(kept.removeprefix(_MD5), _bytes(given))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and (from_md5 or form == "plain")

    def renewed(self, stored: str, password: str, form: Form = "plain") -> str | None:
        """Return a new hash of a verified password where `stored` was made with less work."""
        if not self._hasher.check_needs_rehash(stored.removeprefix(_MD5)):
            return None
        if stored.startswith(_MD5) and form == "plain":
            return self.hash(md5_of(password), "md5")
        return self.hash(password, form)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise Unavailable(
                "Too many people sign in at this moment.",
                remedy="Try it again in a few seconds.",
                code="unavailable.passwords",
            )
        try:
            with self._room:
                yield
        finally:
            self._queue.release()


def check_password(password: str) -> None:
    """Refuse a password that is too short to be safe, or absurdly long.

    Raises
    ------
    InvalidInput
        It is; the password is not repeated.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(
            f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}.",
            remedy="Choose a longer one; several words are easy to remember.",
            code="input.password",
        )


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a hash that no password has, as much work to verify as any, without making it."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    work = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${work}${salt}${digest}"


def md5_of(password: str) -> str:
    """Return what pages of the 2024 protocol send for a typed password.

    They take the low eight bits of every UTF-16 unit.

    Examples
    --------
    >>> md5_of("admin")
    '21232f297a57a5a743894a0e4a801fc3'
    """
    low = password.encode("utf-16-le", "surrogatepass")[::2]
    return hashlib.md5(low, usedforsecurity=False).hexdigest()


def _bytes(password: str) -> bytes:
    # A lone half of a surrogate pair can be typed into JSON; it is a password like any other.
    return password.encode("utf-8", "surrogatepass")
