"""Who asks for a page, and what a page's form has to bring."""

from typing import Annotated

from fastapi import Depends

from trenova_access import CSRF_FIELD, CSRF_HEADER
from trenova_schedules.server._api import Caller, Reader, Writer


async def _with_token(caller: Writer) -> Caller:
    request = caller.request
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    caller.api.access.require_csrf(request, given)
    return caller


PageReader = Reader
"""Whoever looks at a page."""
PageWriter = Annotated[Caller, Depends(_with_token)]
"""Whoever sends a form of a page, with the token that only our pages have."""
