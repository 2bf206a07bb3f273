"""An API of worker pools over HTTP (extra ``[server]``).

``trenova-workers pool run --serve`` runs it; :func:`create_app` is the ASGI application for a server of your own.
"""

try:
    from trenova_access.api import RateOptions
    from trenova_workers.pool.server._app import create_app
    from trenova_workers.pool.server._options import PoolServerOptions, server_options
    from trenova_workers.pool.server._roles import ADMIN, DELEGATE, OPERATOR, ROLES, VIEWER
    from trenova_workers.pool.server._serve import require_safe, serving
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'The API of worker pools needs its extra: uv pip install "trenova-workers[server]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = [
    "ADMIN",
    "DELEGATE",
    "OPERATOR",
    "ROLES",
    "VIEWER",
    "PoolServerOptions",
    "RateOptions",
    "create_app",
    "require_safe",
    "server_options",
    "serving",
]
