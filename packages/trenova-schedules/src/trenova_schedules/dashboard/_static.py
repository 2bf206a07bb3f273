"""What pages load: files of this package, under addresses that change with their content."""

import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PREFIX: Final = "/static"

_FOREVER: Final = "public, max-age=31536000, immutable"
_FOLDER: Final = files("trenova_schedules.dashboard").joinpath("static")


class Static(StaticFiles):
    """Serves the files; one that is asked for by its digest may be kept for ever."""

    def __init__(self) -> None:
        super().__init__(directory=str(_FOLDER), check_dir=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file, or 404."""
        answer = await super().get_response(path, scope)
        kept = _FOREVER if Request(scope).query_params.get("v") else "no-cache"
        answer.headers["Cache-Control"] = kept
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


class Addresses:
    """The address of each file, with the digest of what it holds; read once."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Return the path of a file, such as ``vendor/htmx.min.js``, below where the application is mounted.

        Raises:
            FileNotFoundError: There is none.
        """
        if name not in self._digests:
            content = _FOLDER.joinpath(name).read_bytes()
            self._digests[name] = hashlib.sha256(content).hexdigest()[:12]
        return f"{PREFIX}/{name}?v={self._digests[name]}"
