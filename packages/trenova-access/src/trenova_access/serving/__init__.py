"""Running a server that :class:`trenova_access.Access` protects, with uvicorn (extra ``[serving]``).

Where it listens is :class:`ListenOptions`; :func:`listening` takes the address, :func:`announced` leaves it for
programs of this user, :func:`run_until_told` and :func:`running` serve.
"""

try:
    from trenova_access.serving._announcement import announced
    from trenova_access.serving._gathered import gathered
    from trenova_access.serving._listening import listening, server_url
    from trenova_access.serving._open import OpenAccess
    from trenova_access.serving._options import ListenOptions, OpenListenOptions
    from trenova_access.serving._running import run_until_told, running
    from trenova_access.serving._telemetry import Exposition, expose_metrics
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'Running a server needs its extra: uv pip install "trenova-access[serving]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = [
    "Exposition",
    "ListenOptions",
    "OpenAccess",
    "OpenListenOptions",
    "announced",
    "expose_metrics",
    "gathered",
    "listening",
    "run_until_told",
    "running",
    "server_url",
]
