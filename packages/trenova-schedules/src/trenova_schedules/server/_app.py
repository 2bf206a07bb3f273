"""The API's application, for a server of its own or to be mounted in another one."""

from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp
from temporalio.client import Client

from trenova_access import Access, sign_in_routes
from trenova_access.api import Answers, Rates
from trenova_access.serving import Exposition, OpenAccess
from trenova_schedules._managing._service import ScheduleService
from trenova_schedules.dashboard._pages import add_pages
from trenova_schedules.server import (
    _routes_actions,
    _routes_audit,
    _routes_backfills,
    _routes_bulk,
    _routes_events,
    _routes_health,
    _routes_ledger,
    _routes_preview,
    _routes_receipts,
    _routes_schedules,
)
from trenova_schedules.server._api import Api, Reader
from trenova_schedules.server._documented import DESCRIPTION
from trenova_schedules.server._events import ScheduleWatch
from trenova_schedules.server._middleware import KeepSlashes
from trenova_schedules.server._options import ServerOptions
from trenova_schedules.server._problems import add_handlers
from trenova_schedules.server._roles import ROLES
from trenova_schedules.store import ScheduleStore
from trenova_schedules.worker_pools import WorkerPools

PREFIX: Final = "/api/v1"

_ALWAYS: Final = (
    _routes_health,
    _routes_schedules,
    _routes_actions,
    _routes_preview,
    _routes_bulk,
    _routes_backfills,
    _routes_events,
)
_WITH_DATABASE: Final = (_routes_ledger, _routes_audit, _routes_receipts)


def create_app(
    options: ServerOptions,
    client: Client,
    *,
    store: ScheduleStore | None = None,
    access: Access | None = None,
    exposition: Exposition | None = None,
    pools: WorkerPools | None = None,
) -> ASGIApp:
    """Make the ASGI application: the API below ``/api/v1``, the dashboard at ``/``, and the pages of the sign-in.

    It can be mounted (``app.mount("/schedules", create_app(...))``), and brings its own checks of Host, Origin, body
    and time with it. Nothing is connected here, and nothing has to be closed: client and store are the caller's.

    Args:
        options: Who may call it, and how often.
        client: Of the namespace, with the data converter of the workers.
        store: Audit trail, ledger, receipts and idempotency keys; its tables are there. Without it there are none,
            nor the operations that need them.
        access: In place of one made from ``options.access``; its roles are :data:`ROLES`.
        exposition: What ``/metrics`` answers to whoever is signed in; without it there is no such path.
        pools: Whom the dashboard's page of workers asks; without it the page says how to get one.

    Raises:
        AccessConfigurationError: The options give out a role that is none of viewer, operator and admin.
    """
    access = access or Access(options.access, ROLES)
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=f"{PREFIX}/openapi.json", separate_input_output_schemas=True
    )
    app.state.api = Api(
        options=options,
        client=client,
        service=_service(options, client, store),
        store=store,
        access=access,
        rates=Rates(options.rates),
        watch=ScheduleWatch(client, options.events, None if store is None else store.registry),
        signs_in=not isinstance(access, OpenAccess),
    )
    add_handlers(app)
    for module in (*_ALWAYS, *(_WITH_DATABASE if store is not None else ())):
        app.include_router(module.router, prefix=PREFIX)
    app.add_api_route("/readyz", _routes_health.ready, include_in_schema=False)
    if exposition is not None:
        app.include_router(_metrics(exposition))
    home = {"home": "/"} if options.dashboard.enabled else {}
    if (access.sign_in is not None or access.oidc is not None) and not isinstance(access, OpenAccess):
        app.router.routes.extend(sign_in_routes(access, **home))
    if options.dashboard.enabled:
        add_pages(app, PREFIX, pools)
    DESCRIPTION.describe(app, access)
    return Answers(access.protect(GZipMiddleware(KeepSlashes(app), minimum_size=1024)))


def _service(options: ServerOptions, client: Client, store: ScheduleStore | None) -> ScheduleService:
    return ScheduleService(
        client=client,
        audit=None if store is None else store.audit,
        receipts=None if store is None else store.receipts,
        registry=None if store is None else store.registry,
        serves=options.require_served,
    )


def _metrics(exposition: Exposition) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(caller: Reader, request: Request) -> Response:
        await caller.api.access.require_anybody(request, "metrics")
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
