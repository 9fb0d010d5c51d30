"""A dock behind a server: the verbs of a dock in a folder, over HTTP."""

from __future__ import annotations

from beimingwu.client.client import Client
from beimingwu.client.submission import RemoteSubmission

__all__ = ["Client", "RemoteSubmission"]
