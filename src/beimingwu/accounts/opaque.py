"""Opaque secrets: random text that names itself, of which only a digest is kept.

They are 256 bits long, so a plain SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets


def new_secret(kind: str) -> str:
    """Return a secret that says what it is, so that scanners of leaked secrets know it.

    Examples
    --------
    >>> new_secret("token").startswith("bmw_token_")
    True
    """
    return f"bmw_{kind}_{secrets.token_urlsafe(32)}"


def is_secret(text: str, kind: str) -> bool:
    """Tell whether a text is, by what it says of itself, a secret of this kind.

    Examples
    --------
    >>> is_secret(new_secret("token"), "session")
    False
    """
    return text.startswith(f"bmw_{kind}_")


def digest_of(secret: str) -> str:
    """Return what is kept of a secret, in 64 hexadecimal digits.

    Examples
    --------
    >>> digest_of("bmw_token_x")[:8]
    'cbb4bb7e'
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(secret: str) -> str:
    """Return the value that a request of a session must repeat beside its cookie.

    It follows from the session's secret, which no script and no other site can read.
    """
    return hashlib.sha256(b"csrf:" + secret.encode("utf-8", "surrogatepass")).hexdigest()
