"""A real API over real HTTP on a real Temporal server, in a thread and a loop of its own as in a process."""

import asyncio
import contextlib
import socket
import sysconfig
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path

import httpx
import uvicorn
from shipping import Ship
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_access import (
    Access,
    AccessOptions,
    ApiTokenOptions,
    Grant,
    KeySetOptions,
    LimitOptions,
    PermissionClaim,
    SignInOptions,
    TokenOptions,
    new_api_token,
)
from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import BackfillActivities, BackfillScheduleWorkflow, TickLedgerRuns
from trenova_schedules.server import ROLES as SERVER_ROLES
from trenova_schedules.server import EventOptions, RateOptions, ServerOptions, create_app
from trenova_schedules.store import ScheduleStore, StoreOptions, migrate

ROLES = ("viewer", "operator", "admin")
RESOURCES = {"all": "*", "acme": "organization=acme", "blue": "organization=blue", "dispatch": "team=dispatch"}
QUEUE = "orders"


class ApiSite:
    """One API; callers are named by role and whose schedules it is on, as in ``operator-acme``."""

    def __init__(self, folder: Path, issuer=None, pools=None, **options):
        self.pools = pools
        self.tokens, entries = {}, []
        for role in ROLES:
            for name, resource in RESOURCES.items():
                token, digest = new_api_token()
                self.tokens[f"{role}-{name}"] = token
                grant = Grant(resource=resource, role=role)
                entries.append(ApiTokenOptions(sha256=digest, subject=f"{role}-{name}", grants=(grant,)))
        token, digest = new_api_token()
        self.tokens["nobody"] = token
        entries.append(ApiTokenOptions(sha256=digest, subject="nobody"))
        jwt = issuer and TokenOptions(
            issuer=issuer.name,
            audiences=(issuer.audience,),
            keys=KeySetOptions(url=issuer.url),
            claims=(PermissionClaim(claim="permissions", roles={"read": "viewer", "write": "operator"}),),
        )
        access = AccessOptions(
            api_tokens=tuple(entries),
            tokens=jwt,
            sign_in=SignInOptions(cookie="trenova-schedules", grants=(Grant(resource="*", role="admin"),)),
            limits=LimitOptions(max_body=64 * 1024, timeout_s=30),
        )
        told = {"access": access, "rates": RateOptions(reads=100_000, writes=100_000), **options}
        told.setdefault("events", EventOptions(every_s=0.3, heartbeat_s=1, longest_s=8, streams=4))
        self.options = ServerOptions(**told)
        self.folder = folder
        self.ready, self.stopping = threading.Event(), None
        self.failed = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(60), "the API did not start"
        if self.failed:
            raise self.failed
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(30)
        assert not self.thread.is_alive()

    def call(self, caller="admin-all", **more):
        """A client of a caller."""
        headers = {"Authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        return httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers=headers | more.pop("headers", {}),
            trust_env=False,
            timeout=60,
            **more,
        )

    def new(self, caller="admin-all", **fields):
        """Create a schedule that fires once a year, paused; return what the API says of it."""
        with self.call(caller) as api:
            answer = api.post("/schedules", json=schedule(**fields))
            assert answer.status_code == 201, answer.text
            return answer.json()["after"]

    def wait_for(self, prefix, count):
        """Wait until the server's list, which follows after a moment, has so many."""
        deadline = time.monotonic() + 20
        with self.call() as api:
            while api.get("/schedules", params={"prefix": prefix, "limit": 1}).json()["total"] != count:
                assert time.monotonic() < deadline, f"the list has not {count} schedules {prefix}*"
                time.sleep(0.05)

    def do(self, work):
        """Run a coroutine function with the server's own Temporal client, in its loop."""
        return asyncio.run_coroutine_threadsafe(work(self.client), self.loop).result(60)

    @contextlib.contextmanager
    def also(self, make, caller=None):
        """Serve another application beside, and give a client of it."""

        async def begin():
            listener = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(make(), lifespan="off", log_config=None, access_log=False))
            return server, asyncio.ensure_future(server.serve(sockets=[listener])), listener.getsockname()[1]

        server, task, port = asyncio.run_coroutine_threadsafe(begin(), self.loop).result(20)
        try:
            headers = {"Authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(task, 20), self.loop).result(30)

    def _run(self):
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            self.failed = error
            self.ready.set()

    async def _serve(self):
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        binary = Path(sysconfig.get_path("scripts")) / "temporal"
        async with contextlib.AsyncExitStack() as stack:
            environment = await stack.enter_async_context(
                await WorkflowEnvironment.start_local(
                    dev_server_existing_path=str(binary), dev_server_log_level="error", plugins=[ErrorsPlugin()]
                )
            )
            self.client = environment.client
            self.address = self.client.service_client.config.target_host
            self.store = await stack.enter_async_context(
                ScheduleStore.open(StoreOptions(url=f"sqlite:///{self.folder}/store.db"))
            )
            await migrate(self.store)
            await stack.enter_async_context(Worker(self.client, task_queue=QUEUE, workflows=[Ship]))
            await stack.enter_async_context(
                Worker(
                    self.client,
                    task_queue="system-queue",
                    workflows=[BackfillScheduleWorkflow],
                    activities=BackfillActivities(self.client, TickLedgerRuns(self.store.ticks)).all,
                )
            )
            asked = DescribeTaskQueueRequest(
                namespace=self.client.namespace, task_queue=TaskQueue(name=QUEUE), task_queue_type=1
            )
            while not (await self.client.workflow_service.describe_task_queue(asked)).pollers:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            self.app_access = Access(self.options.access, SERVER_ROLES)
            self.app = create_app(self.options, self.client, store=self.store, access=self.app_access, pools=self.pools)
            self.app_api = _api_in(self.app)
            listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            server = uvicorn.Server(uvicorn.Config(self.app, lifespan="off", log_config=None, access_log=False))
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            self.ready.set()
            await self.stopping.wait()
            server.should_exit = True
            await asyncio.wait_for(serving, 20)
        # A request that was cut off leaves the closing of its SQLite connection to a task of SQLAlchemy's.
        if closing := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(closing, timeout=10)


def schedule(**fields):
    """The body of a schedule that fires once a year, paused."""
    told = {
        "id": f"s-{uuid.uuid4().hex[:8]}",
        "workflow": "Ship",
        "taskQueue": QUEUE,
        "cron": "0 0 1 1 *",
        "catchupWindow": timedelta(hours=1).total_seconds(),
        "paused": True,
        **fields,
    }
    return {name: value for name, value in told.items() if value is not None}


def _api_in(app):
    """What the application was made with, from below its middleware."""
    while not hasattr(app, "state"):
        app = next(value for name, value in vars(app).items() if name in {"_app", "app"})
    return app.state.api
