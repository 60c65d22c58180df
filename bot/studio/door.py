"""Who may come in: on loopback those who ask for this machine by its own name, elsewhere those with the password; and
what they may ask for."""

import base64
import binascii
import hmac
import re
from urllib.parse import SplitResult, urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from persona.values import is_loopback

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)  # whatever a library would fetch from elsewhere, the browser refuses


# What the page itself asks for. Gradio offers more to whoever asks: to fetch any address of the internet (file=),
# to hand out files, to write what is on the page into a folder.
OPEN = re.compile(
    r"/|/(assets|static|svelte|pwa_icon)/.+|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon)"
    r"|/gradio_api/(queue/(join|data)|upload|upload_progress|heartbeat/[^/]+|cancel|reset|info|app_id|startup-events|theme\.css)/?"
)


class Door:
    """Guards an application. password: "" lets in anyone at this machine."""

    def __init__(self, app: ASGIApp, password: str = "") -> None:
        self._app = app
        self._password = password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refusal(headers) or _nothing_at(scope["path"]):
            await refusal(scope, receive, send)
            return

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
            await send(message)

        await self._app(scope, receive, with_policy)

    def _refusal(self, headers: dict[str, str]) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if _is_another_pages(headers, host):
            return PlainTextResponse("another page asks for this one", 403)
        if self._password:
            offered = _password_in(headers.get("authorization", ""))
            right = hmac.compare_digest(offered.encode(), self._password.encode())
            challenge = {"www-authenticate": 'Basic realm="alterego", charset="UTF-8"'}
            return None if right else PlainTextResponse("the password, please", 401, challenge)
        if not is_loopback(_split(f"//{host}").hostname or ""):  # a name that was made to point here
            return PlainTextResponse("ask for 127.0.0.1 or localhost", 403)
        return None


def _is_another_pages(headers: dict[str, str], host: str) -> bool:
    """Return whether another page makes the browser ask: what it sends tells its origin, a picture it shows tells its
    site (W3C Fetch Metadata). A link is followed by people."""
    if "origin" in headers and _split(headers["origin"]).netloc != host:
        return True
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    return site in ("cross-site", "same-site") and mode != "navigate"


def _nothing_at(path: str) -> PlainTextResponse | None:
    return None if OPEN.fullmatch(path) else PlainTextResponse("there is nothing here", 404)


def _split(address: str) -> SplitResult:
    """Return the parts of an address; none if it isn't valid."""
    try:
        return urlsplit(address)
    except ValueError:  # a bracket that is never closed
        return urlsplit("")


def _password_in(authorization: str) -> str:
    """Return the password of HTTP's Basic scheme (RFC 7617), whatever the name beside it; "" for none."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        return (
            base64.b64decode(credentials, validate=True).decode().partition(":")[2] if scheme.lower() == "basic" else ""
        )
    except (binascii.Error, UnicodeDecodeError):
        return ""
