"""The statuses that operations answer with, and the description of an API (OpenAPI 3.1)."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from trenova_access._access import Access
from trenova_access.api._problem import MEDIA_TYPE, ProblemDocument

_SAID: Final = {
    400: "The request cannot be read.",
    401: "Nothing proves who asks.",
    403: "It is known who asks, and they may not; or the request's Host or Origin is none of this server's.",
    404: "There is no such thing, or none that the caller may see.",
    408: "The request was not over in time.",
    409: "It contradicts what is there, or somebody else was first.",
    413: "The body is too large.",
    422: "The request is not valid; nothing was changed.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "Nobody expected this.",
    503: "What the server needs does not answer, or the server is busy.",
    504: "It was sent, and nobody knows whether it took effect; look before trying again.",
}
_EVERYWHERE: Final = (400, 401, 403, 408, 413, 422, 429, 500, 503, 504)
_OPEN_TO_ALL: Final = (400, 403, 408, 413, 503)
_OF_WRITES: Final = (404, 409)

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI is told of the failures of an operation."""


class ApiDescription:
    """What an API says of itself.

    Args:
        title: Of the document.
        description: Of the document.
        distribution: The package whose version the document bears.
        said: What a status means, where it differs from what it means everywhere, or is a further one.
        problem: What problems are made as.
    """

    def __init__(
        self,
        *,
        title: str,
        description: str,
        distribution: str,
        said: Mapping[int, str] | None = None,
        problem: type[ProblemDocument] = ProblemDocument,
    ) -> None:
        self._title, self._description, self._distribution = title, description, distribution
        self._said = {**_SAID, **(said or {})}
        self._problem = problem

    def documented(self, *statuses: int, open_to_all: bool = False) -> Responses:
        """Return the failures of an operation.

        Args:
            statuses: Beside those that every operation has.
            open_to_all: Nobody has to sign in.
        """
        common = _OPEN_TO_ALL if open_to_all else _EVERYWHERE
        return {status: self._failure(status) for status in sorted({*common, *statuses})}

    def changes(self, *statuses: int) -> Responses:
        """Return the same for an operation that changes one thing."""
        return self.documented(*_OF_WRITES, *statuses)

    def describe(self, app: FastAPI, access: Access) -> None:
        """Make ``app.openapi()`` say how callers sign in and what a problem is.

        Args:
            app: The application, with all its routes.
            access: Of the application.
        """
        kinds = {"cookie": access.sign_in, "oidc": access.oidc}
        cookies = {name: kind.options.cookie for name, kind in kinds.items() if kind is not None}

        def openapi() -> dict[str, Any]:
            if app.openapi_schema is None:
                app.openapi_schema = self._document(app, cookies)
            return app.openapi_schema

        app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI says to extend it

    def _failure(self, status: int) -> dict[str, Any]:
        schema = {"$ref": "#/components/schemas/ProblemDocument"}
        found: dict[str, Any] = {
            "description": f"{HTTPStatus(status).phrase}. {self._said[status]}",
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        if status in {429, 503}:
            found["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
        return found

    def _document(self, app: FastAPI, cookies: Mapping[str, str]) -> dict[str, Any]:
        document = get_openapi(
            title=self._title, version=version(self._distribution), description=self._description, routes=app.routes
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        problem = self._problem.model_json_schema(
            by_alias=True, ref_template="#/components/schemas/{model}", mode="serialization"
        )
        for name, schema in problem.pop("$defs", {}).items():
            schemas.setdefault(name, schema)
        # What is at its default is left out of an answer.
        problem["required"] = ["type", "title", "status", "detail", "kind", "code"]
        schemas["ProblemDocument"] = problem
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        ways: dict[str, Any] = {"bearer": {"type": "http", "scheme": "bearer"}}
        ways |= {way: {"type": "apiKey", "in": "cookie", "name": name} for way, name in cookies.items()}
        components["securitySchemes"] = ways
        for path in document["paths"].values():
            for operation in path.values():
                if "401" in operation["responses"]:
                    operation["security"] = [{name: []} for name in ways]
        return document
