import logging

import pytest
from sqlalchemy import text

from system_worker.__main__ import look, prepare
from system_worker._jobs import open_jobs
from system_worker._settings import Settings
from trenova_activities import CheckDatabaseWorkflow, DeleteAuditEntriesWorkflow
from trenova_activities.database import migrate, retention_sql


@pytest.fixture
def settings(tmp_path):
    return Settings.model_validate(
        {"database": {"url": f"sqlite:///{tmp_path}/tms.db", "embedded": True}, "codec": {"encryption": None}}
    )


async def test_the_embedded_log_lets_retention_through_once_it_is_prepared(settings):
    for _ in range(2):
        await prepare(settings)

    assert all(finding.ok for finding in await look(settings))
    async with settings.open_database() as database:
        work = await open_jobs(settings, database)
        assert await retention_sql(database) == []
    assert list(work.workflows) == [CheckDatabaseWorkflow, DeleteAuditEntriesWorkflow]
    assert len(work.activities) == 2


async def test_a_log_that_lets_nobody_through_is_said_by_the_check_and_when_the_worker_starts(settings, caplog):
    async with settings.open_database() as database:
        await migrate(database)
        with caplog.at_level(logging.WARNING):
            work = await open_jobs(settings, database)
    [record] = caplog.records
    [finding] = [finding for finding in await look(settings) if not finding.ok]

    assert DeleteAuditEntriesWorkflow in work.workflows
    assert finding.subject == "delete_audit_entries"
    assert "append-only" in finding.detail
    assert (record.message, record.reason) == ("every run of a job will be refused", finding.detail)


async def test_the_check_is_of_its_own_job_and_not_of_those_that_its_role_cannot_see(settings):
    await prepare(settings)
    async with settings.open_database() as database, database.write() as connection:
        await connection.execute(text("DROP TABLE sequences"))

    assert [(finding.subject, finding.ok) for finding in await look(settings)] == [("delete_audit_entries", True)]


async def test_what_retention_lacks_does_not_stop_the_check(settings, caplog):
    async with settings.open_database() as database:
        await migrate(database)
        async with database.write() as connection:
            await connection.execute(text("DROP TABLE data_retention"))
        with caplog.at_level(logging.ERROR):
            work = await open_jobs(settings, database)

    assert list(work.workflows) == [CheckDatabaseWorkflow]
    [record] = caplog.records
    assert "the table data_retention is missing" in record.reason
