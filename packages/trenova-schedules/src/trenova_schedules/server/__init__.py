"""An API of schedules over HTTP, and its dashboard (extra ``[server]``).

``trenova-schedules serve`` runs it; :func:`create_app` is the ASGI application for a server of your own.
"""

from trenova_schedules._managing._audit import ORGANIZATION

try:
    from trenova_access.api import RateOptions
    from trenova_schedules.dashboard._options import DashboardOptions
    from trenova_schedules.server._app import create_app
    from trenova_schedules.server._options import EventOptions, ServeOptions, ServerOptions
    from trenova_schedules.server._roles import ADMIN, OPERATOR, ROLES, VIEWER
    from trenova_schedules.server._serve import serve
    from trenova_schedules.server._settings import load_options
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'The API of schedules needs its extra: uv pip install "trenova-schedules[server]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = [
    "ADMIN",
    "OPERATOR",
    "ORGANIZATION",
    "ROLES",
    "VIEWER",
    "DashboardOptions",
    "EventOptions",
    "RateOptions",
    "ServeOptions",
    "ServerOptions",
    "create_app",
    "load_options",
    "serve",
]
