"""ASGI middleware: Host and Origin, so that no other site's page can speak to this server for its user."""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from trenova_access._answers import refusal
from trenova_access._errors import ForeignRequestError
from trenova_access._hosts import names_host
from trenova_access._options import AccessOptions
from trenova_access._record import report

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses requests whose Host is not ours, and calls that change something from pages that are not.

    The Host check ends DNS rebinding: a page of another name that was pointed at this address still sends
    its own name.
    """

    def __init__(self, app: ASGIApp, options: AccessOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._look_at(scope)
        except ForeignRequestError as error:
            report(scope, error)
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _look_at(self, scope: Scope) -> None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not names_host(hosts[0], self._options.hosts):
            raise ForeignRequestError(
                "The request's Host is none of this server's names; its operator lists them as `hosts`.", reason="host"
            )
        if scope.get("method") not in _SAFE:
            require_own_origin(HTTPConnection(scope), self._options, needed=False)


def require_own_origin(connection: HTTPConnection, options: AccessOptions, *, needed: bool) -> None:
    """Refuse a page of another origin.

    Args:
        connection: The request.
        options: Which origins may call, beside the server's own.
        needed: Refuse also when there is no Origin, as for a cookie: browsers always send one with a call
            that changes something, so what has a cookie and no Origin is not a page that we know.

    Raises:
        ForeignRequestError: The Origin is not one of ours, or is missing.
    """
    origins = connection.headers.getlist("origin")
    if not origins and not needed:
        return
    if not origins:
        raise ForeignRequestError(
            "The request has a session's cookie and no Origin header, which browsers send with every call that changes "
            "something. Send `Origin: ` with this server's address, or use a bearer token in place of the cookie.",
            reason="origin_missing",
        )
    host = connection.headers.get("host", "").lower()
    # Behind a proxy that ends TLS the page's scheme is https and ours is not.
    plain = connection.scope.get("scheme") in ("http", "ws")
    own = {f"{scheme}://{host}" for scheme in (("http", "https") if plain else ("https",))}
    if len(origins) != 1 or origins[0].lower() not in own | set(options.origins):
        raise ForeignRequestError(
            "The request comes from a page of an origin that this server does not answer to; its operator lists "
            "them as `origins`.",
            reason="origin",
        )
