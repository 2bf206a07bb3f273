"""The demonstration beside a sample that somebody works with."""

import asyncio
import json

import pytest
from service_processes import Services
from sqlalchemy import select, update

from system_worker._settings import Settings
from trenova_activities.database import DEMO_SEED, Catalog, sample_organizations, seed, seed_history
from trenova_workers import load_settings

MODULE = "system_worker"


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_it_purges_the_log_of_its_own_organizations_only(services: Services):
    await asyncio.to_thread(services.start, MODULE)
    settings = load_settings(Settings, environ=services.environ).values
    async with settings.open_database() as database:
        for number in (1, DEMO_SEED):
            await seed(database, seed=number)
            await seed_history(database, seed=number)
        catalog = await Catalog.reflect(database, ["audit_entries", "data_retention"])
        log, periods = catalog["audit_entries"], catalog["data_retention"]
        own = await sample_organizations(database, seed=DEMO_SEED)
        senseless = max(own)
        async with database.write() as connection:
            await connection.execute(
                update(periods).where(periods.c.organization_id == senseless).values(audit_retention_period=0)
            )
        theirs = select(log.c.id).where(log.c.organization_id.not_in(own))
        async with database.read() as connection:
            before = set((await connection.execute(theirs)).scalars())

        done = await asyncio.to_thread(services.call, MODULE, "demo", "--json")
        async with database.read() as connection:
            after = set((await connection.execute(theirs)).scalars())

    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    checks = {event["name"]: event["actual"] for event in events if event["event"] == "check"}
    assert len(before) == 20_000
    assert after == before
    assert checks["audit entries deleted"] > 0
    assert checks["audit entries of other organizations deleted"] == 0
    assert not any(name.startswith(f"entries of {own[senseless]} ") for name in checks)
