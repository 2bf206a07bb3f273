"""Turning templates into answers."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import Namespace
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._looks import look_of
from trenova_schedules.dashboard._static import Addresses
from trenova_schedules.dashboard._words import duration_in_words, plural
from trenova_schedules.server._api import Caller, api_of
from trenova_schedules.server._roles import ADMIN, OPERATOR, VIEWER

TRIGGER: Final = "HX-Trigger"
"""The header that names events for scripts of the page."""

MOST_TOLD: Final = 2
"""Fields of a form of which a summary says what is wrong; of more it has the names, and the fields say it."""


def render(
    request: Request,
    template: str,
    /,
    *,
    caller: Caller | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Return a page or a fragment.

    Templates escape whatever they print, and fail where a name is not given. Beside ``context`` they know ``me`` (who
    asks, None before that is known), ``path()``, ``static()``, ``csrf``, ``options``, ``namespace`` and the roles.

    Args:
        request: Whose answer it is.
        template: Name below ``templates/``.
        caller: Who asks.
        status: HTTP status.
        headers: More headers.
        context: What the template prints.
    """
    api = api_of(request)

    def path(*segments: str) -> str:
        return page_path(request, *segments)

    def static(name: str) -> str:
        return f"{request.scope.get('root_path', '')}{_addresses().of(name)}"

    html = (
        _environment()
        .get_template(template)
        .render(
            me=caller,
            path=path,
            static=static,
            csrf=api.access.csrf_token(request) if caller is not None else "",
            options=api.options.dashboard,
            namespace=api.client.namespace,
            **context,
        )
    )
    return HTMLResponse(html, status_code=status, headers={**HEADERS, **(headers or {})})


def done(said: str) -> Response:
    """Return the answer to a dialog whose work is done: it closes, the page looks again, and this is said."""
    events = {"closeDialog": {}, "schedules:changed": {}, "say": {"value": said}}
    return Response(status_code=204, headers={**HEADERS, TRIGGER: json.dumps(events)})


def gone_to(request: Request, address: str, said: str) -> Response:
    """Return the answer to a form whose work is done, and whose page is another one; this is said there."""
    if request.headers.get("hx-request") != "true":
        return Response(status_code=303, headers={**HEADERS, "Location": address})
    events = {"say": {"value": said, "there": True}}
    return Response(status_code=200, headers={**HEADERS, "HX-Redirect": address, TRIGGER: json.dumps(events)})


def page_path(request: Request, *segments: str) -> str:
    """Return the address of a page of ours, each segment as it is: an id with a slash stays one segment."""
    return f"{request.scope.get('root_path', '')}/{'/'.join(quote(one, safe='') for one in segments)}"


@cache
def _addresses() -> Addresses:
    return Addresses()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("trenova_schedules.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "look_of": look_of,
        "day": timedelta(days=1),
        "second": timedelta(seconds=1),
        "most_told": MOST_TOLD,
        "namespace_of": Namespace,
        "version": version("trenova-schedules"),
        "VIEWER": VIEWER,
        "OPERATOR": OPERATOR,
        "ADMIN": ADMIN,
    }
    environment.filters |= {"iso": _iso, "utc": _utc, "in_words": _in_words, "plural": plural}
    return environment


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _in_words(length: timedelta) -> str:
    return duration_in_words(length)
