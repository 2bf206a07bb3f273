"""Who asks for a page, and what a page's form has to bring."""

from typing import Annotated

from fastapi import Depends

from trenova_access import CSRF_FIELD, CSRF_HEADER
from trenova_schedules.server._api import Caller, Reader, Writer


async def _with_token(caller: Writer) -> Caller:
    request = caller.request
    # The field first: a dialog may be newer than its page, whose token ended with the process that made it.
    field = (await request.form()).get(CSRF_FIELD)
    given = field if isinstance(field, str) else request.headers.get(CSRF_HEADER)
    caller.api.access.require_csrf(request, given)
    return caller


PageReader = Reader
"""Whoever looks at a page."""
PageWriter = Annotated[Caller, Depends(_with_token)]
"""Whoever sends a form of a page, with the token that only our pages have."""
