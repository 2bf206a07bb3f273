"""How a refusal is said over HTTP: its status, and JSON with a code and a message."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trenova_access._errors import AccessError, NotSignedInError, TooBusyError
from trenova_access._record import report


def refusal(error: AccessError) -> JSONResponse:
    """The answer to a request that was refused."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, NotSignedInError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooBusyError):
        headers["Retry-After"] = "1"
    return JSONResponse({"code": error.code, "message": str(error)}, status_code=error.status, headers=headers)


async def refuse(request: Request, error: Exception) -> Response:
    """The exception handler to give to Starlette for :class:`AccessError`; what nobody audited yet, it does."""
    if not isinstance(error, AccessError):
        raise error
    report(request.scope, error)
    return refusal(error)
