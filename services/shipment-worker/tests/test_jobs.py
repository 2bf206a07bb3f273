import logging

import pytest
from sqlalchemy import text

from shipment_worker._jobs import open_jobs
from shipment_worker._settings import Settings
from trenova_activities import CancelShipmentsByCreatedAtWorkflow, DuplicateShipmentWorkflow, TransferShipmentsWorkflow
from trenova_activities.database import migrate
from trenova_errors import ConfigurationError

WORKFLOWS = {
    "customers": [DuplicateShipmentWorkflow, CancelShipmentsByCreatedAtWorkflow],
    "shipment_controls": [DuplicateShipmentWorkflow, TransferShipmentsWorkflow],
}


@pytest.fixture
def settings(tmp_path):
    return Settings.model_validate({"database": {"url": f"sqlite:///{tmp_path}/tms.db"}, "codec": {"encryption": None}})


async def opened(settings, *without):
    async with settings.open_database() as database:
        await migrate(database)
        async with database.write() as connection:
            for table in without:
                await connection.execute(text(f"DROP TABLE {table}"))
        return await open_jobs(settings, database)


async def test_every_job_is_served_where_nothing_lacks(settings):
    work = await opened(settings)

    assert list(work.workflows) == [
        DuplicateShipmentWorkflow,
        CancelShipmentsByCreatedAtWorkflow,
        TransferShipmentsWorkflow,
    ]
    assert len(work.activities) == 9


@pytest.mark.parametrize("missing", sorted(WORKFLOWS))
async def test_what_one_job_lacks_does_not_stop_the_other(settings, missing, caplog):
    with caplog.at_level(logging.ERROR):
        work = await opened(settings, missing)

    assert list(work.workflows) == WORKFLOWS[missing]
    [record] = caplog.records
    assert f"the table {missing} is missing" in record.reason


async def test_a_database_that_is_ready_for_no_job_is_refused_with_every_reason(settings):
    with pytest.raises(ConfigurationError, match=r"(?s)sequences is missing.*shipment_controls is missing"):
        await opened(settings, "sequences", "shipment_controls")
