"""How the pages of the sign-in look; they need nothing from elsewhere, and run one script at most."""

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from trenova_access._next import SIGN_IN_PATH

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="{base}/page.css">{head}</head>
<body><main><h1>{title}</h1><p>{text}</p>
{body}</main></body></html>
"""
STYLE: Final = """:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:15vh auto;padding:0 1rem}
input,button,.button{font:inherit;padding:.4rem .6rem;margin:.3rem .3rem .3rem 0}
.button{display:inline-block;border:1px solid;border-radius:.25rem;text-decoration:none}
"""


def page(
    request: Request,
    title: str,
    text: str,
    *,
    body: str = "",
    status: int = 200,
    on_to: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page of the sign-in.

    Args:
        request: For which it is made.
        title: What it says first, in plain text.
        text: What it says then, in plain text.
        body: What comes below, as HTML.
        status: Of the answer.
        on_to: An address to which the browser goes on by itself.
        headers: Beside those of every page.
    """
    head = f'<meta http-equiv="refresh" content="0;url={escape(on_to)}">' if on_to else ""
    html = _PAGE.format(title=escape(title), text=escape(text), body=body, head=head, base=base_of(request))
    return HTMLResponse(html, status_code=status, headers={**HEADERS, **(headers or {})})


def base_of(request: Request) -> str:
    """The path of the sign-in as browsers see it, for links."""
    return escape(f"{request.scope.get('root_path', '')}{SIGN_IN_PATH}")


def button(address: str, text: str) -> str:
    """A link that looks like what it does."""
    return f'<p><a class="button" href="{escape(address)}">{escape(text)}</a></p>'
