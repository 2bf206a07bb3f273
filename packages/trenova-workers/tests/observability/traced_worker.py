"""A service whose job has every kind of step that a trace goes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import httpx
    from pydantic_settings import SettingsConfigDict
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

    from trenova_errors import DataIntegrityError
    from trenova_workers import Service, ServiceSettings, Work, WorkLimits
    from trenova_workers.cli import service_main

SECRET = "consignee Weatherby"
_STEP = timedelta(seconds=20)


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRACED_WORKER_")

    queue: str = "traced"
    store: str = "sqlite+aiosqlite://"


class Steps:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @activity.defn(name="traced.store")
    async def store(self, name: str) -> int:
        activity.logger.info("storing")
        async with self._engine.begin() as connection:
            await connection.execute(text("create table if not exists loads (name text)"))
            await connection.execute(text("insert into loads values (:name)"), {"name": name})
        return activity.info().attempt

    @activity.defn(name="traced.tell")
    async def tell(self, url: str) -> int:
        async with httpx.AsyncClient() as http:
            return (await http.get(url)).status_code

    @activity.defn(name="traced.refuse")
    async def refuse(self, name: str) -> None:
        raise DataIntegrityError(f"{name} cannot be taken.")


@workflow.defn(name="TracedChild")
class TracedChild:
    @workflow.run
    async def run(self, name: str) -> int:
        workflow.logger.info("a child runs")
        return await workflow.execute_activity("traced.store", name, activity_id="store", start_to_close_timeout=_STEP)


@workflow.defn(name="TracedParent")
class TracedParent:
    def __init__(self) -> None:
        self._goes_on = False

    @workflow.signal(name="traced.go_on")
    def go_on(self) -> None:
        self._goes_on = True

    @workflow.update(name="traced.ask")
    async def ask(self, name: str) -> int:
        return await workflow.execute_activity("traced.store", name, activity_id="asked", start_to_close_timeout=_STEP)

    @workflow.run
    async def run(self, name: str, url: str) -> str:
        drawn = str(workflow.uuid4())
        await workflow.execute_activity("traced.tell", url, activity_id="tell", start_to_close_timeout=_STEP)
        await workflow.execute_local_activity("traced.store", name, activity_id="local", start_to_close_timeout=_STEP)
        await workflow.wait_condition(lambda: self._goes_on)
        await workflow.execute_child_workflow("TracedChild", name, id=f"{workflow.info().workflow_id}/child")
        return drawn


@workflow.defn(name="TracedRefusal")
class TracedRefusal:
    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity("traced.refuse", name, activity_id="refuse", start_to_close_timeout=_STEP)


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    engine = create_async_engine(settings.store)
    try:
        steps = Steps(engine)
        yield Work([TracedParent, TracedChild, TracedRefusal], [steps.store, steps.tell, steps.refuse])
    finally:
        await engine.dispose()


SERVICE = Service(
    name="traced-worker",
    summary="Works, and is traced.",
    settings=Settings,
    queues=lambda settings: [settings.queue],
    work=work,
    limits=lambda _: WorkLimits(longest_start_to_close_s=20, start_to_close_s=(20,)),
)


def main() -> None:
    service_main(SERVICE)
