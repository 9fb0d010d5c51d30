"""Requests to one server: with a token, tried again where that is safe, failures as our errors.

What a server refuses comes back as the error that a dock in a folder would have raised. A request
is repeated where it certainly was not carried out, and where carrying it out twice is the same as
once; for how long to wait, the server's own word counts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2

from beimingwu import __version__, errors
from beimingwu.config import settings
from beimingwu.errors import (
    BeimingwuError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

#: Attempts at one request, the first wait between two in seconds, and the longest one.
TRIES = 5
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 60.0
#: The server refused before it did anything, for now.
_LATER = (429, 503)
_GATEWAYS = (502, 504)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_KIND_OF_STATUS: Mapping[int, type[BeimingwuError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    413: TooLarge,
    428: Conflict,
    429: TooManyRequests,
}


class Connection:
    """The way to one server.

    Parameters
    ----------
    url
        Its address, such as `https://dock.example.org`.
    token
        What signs the caller in; None for a stranger.
    transport
        How requests travel, where not by the network.

    Raises
    ------
    InvalidInput
        It is no address of a server.
    """

    def __init__(
        self, url: str, token: str | None, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self.url = normal_url(url)
        headers = {"User-Agent": f"beimingwu/{__version__}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        seconds = settings().network_seconds
        self._http = httpx2.Client(
            base_url=self.url,
            headers=headers,
            transport=transport,
            timeout=httpx2.Timeout(seconds, connect=min(seconds, 10.0)),
            # A token goes to the server that was named, and nowhere it points to.
            follow_redirects=False,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def get(self, path: str, **request: Any) -> httpx2.Response:
        """Ask for something; repeated as often as needed."""
        return self.send("GET", path, repeatable=True, **request)

    def send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool = False,
        tries: int = TRIES,
        **request: Any,
    ) -> httpx2.Response:
        """Send a request and return its answer.

        Parameters
        ----------
        repeatable
            Whether carrying it out twice is the same as once.
        tries
            Attempts, for who can do without an answer.

        Raises
        ------
        BeimingwuError
            The server refused it: as a dock in a folder would have.
        Unavailable
            `transfer.unreachable`: nobody answers; `transfer.broken`: the answer did not arrive, so
            what was asked may have been done.
        """
        return self._tried(lambda: self._http.request(method, path, **request), repeatable, tries)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """Lend an answer whose content arrives while it is read; it is not tried again here.

        Raises
        ------
        BeimingwuError
            As `send`, also while it is read.
        """
        with self._told(), self._http.stream("GET", path, headers=dict(headers)) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise error_of(answer)
            yield answer

    def _tried(
        self, call: Callable[[], httpx2.Response], repeatable: bool, tries: int
    ) -> httpx2.Response:
        for attempt in range(tries):
            is_last = attempt + 1 == tries
            try:
                with self._told():
                    answer = call()
            except Unavailable as error:
                if is_last or not (repeatable or error.code == "transfer.unreachable"):
                    raise
                time.sleep(_pause(attempt))
                continue
            if answer.status_code < 300 or answer.status_code == 304:
                return answer
            wait = None if is_last else _wait(answer, attempt, repeatable)
            if wait is None:
                raise error_of(answer)
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except _NOT_SENT as error:
            raise Unavailable(
                f"The dock at {self.url} cannot be reached: {error or type(error).__name__}.",
                remedy="Check the address and your network, and that the dock is running.",
                code="transfer.unreachable",
            ) from None
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise Unavailable(
                f"The connection to {self.url} broke: {error or type(error).__name__}.",
                remedy="Look whether it was done all the same, and try it again.",
                code="transfer.broken",
            ) from None


def error_of(answer: httpx2.Response) -> BeimingwuError:
    """Return the error that an answer tells of.

    Examples
    --------
    >>> problem = {"kind": "NotFound", "code": "not_found.id", "detail": "No.", "remedy": "Look."}
    >>> headers = {"Content-Type": "application/problem+json"}
    >>> error = error_of(httpx2.Response(404, json=problem, headers=headers))
    >>> type(error).__name__, error.code, error.remedy
    ('NotFound', 'not_found.id', 'Look.')
    """
    problem = _problem(answer)
    kind = getattr(errors, str(problem.get("kind")), None)
    if not (isinstance(kind, type) and issubclass(kind, BeimingwuError)):
        kind = _KIND_OF_STATUS.get(answer.status_code, InvalidInput)
        kind = Unavailable if answer.status_code >= 500 else kind
    error = kind(
        str(problem.get("detail") or f"The dock answered {answer.status_code}."),
        remedy=str(problem.get("remedy") or "Check the address of the dock, and try it again."),
        code=str(problem.get("code") or f"http.{answer.status_code}"),
    )
    if isinstance(error, TooManyRequests):
        error.retry_after = _retry_after(answer)
    return error


def normal_url(url: str) -> str:
    """Return the address of a server in its normal form.

    Raises
    ------
    InvalidInput
        It is none.

    Examples
    --------
    >>> normal_url("HTTPS://Dock.Example.org/")
    'https://dock.example.org'
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        port = -1
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
        or port == -1
    ):
        raise InvalidInput(
            f"{url!r} is no address of a dock.",
            remedy="Give it as https://dock.example.org.",
            code="input.url",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    place = host if port in (None, usual) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def is_url(text: str) -> bool:
    """Tell whether a dock is named by an address, and not by a folder.

    Examples
    --------
    >>> is_url("https://dock.example.org"), is_url("./https")
    (True, False)
    """
    return text.lower().startswith(("http://", "https://"))


def _problem(answer: httpx2.Response) -> Mapping[str, Any]:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return {}
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _retry_after(answer: httpx2.Response) -> float:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdigit() else 0.0


def _wait(answer: httpx2.Response, attempt: int, repeatable: bool) -> float | None:
    """Return how long to wait before another attempt; None where there should be none."""
    again = answer.status_code in _LATER or (repeatable and answer.status_code in _GATEWAYS)
    asked = _retry_after(answer)
    if not again or asked > _LONGEST_WAIT:
        return None  # Longer than somebody waits: let them be told.
    return max(asked, _pause(attempt))


def _pause(attempt: int) -> float:
    # Spread, so that all who were refused at once do not come back at once.
    return _FIRST_WAIT * 2.0**attempt * random.uniform(0.75, 1.25)  # noqa: S311
