"""Tokens by the address of their dock, in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from beimingwu.client.connection import normal_url
from beimingwu.config import settings
from beimingwu.errors import InvalidInput


def token_for(url: str) -> str | None:
    """Return the token for a dock: BEIMINGWU_TOKEN, or the one of `login`; None for neither.

    Raises
    ------
    InvalidInput
        The file is damaged, or others can read it.
    """
    return settings().token or _read().get(normal_url(url))


def keep_token(url: str, token: str) -> Path:
    """Keep the token of a dock, and return the file it is in."""
    return _write({**_read(), normal_url(url): token})


def forget_token(url: str) -> bool:
    """Forget the token of a dock, and tell whether there was one."""
    kept = dict(_read())
    if kept.pop(normal_url(url), None) is None:
        return False
    _write(kept)
    return True


def _place() -> Path:
    return Path(settings().credentials).expanduser()


def _read() -> Mapping[str, str]:
    path = _place()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput(
            f"Others than you can read the tokens in {str(path)!r}.",
            remedy=f"Do `chmod 600 {path}`; make new tokens, if others use this machine.",
            code="input.credentials",
        )
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(one, str) for one in kept.values()):
        raise InvalidInput(
            f"The file of tokens {str(path)!r} cannot be read.",
            remedy="Remove it, and use `beimingwu login` again.",
            code="input.credentials",
        )
    return kept


def _write(kept: Mapping[str, str]) -> Path:
    """Write the file, whole or not at all; at no moment can others read it."""
    path = _place()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=2)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
