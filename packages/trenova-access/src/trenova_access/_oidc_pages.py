"""The two routes of a sign-in at the provider: off to it, and back from it."""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trenova_access._access import Access
from trenova_access._audit import AuditEvent
from trenova_access._errors import AccessError, NotPermittedError, OidcRefusedError
from trenova_access._next import NEXT, address_of, own_path, root_of
from trenova_access._oidc import OidcSignIn, SignedIn
from trenova_access._oidc_options import OIDC_PATH
from trenova_access._page import base_of, button, page

_NO_STORE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_KEPT_FLOWS: Final = ("flow_missing", "state")
"""Refusals after which a sign-in in another tab of this browser may still succeed."""


class OidcPages:
    """What browsers see of it.

    Args:
        access: Whose audit hook is told.
        oidc: The sign-in.
        home: Path of this server where people arrive who did not want to go anywhere.
    """

    def __init__(self, access: Access, oidc: OidcSignIn, home: str) -> None:
        self._access, self._oidc, self._home = access, oidc, home
        self._flow_cookie = f"{oidc.options.cookie}-flow"

    def routes(self) -> list[Route]:
        """Both routes."""
        return [
            Route(OIDC_PATH, self.begin, methods=["GET"]),
            Route(self._oidc.options.redirect_path, self.finish, methods=["GET"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send a browser to the provider."""
        wanted = own_path(request.query_params.get(NEXT))
        try:
            address, sealed = await self._oidc.begin(self.base(request), wanted, again="again" in request.query_params)
        except AccessError as error:
            return self._refused(request, error)
        answer = RedirectResponse(address, status_code=303, headers=_NO_STORE)
        self._set(request, answer, self._flow_cookie, sealed, self._oidc.options.flow_s)
        return answer

    async def finish(self, request: Request) -> Response:
        """Take the provider's answer, and send the browser to where it wanted to go."""
        try:
            done = await self._oidc.finish(request.query_params, request.cookies.get(self._flow_cookie))
        except AccessError as error:
            answer = self._refused(request, error)
            if error.facts.get("reason") not in _KEPT_FLOWS:
                self.forget(request, answer, self._flow_cookie)
            return answer
        return self._signed_in(request, done)

    def base(self, request: Request) -> str:
        """This server's address as browsers have it, with the path that it is mounted at."""
        return address_of(request, self._oidc.options.public_url)

    def forget(self, request: Request, answer: Response, cookie: str) -> None:
        """Take a cookie away."""
        self._set(request, answer, cookie, "", 0)

    def _signed_in(self, request: Request, done: SignedIn) -> Response:
        # Whatever session the browser had before is not the one that it has now.
        self._oidc.sessions.end(request.cookies.get(self._oidc.options.cookie, ""))
        self._access.audit(request, AuditEvent("sign_in", subject=done.principal.subject, method="oidc"))
        answer = RedirectResponse(done.next or f"{root_of(request)}{self._home}", status_code=303, headers=_NO_STORE)
        self._set(request, answer, self._oidc.options.cookie, done.cookie, int(self._oidc.options.session_s))
        self.forget(request, answer, self._flow_cookie)
        return answer

    def _refused(self, request: Request, error: AccessError) -> Response:
        subject = str(error.facts.get("subject", ""))
        reason = str(error.facts.get("reason", ""))
        method = "oidc" if subject else ""
        self._access.audit(request, AuditEvent("sign_in", "", error.code, subject, method, reason))
        titles = {OidcRefusedError: "Not signed in", NotPermittedError: "No role"}
        title = titles.get(type(error), "Not reachable")
        # Who is known to the provider without a role would only be known again.
        again = {"again": "1"} if subject else {}
        wanted = own_path(request.query_params.get(NEXT))
        query = urlencode({**({NEXT: wanted} if wanted else {}), **again})
        text = "Sign in as somebody else" if subject else "Try again"
        link = button(f"{base_of(request)}/oidc{'?' if query else ''}{query}", text)
        return page(request, title, str(error), body=link, status=error.status)

    def _set(self, request: Request, answer: Response, cookie: str, value: str, seconds: int) -> None:
        # Lax, because the provider's redirect comes from another site; what changes something needs our Origin as well.
        secure = self.base(request).startswith("https:")
        answer.set_cookie(cookie, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")
