from collections import Counter

import pytest
from sqlalchemy import func, select

from trenova_activities.database import Catalog, Database, seed, seed_history
from trenova_activities.database._seed import _sample
from trenova_activities.database._seed_carriers import _AUDIT_DAYS, AUTO_CANCEL_DAYS
from trenova_activities.database._seed_history import _history
from trenova_activities.database._seed_rows import DAY
from trenova_errors import ConfigurationError, InvalidInputError

ANCHOR = 1_763_800_000
KNOWN = {"anchor": ANCHOR, "organizations": 5}


async def counts(database: Database) -> dict[str, int]:
    catalog = await Catalog.reflect(database, ["shipments", "stops", "audit_entries", "organizations"])
    async with database.read() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in catalog.tables.items()
        }


@pytest.fixture(scope="module")
def history():
    return _history(1, KNOWN, 20_000, 50)


async def test_a_history_is_added_once_and_leaves_the_sample_as_it_was(embedded):
    await seed(embedded, anchor=ANCHOR, organizations=3, shipments=30)
    before = await counts(embedded)

    first = await seed_history(embedded, entries=100, shipments=12)
    after = await counts(embedded)
    second = await seed_history(embedded, entries=100, shipments=12)

    assert (first.changed, second.changed, second.rows) == (True, False, {})
    assert (after["audit_entries"], after["shipments"] - before["shipments"]) == (100, 12)
    assert await counts(embedded) == after
    assert (await seed(embedded, anchor=ANCHOR, organizations=3, shipments=30)).changed is False


async def test_other_arguments_a_missing_sample_and_wrong_counts_are_refused(embedded, foreign):
    with pytest.raises(ConfigurationError, match="no sample 1 to give a history to"):
        await seed_history(embedded)
    await seed(embedded, organizations=1, shipments=1)
    await seed_history(embedded, entries=10, shipments=2)
    with pytest.raises(ConfigurationError, match="with entries 10, not 11"):
        await seed_history(embedded, entries=11, shipments=2)
    with pytest.raises(InvalidInputError, match="entries is -1"):
        await seed_history(embedded, entries=-1)
    with pytest.raises(ConfigurationError, match="does not hold the embedded TMS"):
        await seed_history(foreign)


def test_equal_arguments_make_an_equal_history(history):
    assert _history(1, KNOWN, 20_000, 50) == history


def test_no_identifier_of_a_history_is_one_of_the_sample(history):
    sample = {row["id"] for rows in _sample(1, ANCHOR, 5, 2000).tables.values() for row in rows}
    ids = [row["id"] for rows in history.values() for row in rows]

    assert len(ids) == len(set(ids))
    assert not sample & set(ids)


def test_entries_refer_to_what_the_sample_has(history):
    sample = _sample(1, ANCHOR, 5, 0).tables
    known = {row["id"] for name in ("customers", "users", "commodities", "locations") for row in sample[name]}

    assert {row["resource_id"] for row in history["audit_entries"]} <= known
    assert {row["user_id"] for row in history["audit_entries"]} <= {row["id"] for row in sample["users"]}


def test_every_period_has_outlived_some_entries_and_not_others(history):
    organizations = [row["id"] for row in _sample(1, ANCHOR, 5, 0).tables["organizations"]]
    outlived = Counter()
    for row in history["audit_entries"]:
        days = _AUDIT_DAYS[organizations.index(row["organization_id"])]
        outlived[row["organization_id"], row["timestamp"] < ANCHOR - days * DAY] += 1

    assert len(outlived) == 10
    assert min(outlived.values()) > 200
    assert {sum(outlived[one, old] for old in (True, False)) for one in organizations} == {4000}


def test_every_other_new_shipment_has_passed_its_threshold(history):
    organizations = [row["id"] for row in _sample(1, ANCHOR, 5, 0).tables["organizations"]]
    stale = Counter()
    for row in history["shipments"]:
        days = AUTO_CANCEL_DAYS[organizations.index(row["organization_id"])] or 30
        assert row["status"] == "New"
        stale[row["organization_id"], row["created_at"] <= ANCHOR - days * DAY] += 1
    for stop in history["stops"]:
        assert stop["status"] == "New"
        assert stop["planned_arrival"] <= stop["planned_departure"]

    assert set(stale.values()) == {5}
    assert len({row["pro_number"] for row in history["shipments"]}) == 50
