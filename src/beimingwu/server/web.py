"""The pages for browsers: built from `web/` into `static/`, and served beside the API.

A page is one document whatever its path; what it shows is asked of the API. Every document has a
nonce of its own, so that styles may be added by our script and by nothing else (Content Security
Policy), and loads nothing from anywhere but here.
"""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
#: Paths that are no pages; what is not found there is told as a problem.
API = ("/v1", "/api", "/healthz", "/readyz", "/metrics", "/assets")
_NONCE = b"__CSP_NONCE__"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; worker-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
#: The worker that specifies data sums in WebAssembly, which a policy counts as a kind of `eval`; it
#: asks nobody for anything.
_WORKER = "/assets/worker-"
_POLICY_OF_WORKER = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
#: Names of what is in `assets/` tell its content.
_FOR_EVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_NOT_BUILT = (
    "This dock answers at /v1 (its schema: /v1/openapi.json) and has no pages for browsers:\n"
    "it was installed from a checkout in which they were not built. Run `make web` there.\n"
)


@dataclass(frozen=True)
class _File:
    content: bytes
    kind: str
    compressed: bytes | None
    etag: str


class Web:
    """Middleware: answers for pages and their files, and passes everything else on.

    Parameters
    ----------
    folder
        What was built. It is read once, so that nothing outside of it can ever be asked for.
    report
        Where browsers report what the policy refused; nowhere where it is empty.
    """

    def __init__(self, app: ASGIApp, folder: Path = STATIC, report: str = "") -> None:
        self._app = app
        self._files = _read(folder)
        self._policy = _POLICY + (f"; report-uri {report}" if report else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass a request on."""
        response = self._response(scope) if scope["type"] == "http" else None
        await (response or self._app)(scope, receive, send)

    def _response(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            return None
        if file := self._files.get(path):
            return _answer(file, scope, _FOR_EVER if path.startswith("/assets/") else _ASK_AGAIN)
        if any(path == prefix or path.startswith(prefix + "/") for prefix in API):
            return None
        if "." in path.rsplit("/", 1)[-1]:
            return None
        if index := self._files.get("/index.html"):
            return self._page(index)
        return Response(_NOT_BUILT, media_type="text/plain") if path == "/" else None

    def _page(self, index: _File) -> Response:
        nonce = secrets.token_urlsafe(16)
        headers = {
            "Content-Security-Policy": self._policy.format(nonce=nonce),
            "Cache-Control": "no-store",
        }
        content = index.content.replace(_NONCE, nonce.encode())
        return Response(content, media_type="text/html", headers=headers)


def _read(folder: Path) -> dict[str, _File]:
    """Return every file that was built, by its path in a URL."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz")
    return {f"/{path.relative_to(folder).as_posix()}": _file(path) for path in paths}


def _file(path: Path) -> _File:
    content, compressed = path.read_bytes(), path.with_name(path.name + ".gz")
    return _File(
        content,
        mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        compressed.read_bytes() if compressed.is_file() else None,
        f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )


def _answer(file: _File, scope: Scope, cached: str) -> Response:
    asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
    headers = {"Cache-Control": cached, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if scope["path"].startswith(_WORKER):
        headers["Content-Security-Policy"] = _POLICY_OF_WORKER
    if file.etag in asked.get(b"if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if file.compressed is not None and "gzip" in asked.get(b"accept-encoding", ""):
        content, headers["Content-Encoding"] = file.compressed, "gzip"
    return Response(content, media_type=file.kind, headers=headers)
