"""Spans of the libraries that our packages call: SQLAlchemy, httpx, FastAPI; each where it is installed.

They are patched where a call is made and not where a name is imported, so it does not matter who was imported first.
Their metrics are left out: labels such as a peer's host name grow without bound.
"""

from importlib.util import find_spec
from threading import Lock
from typing import Any, Final
from weakref import WeakSet

from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider

from trenova_workers._observability._options import ObservabilityOptions

_UNTRACED: Final = "livez,readyz,healthz,metrics,static,assets"
"""Paths, as patterns, of what is asked every few seconds."""
_lock: Final = Lock()
_done: Final[set[str]] = set()


def instrument(options: ObservabilityOptions) -> None:
    """Patch what there is, each once in a process."""
    for wanted, library, patch in (
        (options.database, "sqlalchemy", _databases),
        (options.http, "httpx", _requests),
        (options.http, "fastapi", _servers),
    ):
        with _lock:
            if wanted and library not in _done and find_spec(library) is not None:
                patch()
                _done.add(library)


def _databases() -> None:
    """Follow each engine from its first connection on; the instrumentation itself sees those it was given alone."""
    from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
    from sqlalchemy import Connection, Engine, event

    tracer = trace.get_tracer("opentelemetry.instrumentation.sqlalchemy")
    unused = NoOpMeterProvider().get_meter("").create_up_down_counter("connections")
    known: WeakSet[Engine] = WeakSet()

    def follow(connection: Connection) -> None:
        engine = connection.engine
        with _lock:
            if engine in known:
                return
            known.add(engine)
        EngineTracer(tracer, engine, unused)  # type: ignore[no-untyped-call]

    event.listen(Engine, "engine_connect", follow)


def _requests() -> None:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

    HTTPXClientInstrumentor().instrument(meter_provider=NoOpMeterProvider())


def _servers() -> None:
    from fastapi import FastAPI
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    build = FastAPI.build_middleware_stack

    def traced(app: FastAPI) -> Any:
        if getattr(app, "_is_instrumented_by_opentelemetry", False):
            return build(app)
        FastAPIInstrumentor.instrument_app(
            app, excluded_urls=_UNTRACED, exclude_spans=["receive", "send"], meter_provider=NoOpMeterProvider()
        )
        return app.build_middleware_stack()

    FastAPI.build_middleware_stack = traced  # type: ignore[method-assign, assignment]
