"""How the pages of the sign-in look; they need nothing from elsewhere, and run one script at most."""

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from trenova_access._next import SIGN_IN_PATH, root_of

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
STYLE: Final = """:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif;--ink:#1c2430;--quiet:#566072;
--line:#8a94a6;--edge:#d5dae2;--paper:#fff;--ground:#f3f5f8;--accent:#0b5cad;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--quiet:#a6b0c0;--line:#7b8698;--edge:#303948;--paper:#1a202b;
--ground:#12161e;--accent:#8fbcf5;--on-accent:#0c1626}}
*{box-sizing:border-box}
body{margin:0;padding:12vh 1rem 2rem;background:var(--ground);color:var(--ink)}
main{max-width:26rem;margin:0 auto;padding:1.75rem 2rem 1.5rem;background:var(--paper);border:1px solid var(--edge);
border-radius:.75rem;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.2}
.or{margin-top:1.5rem;padding-top:1.25rem;border-top:1px solid var(--edge);color:var(--quiet)}
label{display:block;margin-top:1rem;font-weight:600}
input,button,.button{display:block;width:100%;margin:.4rem 0 .75rem;padding:.55rem .75rem;font:inherit;
border:1px solid var(--line);border-radius:.4rem;background:var(--paper);color:var(--ink)}
button,.button{border-color:var(--accent);background:var(--accent);color:var(--on-accent);font-weight:600;
text-align:center;text-decoration:none;cursor:pointer}
.or~form button{background:var(--paper);color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
ol{padding-left:1.25rem}
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
    return escape(f"{root_of(request)}{SIGN_IN_PATH}")


def button(address: str, text: str) -> str:
    """A link that looks like what it does."""
    return f'<p><a class="button" href="{escape(address)}">{escape(text)}</a></p>'
