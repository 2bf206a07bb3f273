"""The routes of the sign-in: a page that turns a link into a session, its end, and new links.

The link carries its token behind ``#``, which browsers keep to themselves: it reaches no access log and no
Referer. The page's script posts it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trenova_access._access import Access
from trenova_access._audit import AuditEvent
from trenova_access._errors import AccessConfigurationError, NotSignedInError
from trenova_access._guard import require_own_origin
from trenova_access._sign_in import SignIn

SIGN_IN_PATH: Final = "/sign-in"
_MAX_FIELDS: Final = 8

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in</title><link rel="stylesheet" href="sign-in/page.css"></head>
<body><main><h1>{title}</h1><p>{text}</p>
<form method="post" action="sign-in">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" required>
<button>Sign in</button></form></main><script src="sign-in/page.js"></script></body></html>
"""
_DONE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Signed in</title><link rel="stylesheet" href="page.css"></head>
<body><main><h1>Signed in</h1><p>This browser may now use the server.</p>{steps}</main></body></html>
"""
_SCRIPT: Final = """const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = token;
  document.forms[0].submit();
}
"""
_STYLE: Final = """:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:15vh auto;padding:0 1rem}
input,button{font:inherit;padding:.4rem .6rem;margin:.3rem .3rem .3rem 0}
"""


def sign_in_routes(access: Access, *, home: str = "/sign-in/done", next_steps: Sequence[str] = ()) -> list[Route]:
    """Routes for ``/sign-in`` and what belongs to it, to stand beside a server's own.

    Args:
        access: With a sign-in.
        home: Path of this server to which a browser goes once it is signed in.
        next_steps: What to do then, for the page at the default ``home``: plain sentences, in which ``{url}``
            stands for this server's address.

    Raises:
        AccessConfigurationError: ``access`` has no sign-in.
    """
    if access.sign_in is None:
        raise AccessConfigurationError("These options have no sign_in; give SignInOptions, or leave the routes out.")
    pages = _Pages(access, access.sign_in, home, next_steps)
    return [
        Route(SIGN_IN_PATH, pages.show, methods=["GET"]),
        Route(SIGN_IN_PATH, pages.exchange, methods=["POST"]),
        Route(f"{SIGN_IN_PATH}/done", pages.done, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/page.js", pages.script, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/page.css", pages.style, methods=["GET"]),
        Route(f"{SIGN_IN_PATH}/links", pages.new_link, methods=["POST"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
    ]


def sign_in_link(base: str, token: str) -> str:
    """The address to open for a link's token; ``base`` is the server's, such as ``http://127.0.0.1:8234``."""
    return f"{base.rstrip('/')}{SIGN_IN_PATH}#{quote(token)}"


class _Pages:
    def __init__(self, access: Access, sign_in: SignIn, home: str, next_steps: Sequence[str]) -> None:
        self._access = access
        self._sign_in = sign_in
        self._home = home
        self._next_steps = next_steps

    async def show(self, _: Request) -> Response:
        return _page("Sign in", "The server printed a link when it started; open it, or paste what stands behind #.")

    async def exchange(self, request: Request) -> Response:
        # A form of another site's page could sign its visitor in as somebody else.
        require_own_origin(request, self._access.options, needed=False)
        try:
            value = self._sign_in.exchange(_token(await request.body()))
        except NotSignedInError as error:
            self._access.audit(request, AuditEvent("sign_in", outcome=error.code, reason="link"))
            return _page("Not signed in", str(error), status=error.status)
        self._audit(request, "sign_in")
        answer = RedirectResponse(self._home, status_code=303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            self._sign_in.options.cookie,
            value,
            max_age=int(self._sign_in.options.session_s),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def done(self, request: Request) -> Response:
        url = str(request.base_url).rstrip("/")
        steps = "".join(f"<li>{escape(step.replace('{url}', url))}</li>" for step in self._next_steps)
        return HTMLResponse(_DONE.format(steps=f"<ol>{steps}</ol>" if steps else ""), headers=_HEADERS)

    async def script(self, _: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript", headers=_HEADERS)

    async def style(self, _: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=_HEADERS)

    async def new_link(self, request: Request) -> Response:
        principal = await self._access.require_anybody(request, "new_link")
        if principal.method != "key":
            raise NotSignedInError("A new link is given to whoever sends the server's own key.", reason="not_the_key")
        base = str(request.base_url)
        return JSONResponse(
            {"link": sign_in_link(base, self._sign_in.new_link())}, headers={"Cache-Control": "no-store"}
        )

    async def sign_out(self, request: Request) -> Response:
        await self._access.require_anybody(request, "sign_out")
        cookie = self._sign_in.options.cookie
        self._sign_in.end(request.cookies.get(cookie, ""))
        answer = JSONResponse({"message": "Signed out."})
        answer.delete_cookie(cookie, path="/", httponly=True, samesite="strict")
        return answer

    def _audit(self, request: Request, action: str) -> None:
        self._access.audit(request, AuditEvent(action, subject=self._sign_in.options.subject, method="session"))


def _token(body: bytes) -> str:
    try:
        form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:  # more fields than that, so it is not our form
        return ""
    return "".join(form.get("token", [])[:1])


def _page(title: str, text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), text=escape(text)), status_code=status, headers=_HEADERS)
