"""The demonstration beside a sample that somebody works with."""

import asyncio
import json

import pytest
from service_processes import Services
from sqlalchemy import func, select, text, update

from shipment_worker._settings import Settings
from trenova_activities.database import DEMO_SEED, Catalog, sample_organizations, seed, seed_history
from trenova_workers import load_settings

MODULE = "shipment_worker"
TABLES = ("shipments", "shipment_moves", "stops", "assignments", "audit_entries")


async def of_others(database, catalog, own):
    """Rows of other organizations by table, and how many of their shipments are New."""
    found = {}
    async with database.read() as connection:
        for name in TABLES:
            table = catalog[name]
            rows = select(func.count()).select_from(table).where(table.c.organization_id.not_in(own))
            found[name] = (await connection.execute(rows)).scalar_one()
        shipments = catalog["shipments"]
        query = select(shipments.c.id, shipments.c.status, shipments.c.version)
        rows = await connection.execute(query.where(shipments.c.organization_id.not_in(own)))
        found["states"] = {tuple(row) for row in rows}
    return found


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_it_works_on_its_own_organizations_and_minds_no_shipment_without_a_date(services: Services):
    await asyncio.to_thread(services.start, MODULE)
    settings = load_settings(Settings, environ=services.environ).values
    async with settings.open_database() as database:
        for number in (1, DEMO_SEED):
            await seed(database, seed=number)
            await seed_history(database, seed=number)
        catalog = await Catalog.reflect(database, TABLES)
        own = await sample_organizations(database, seed=DEMO_SEED)
        shipments = catalog["shipments"]
        new = select(func.min(shipments.c.id)).where(
            shipments.c.status == "New", shipments.c.organization_id == min(own)
        )
        async with database.write() as connection:
            undated = (await connection.execute(new)).scalar_one()
            await connection.execute(update(shipments).where(shipments.c.id == undated).values(created_at=None))
        before = await of_others(database, catalog, own)

        done = await asyncio.to_thread(services.call, MODULE, "demo", "--json")
        after = await of_others(database, catalog, own)
        async with database.read() as connection:
            asked = (await connection.execute(text("SELECT DISTINCT request FROM trenova_jobs_job_runs"))).scalars()
            named = [set(json.loads(request)["organizationIds"]) for request in asked]
            state = (await connection.execute(select(shipments.c.status).where(shipments.c.id == undated))).scalar_one()

    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    checks = {event["name"]: event["actual"] for event in events if event["event"] == "check"}
    assert checks["stale shipments reported as canceled"] > 0
    assert checks["shipments of other organizations canceled"] == 0
    assert after == before
    assert named == [set(own)] * 2
    assert state == "New"
