"""One notification for each duplication of the demonstration, and one for each copied configuration."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from notification_worker._settings import Settings
from trenova_activities import (
    NOTIFICATION_JOB,
    NOTIFICATION_QUEUE,
    ConfigurationCopiedPayload,
    SendConfigurationCopiedNotificationWorkflow,
)
from trenova_activities.database import DEMO_SEED, Catalog, Database, ready_catalog, sample_organizations, seed
from trenova_workers import DemoRun

_QUEUE_TIMEOUT_S = 60
_PAUSE_S = 0.2
_COPIES = 5


async def demonstrate(settings: Settings, run: DemoRun) -> None:
    """Wait for the notifications of the duplications, send a few of another kind, and compare.

    Args:
        settings: Name the database; the one of the shipment worker.
        run: Where progress and checks go; its token finds the duplications.
    """
    async with settings.open_database() as database:
        catalog = await ready_catalog(database, NOTIFICATION_JOB)
        duplications = await _duplications(database, run.token)
        told = await _wait(database, catalog, run, duplications)
        copied = await _copy_configurations(run, await _users(database, catalog))
        noticed = await _told(database, catalog, copied)
    run.check("notifications of duplications", expected=len(duplications), actual=told)
    run.check("notifications of copied configurations", expected=len(copied), actual=noticed)
    run.summary(f"{told + noticed} notifications were delivered, one for each job.")


async def _copy_configurations(run: DemoRun, users: "Sequence[Row[Any, Any, Any]]") -> list[str]:
    """Send one notification per user; return the workflow ids."""
    ids = []
    for position, user in enumerate(users):
        ids.append(f"configuration-copied/{user.organization_id}/demo-{run.token}-{position}")
        await _copied(run, user, ids[-1])
        run.progress("copied configurations", position + 1, len(users))
    return ids


async def _duplications(database: Database, token: str) -> list[str]:
    keys = database.jobs.idempotency_keys
    query = select(keys.c.workflow_id).where(keys.c.key.startswith(f"demo-{token}-", autoescape=True))
    async with database.read() as connection:
        return list((await connection.execute(query)).scalars())


async def _wait(database: Database, catalog: Catalog, run: DemoRun, jobs: list[str]) -> int:
    """Notifications follow their job; give them a minute."""
    deadline = time.monotonic() + _QUEUE_TIMEOUT_S
    while True:
        told = await _told(database, catalog, jobs)
        run.progress("notifications", told, len(jobs))
        if told >= len(jobs) or time.monotonic() > deadline:
            return told
        await asyncio.sleep(_PAUSE_S)


async def _told(database: Database, catalog: Catalog, jobs: list[str]) -> int:
    table = catalog["notifications"]
    query = select(func.count()).where(table.c.job_id.in_(jobs), table.c.delivery_status == "delivered")
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one())


async def _users(database: Database, catalog: Catalog) -> "Sequence[Row[Any, Any, Any]]":
    users = catalog["users"]
    await seed(database, seed=DEMO_SEED)
    own = users.c.organization_id.in_(await sample_organizations(database, seed=DEMO_SEED))
    columns = (users.c.id, users.c.organization_id, users.c.business_unit_id)
    query = select(*columns).where(own).order_by(users.c.id).limit(_COPIES)
    async with database.read() as connection:
        return (await connection.execute(query)).all()


async def _copied(run: DemoRun, user: "Row[Any, Any, Any]", workflow_id: str) -> None:
    await run.client.execute_workflow(
        SendConfigurationCopiedNotificationWorkflow.run,
        ConfigurationCopiedPayload(
            organization_id=user.organization_id,
            business_unit_id=user.business_unit_id,
            user_id=user.id,
            config_id="tc_demo",
            config_name="Open loads by pickup",
            config_creator="Dispatch",
            config_copied_by="Night shift",
        ),
        id=workflow_id,
        task_queue=NOTIFICATION_QUEUE,
        static_summary=f"Tell user/{user.id} that the configuration Open loads by pickup was copied",
        static_details="Part of a demonstration: the notification is stored in the sample's own organization.",
    )
