"""What a service is made of: everything that its process and its command line need to know."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from temporalio.client import Client, Plugin
from temporalio.common import SearchAttributeKey

from trenova_errors import ErrorsPlugin
from trenova_workers._console import ConsoleAddress
from trenova_workers._demo import DemoRun
from trenova_workers._limits import WorkLimits
from trenova_workers._settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def _nothing_goes_on(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Work:
    """What one worker process registers, on each of its queues.

    Activities may be ``async`` functions or plain ones; plain ones run on threads or in processes, one per
    activity slot (``worker.activity_executor``). One that works in steps should look at
    ``activity.is_worker_shutdown()`` between them, and then return with what it has done, for its workflow
    to call again.

    Attributes:
        workflows: Classes.
        activities: Functions, and methods of objects that hold what they need.
        goes_on: Whether the result of an activity says that its work does; a drain counts it as checkpointed.
    """

    workflows: Sequence[type] = ()
    activities: Sequence[Callable[..., Any]] = ()
    goes_on: Callable[[Any], bool] = _nothing_goes_on


@dataclass(frozen=True)
class Finding:
    """One thing that ``check`` looked at.

    ``detail`` says what was found and, when ``ok`` is false, what to do. It never holds a secret.
    """

    subject: str
    ok: bool
    detail: str


def _errors_plugin(_: ServiceSettings) -> Sequence[Plugin]:
    return (ErrorsPlugin(),)


def _no_limits(_: ServiceSettings) -> WorkLimits:
    return WorkLimits()


async def _nothing_to_prepare(_: ServiceSettings) -> None:
    return None


async def _nothing_to_check(_: ServiceSettings) -> Sequence[Finding]:
    return ()


async def _nothing_to_demonstrate(_: ServiceSettings, run: DemoRun) -> None:
    run.summary("This service has no demonstration.")


@dataclass(frozen=True)
class Service(Generic[S]):
    """One kind of worker process.

    Attributes:
        name: Appears in the identity, in logs and in health answers, e.g. ``shipment-worker``.
        summary: One line for ``--help``.
        settings: The class of its settings. ``config/`` beside that class's module holds
            ``base.yaml``, ``dev.yaml``, ``staging.yaml`` and ``prod.yaml``.
        queues: The task queues to poll, the service's own first.
        work: Opens what the activities need (databases, clients) and yields what to register. It
            is entered after the connection stands and left after the last activity has ended.
            Raising ``ConfigurationError`` refuses to start.
        prepare: Migrations and the like, under a lock of its own: several processes may call it at
            once, and it is called again on every start.
        prepare_namespace: What the service needs in its Temporal namespace, schedules above all; called last, with a
            client that has the service's plugins, under the same conditions as ``prepare``.
        check: What an operator should know before starting; the runtime adds findings of its own
            about the Temporal server.
        demo: Pushes real work through the service and checks the result.
        demo_order: Demonstrations of several services run in ascending order.
        search_attributes: Registered by ``prepare`` before the first use, after ``prepare`` above.
        plugins: Set on the client, which hands them to its workers. Called once in a process.
        limits: What the work itself demands of the worker's options; asked before anything is opened.
        console: Serves a web console until SIGTERM or SIGINT, with a client that has the service's plugins; there is a
            verb ``console`` only with it.
    """

    name: str
    summary: str
    settings: type[S]
    queues: Callable[[S], Sequence[str]]
    work: Callable[[S], AbstractAsyncContextManager[Work]]
    prepare: Callable[[S], Awaitable[None]] = _nothing_to_prepare
    prepare_namespace: Callable[[S, Client], Awaitable[None]] | None = None
    check: Callable[[S], Awaitable[Sequence[Finding]]] = _nothing_to_check
    demo: Callable[[S, DemoRun], Awaitable[None]] = _nothing_to_demonstrate
    demo_order: int = 0
    search_attributes: Sequence[SearchAttributeKey[Any]] = ()
    plugins: Callable[[S], Sequence[Plugin]] = _errors_plugin
    limits: Callable[[S], WorkLimits] = _no_limits
    console: Callable[[S, Client, ConsoleAddress], Awaitable[None]] | None = None
