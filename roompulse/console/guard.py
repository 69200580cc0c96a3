"""Who may ask what of the console? Decided from the head of a request, before anything is done.

- Without a token the console listens on loopback, and answers only to names of loopback: a page of
  elsewhere whose name was turned to this machine gets nothing.
- With a token everything but the way in needs it: as a cookie that scripts cannot read and that no
  other site can send, or in an `Authorization` header.
- What changes something has to come from the console's own page, whoever is logged in.

The cookie holds a digest of the token, so that the token itself is in no browser's store.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "roompulse_console"
SHORTEST_TOKEN: Final = 16
_WAYS_IN: Final = frozenset({"/login", "/live"})
_OPEN_PREFIX: Final = "/static/"  # the page itself is no secret
_SAFE: Final = frozenset({"GET", "HEAD"})
_DERIVATION: Final = b"roompulse console cookie 1"

# One origin for everything, nothing inline, no frames: what is shown comes from a log.
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The head of a request, as far as it decides.

    Attributes:
        host: the `Host` header, with its port.
        origin: the `Origin` header; None where there is none.
        cookie: what came in the console's cookie.
        bearer: what came in an `Authorization: Bearer` header.
    """

    method: str
    path: str
    host: str
    origin: str | None = None
    cookie: str | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered; the text is one line."""

    status: HTTPStatus
    text: str


class Guard:
    """Decides about requests.

    Args:
        token: what a person has to know; None where the console listens on loopback only.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self.cookie = None if token is None else _digest(token)

    def refusal(self, asked: Asked) -> Refusal | None:
        """Why a request is refused; None where it may pass."""
        if self._token is None and not is_loopback(_name_of(asked.host)):
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, "ask for localhost or 127.0.0.1")
        has_header = self._token is not None and _same(asked.bearer, self._token)
        if self._token is not None and not has_header and not self._may_pass_by(asked):
            return Refusal(HTTPStatus.UNAUTHORIZED, "log in first")
        # other sites cannot set the header, and programs that do have no origin
        if asked.method not in _SAFE and not has_header and not _is_own(asked):
            return Refusal(HTTPStatus.FORBIDDEN, "only the console's own page may ask for this")
        return None

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return self._token is not None and _same(token, self._token)

    def _may_pass_by(self, asked: Asked) -> bool:
        is_open = asked.path in _WAYS_IN or asked.path.startswith(_OPEN_PREFIX)
        return is_open or _same(asked.cookie, self.cookie or "")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as seen from itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own(asked: Asked) -> bool:
    # behind a proxy the scheme may differ, the name and port never do
    return asked.origin is not None and asked.origin.partition("://")[2] == asked.host


def _name_of(host: str) -> str:
    """The name in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that do not close
        return ""


def _same(given: str | None, wanted: str) -> bool:
    if given is None:
        return False
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())


def _digest(token: str) -> str:
    return hmac.new(token.encode(), _DERIVATION, hashlib.sha256).hexdigest()
