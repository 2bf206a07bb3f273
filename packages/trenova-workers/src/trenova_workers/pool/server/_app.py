"""The API's application, for a server of its own or to be mounted in another one."""

from collections.abc import Collection
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import ASGIApp

from trenova_access import Access, sign_in_routes
from trenova_access.api import Answers, Rates, add_problem_handlers
from trenova_access.serving import Exposition, OpenAccess
from trenova_workers.pool._desk import PoolDesk
from trenova_workers.pool.server import _routes, _routes_health
from trenova_workers.pool.server._api import Api, Reader
from trenova_workers.pool.server._documented import DESCRIPTION
from trenova_workers.pool.server._options import PoolServerOptions
from trenova_workers.pool.server._roles import ROLES
from trenova_workers.pool.store import PoolStore

PREFIX: Final = "/api/v1"

_FACTS: Final = ("id", "scope", "until")


def create_app(
    options: PoolServerOptions,
    store: PoolStore,
    *,
    scope: str,
    pools: Collection[str],
    access: Access | None = None,
    exposition: Exposition | None = None,
) -> ASGIApp:
    """Make the ASGI application: the API below ``/api/v1``, and the pages of the sign-in.

    Nothing is connected here, and nothing has to be closed: the store is the caller's.

    Args:
        options: Who may call it, and how often.
        store: Of the pools; its tables are there.
        scope: Of their manager.
        pools: Their names.
        access: In place of one made from ``options.access``; its roles are :data:`ROLES`.
        exposition: What ``/metrics`` answers to whoever is signed in; without it there is no such path.

    Raises:
        AccessConfigurationError: The options give out a role that is none of viewer, operator and admin.
    """
    access = access or Access(options.access, ROLES)
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=f"{PREFIX}/openapi.json", separate_input_output_schemas=True
    )
    app.state.api = Api(desk=PoolDesk(store, scope, pools), store=store, access=access, rates=Rates(options.rates))
    add_problem_handlers(app, facts=_FACTS)
    for module in (_routes_health, _routes):
        app.include_router(module.router, prefix=PREFIX)
    app.add_api_route("/readyz", _routes_health.ready, include_in_schema=False)
    if exposition is not None:
        app.include_router(_metrics(exposition))
    if (access.sign_in is not None or access.oidc is not None) and not isinstance(access, OpenAccess):
        app.router.routes.extend(sign_in_routes(access))
    DESCRIPTION.describe(app, access)
    return Answers(access.protect(app))


def _metrics(exposition: Exposition) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(caller: Reader, request: Request) -> Response:
        await caller.api.access.require_anybody(request, "metrics")
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
