"""Where somebody wanted to go before they had to sign in: paths of this server, and never another site."""

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import HTTPConnection

SIGN_IN_PATH: Final = "/sign-in"
NEXT: Final = "next"
"""The query parameter, and the form's field."""

_LONGEST: Final = 1000
"""Characters; a sign-in under way keeps it in a cookie, and browsers drop cookies above 4096 bytes."""

# What browsers take out of addresses (tab, line feed) or for a slash (backslash) would make another site of a path.
_PATH: Final = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")


def own_path(value: str | None) -> str:
    """The path, if it is one of this server with perhaps a query behind it; otherwise nothing."""
    if value is None or len(value) > _LONGEST or not _PATH.fullmatch(value):
        return ""
    return value


def sign_in_path(request: HTTPConnection) -> str:
    """Where a page sends somebody who is not signed in; they come back to where they are.

    That is what a GET asked for, or the page around it where htmx asked for a part of one (``HX-Request`` without
    ``HX-Boosted``). After any other request they arrive where people arrive.
    """
    sign_in = f"{root_of(request)}{SIGN_IN_PATH}"
    wanted = own_path(_wanted(request))
    return f"{sign_in}?{urlencode({NEXT: wanted})}" if wanted else sign_in


def root_of(request: HTTPConnection) -> str:
    """The path that the application is mounted at, without a slash at its end; empty where it is not."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def address_of(request: HTTPConnection, public_url: str | None = None) -> str:
    """The address that the application is mounted at, as browsers have it, without a slash at its end.

    Args:
        request: To it.
        public_url: Scheme and host, in place of those of the request.
    """
    return f"{public_url or f'{request.url.scheme}://{request.url.netloc}'}{root_of(request)}"


def _wanted(request: HTTPConnection) -> str | None:
    if "hx-request" in request.headers and "hx-boosted" not in request.headers:
        try:
            page = urlsplit(request.headers.get("hx-current-url", ""))
        except ValueError:
            return None
        return f"{page.path}?{page.query}" if page.query else page.path
    if request.scope.get("method") not in ("GET", "HEAD"):
        return None
    raw = request.scope.get("raw_path")
    path = raw.decode("ascii", "replace") if raw else quote(request.scope["path"])
    query = request.scope.get("query_string", b"").decode("ascii", "replace")
    return f"{path}?{query}" if query else path
