"""All pages, for the application."""

from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trenova_schedules.dashboard._failing import PageRoute, failed
from trenova_schedules.dashboard._static import PREFIX, Static
from trenova_schedules.dashboard.backfill import _routes_backfill, _routes_backfills
from trenova_schedules.dashboard.bulk import _routes_bulk, _routes_receipts
from trenova_schedules.dashboard.bulk._works import Works
from trenova_schedules.dashboard.edit import _routes_edit, _routes_new
from trenova_schedules.dashboard.overview import _routes_load, _routes_overview
from trenova_schedules.dashboard.overview._fleet import Fleet
from trenova_schedules.dashboard.schedule import _routes_actions, _routes_delete, _routes_schedule
from trenova_schedules.dashboard.workers import _routes_pool_orders, _routes_workers
from trenova_schedules.dashboard.workers._sights import Sights
from trenova_schedules.server._api import Api
from trenova_schedules.worker_pools import WorkerPools

_ROUTERS: Final = (
    _routes_overview.router,
    _routes_load.router,
    _routes_schedule.router,
    _routes_actions.router,
    _routes_edit.router,
    _routes_delete.router,
    _routes_new.router,
    _routes_backfill.router,
    _routes_backfills.router,
    _routes_bulk.router,
    _routes_receipts.router,
    _routes_workers.router,
    _routes_pool_orders.router,
)


def add_pages(app: FastAPI, api_prefix: str, pools: WorkerPools | None = None) -> None:
    """Add the pages, their files, and the page of an address where nothing is.

    Args:
        app: With the API's routes and failures.
        api_prefix: Below which every answer is the API's.
        pools: Whom the page of workers asks; None where there is nobody.
    """
    pages = APIRouter(include_in_schema=False, route_class=PageRoute)
    for router in _ROUTERS:
        pages.include_router(router)
    app.include_router(pages)
    app.state.works = Works()
    app.state.sights = Sights(pools)
    app.mount(PREFIX, Static(), name="static")
    api: Api = app.state.api
    app.state.fleet = Fleet.of(api.client, api.service.registrations)
    of_api = app.exception_handlers[HTTPException]

    async def nothing_there(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(api_prefix) or "text/html" not in request.headers.get("accept", ""):
            return await of_api(request, error)  # type: ignore[no-any-return, misc]
        return failed(request, error)

    app.add_exception_handler(HTTPException, nothing_there)
