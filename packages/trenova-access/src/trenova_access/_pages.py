"""The routes of the sign-in: a page that turns a link into a session or sends on to the provider, and the end of both.

The link carries its token behind ``#``, which browsers keep to themselves: it reaches no access log and no
Referer. The page's script posts it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trenova_access._access import Access
from trenova_access._audit import AuditEvent
from trenova_access._errors import AccessConfigurationError, NotSignedInError
from trenova_access._guard import require_own_origin
from trenova_access._next import NEXT, SIGN_IN_PATH, address_of, own_path, root_of
from trenova_access._page import HEADERS, STYLE, base_of, button, page
from trenova_access._sign_in import SignIn

_MAX_FIELDS: Final = 8
_FORM: Final = """<form method="post" action="{base}">{kept}
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" required>
<button>Sign in</button></form><script src="{base}/page.js"></script>
"""
_SCRIPT: Final = """const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = token;
  document.forms[0].submit();
}
"""
_BY_LINK: Final = "The server printed a link when it started; open it, or paste what stands behind #."
_BY_OIDC: Final = "Sign in with your organization"


def sign_in_routes(access: Access, *, home: str = "/sign-in/done", next_steps: Sequence[str] = ()) -> list[Route]:
    """Routes for ``/sign-in`` and what belongs to it, to stand beside a server's own.

    ``/sign-in?next=/path`` leads back to a path of this server; :func:`sign_in_path` makes such addresses.

    Args:
        access: With a sign-in on this machine, by a provider (OIDC), or both.
        home: Path, below the one that the routes are mounted at, to which a browser goes once it is signed in and did
            not want to go elsewhere.
        next_steps: What to do then, for the page at the default ``home``: plain sentences, in which ``{url}``
            stands for this server's address.

    Raises:
        AccessConfigurationError: ``access`` has neither.
    """
    if access.sign_in is None and access.oidc is None:
        raise AccessConfigurationError(
            "These options have no sign_in and no oidc; give SignInOptions or OidcOptions, or leave the routes out."
        )
    pages = _Pages(access, home, next_steps)
    routes = [
        Route(SIGN_IN_PATH, pages.show, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/done", pages.done, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/page.js", pages.script, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/page.css", pages.style, methods=["GET"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
    ]
    if access.sign_in is not None:
        links = _Links(access, access.sign_in, pages, home)
        routes.append(Route(SIGN_IN_PATH, links.exchange, methods=["POST"]))
        routes.append(Route(f"{SIGN_IN_PATH}/links", links.new_link, methods=["POST"]))
    if pages.oidc is not None:
        routes.extend(pages.oidc.routes())
    return routes


def sign_in_link(base: str, token: str) -> str:
    """The address to open for a link's token; ``base`` is the server's, such as ``http://127.0.0.1:8234``."""
    return f"{base.rstrip('/')}{SIGN_IN_PATH}#{quote(token)}"


class _Pages:
    def __init__(self, access: Access, home: str, next_steps: Sequence[str]) -> None:
        self._access, self._home, self._next_steps = access, home, next_steps
        self.oidc = None
        if access.oidc is not None:
            from trenova_access._oidc_pages import OidcPages

            self.oidc = OidcPages(access, access.oidc, home)

    async def show(self, request: Request) -> Response:
        return self.ask(request, "Sign in", own_path(request.query_params.get(NEXT)))

    def ask(self, request: Request, title: str, wanted: str, *, text: str = "", status: int = 200) -> Response:
        base, body = base_of(request), ""
        if self.oidc is not None:
            body += button(f"{base}/oidc?{urlencode({NEXT: wanted})}" if wanted else f"{base}/oidc", _BY_OIDC)
        if self._access.sign_in is not None:
            kept = f'<input type="hidden" name="{NEXT}" value="{escape(wanted)}">' if wanted else ""
            other = f'<p class="or">Or on this machine: {_BY_LINK[0].lower()}{_BY_LINK[1:]}</p>' if self.oidc else ""
            body += other + _FORM.format(base=base, kept=kept)
        default = "This server asks who you are." if self.oidc is not None else _BY_LINK
        return page(request, title, text or default, body=body, status=status)

    async def done(self, request: Request) -> Response:
        url = address_of(request)
        steps = "".join(f"<li>{escape(step.replace('{url}', url))}</li>" for step in self._next_steps)
        body = f"<ol>{steps}</ol>" if steps else ""
        return page(request, "Signed in", "This browser may now use the server.", body=body)

    async def script(self, _: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript", headers=HEADERS)

    async def style(self, _: Request) -> Response:
        return Response(STYLE, media_type="text/css", headers=HEADERS)

    async def sign_out(self, request: Request) -> Response:
        try:
            await self._access.require_anybody(request, "sign_out")
        except NotSignedInError:
            if not _by_a_person(request):
                raise  # for a person it is as they want it
        provider = self._end(request)
        answer = _signed_out(request, provider)
        if self._access.sign_in is not None:
            answer.delete_cookie(self._access.sign_in.options.cookie, path="/", httponly=True, samesite="strict")
        if self.oidc is not None and self._access.oidc is not None:
            self.oidc.forget(request, answer, self._access.oidc.options.cookie)
        return answer

    def _end(self, request: Request) -> str | None:
        """End this browser's sessions here; where it signs out at the provider, if it has to."""
        if self._access.sign_in is not None:
            self._access.sign_in.end(request.cookies.get(self._access.sign_in.options.cookie, ""))
        if self.oidc is None or self._access.oidc is None:
            return None
        cookie = request.cookies.get(self._access.oidc.options.cookie, "")
        return self._access.oidc.end(cookie, f"{self.oidc.base(request)}{SIGN_IN_PATH}")


class _Links:
    def __init__(self, access: Access, sign_in: SignIn, pages: _Pages, home: str) -> None:
        self._access, self._sign_in, self._pages, self._home = access, sign_in, pages, home

    async def exchange(self, request: Request) -> Response:
        # A form of another site's page could sign its visitor in as somebody else.
        require_own_origin(request, self._access.options, needed=False)
        form = _form(await request.body())
        wanted = own_path(form.get(NEXT))
        try:
            value = self._sign_in.exchange(form.get("token", ""))
        except NotSignedInError as error:
            self._access.audit(request, AuditEvent("sign_in", outcome=error.code, reason="link"))
            return self._pages.ask(request, "Not signed in", wanted, text=str(error), status=error.status)
        told = self._sign_in.options
        self._access.audit(request, AuditEvent("sign_in", subject=told.subject, method="session"))
        address = wanted or f"{root_of(request)}{self._home}"
        answer = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        seconds = int(told.session_s)
        answer.set_cookie(
            told.cookie, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict"
        )
        return answer

    async def new_link(self, request: Request) -> Response:
        principal = await self._access.require_anybody(request, "new_link")
        if principal.method != "key":
            raise NotSignedInError("A new link is given to whoever sends the server's own key.", reason="not_the_key")
        link = sign_in_link(address_of(request), self._sign_in.new_link())
        return JSONResponse({"link": link}, headers={"Cache-Control": "no-store"})


def _signed_out(request: Request, provider: str | None) -> Response:
    """Say it to a person as a page, to a part of a page as a header, and to a program as JSON."""
    sign_in = f"{root_of(request)}{SIGN_IN_PATH}"
    if _by_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": provider or sign_in, "Cache-Control": "no-store"})
    if not _by_a_person(request):
        return JSONResponse({"message": "Signed out."}, headers={"Cache-Control": "no-store"})
    text = "Your organization's sign-in is ended next." if provider else "This browser may no longer use the server."
    # The address has an ID token in it, which is of nobody else.
    headers = {"Referrer-Policy": "no-referrer"}
    body = button(provider, "Sign out there too") if provider else button(sign_in, "Sign in")
    return page(request, "Signed out", text, body=body, on_to=provider, headers=headers)


def _by_htmx(request: Request) -> bool:
    return "hx-request" in request.headers


def _by_a_person(request: Request) -> bool:
    return _by_htmx(request) or "text/html" in request.headers.get("accept", "")


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:  # more fields than that, so it is not our form
        return {}
    return {name: values[0] for name, values in fields.items()}
