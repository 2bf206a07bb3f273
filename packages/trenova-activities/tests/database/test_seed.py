import re
import time
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions, migrate, seed
from trenova_activities.database._seed import _sample
from trenova_activities.database._seed_data import STATUSES
from trenova_activities.database._seed_rows import TABLES
from trenova_errors import ConfigurationError, InvalidInputError

ANCHOR = 1_763_800_000


async def count(database: Database, table: str) -> int:
    async with database.read() as connection:
        return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


@pytest.fixture(scope="module")
def sample():
    return _sample(1, ANCHOR, 5, 2000).tables


def grouped(rows, column):
    groups = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


async def test_the_sample_arrives_whole(embedded):
    done = await seed(embedded, anchor=ANCHOR, organizations=3, shipments=120)

    assert done.changed
    assert {name: await count(embedded, name) for name in TABLES} == dict(done.rows)
    assert (done.rows["organizations"], done.rows["shipments"]) == (3, 120)


async def test_a_second_seed_changes_nothing_and_says_so(embedded):
    first = await seed(embedded, organizations=2, shipments=20)
    second = await seed(embedded, organizations=2, shipments=20)

    assert (second.changed, second.rows, second.anchor) == (False, {}, first.anchor)
    assert await count(embedded, "shipments") == 20


async def test_the_same_sample_with_other_arguments_is_refused(embedded):
    await seed(embedded, organizations=2, shipments=20)

    with pytest.raises(ConfigurationError, match="with shipments 20, not 21"):
        await seed(embedded, organizations=2, shipments=21)


async def test_samples_of_different_numbers_stand_side_by_side(embedded):
    for number in (1, 2, 3):
        await seed(embedded, seed=number, organizations=2, shipments=10)

    assert await count(embedded, "organizations") == 6
    assert await count(embedded, "users WHERE email_address = 'system@trenova.app'") == 1


async def test_a_tms_that_is_not_ours_is_never_seeded(foreign):
    before = await count(foreign, "shipments")

    with pytest.raises(ConfigurationError, match="does not hold the embedded TMS"):
        await seed(foreign)
    assert await count(foreign, "shipments") == before


async def test_an_embedded_tms_in_a_schema_of_its_own_is_seeded(empty_postgres_url):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, schema_name="tms")) as database:
        await migrate(database)
        await seed(database, organizations=1, shipments=5)

        assert (await seed(database, organizations=1, shipments=5)).changed is False
        assert await count(database, "tms.shipments") == 5


@pytest.mark.parametrize("wrong", [{"organizations": 0}, {"shipments": -1}, {"seed": -1}, {"shipments": 10**9}])
async def test_a_count_out_of_range_is_refused(embedded, wrong):
    with pytest.raises(InvalidInputError, match=f"{next(iter(wrong))} is .* must be between"):
        await seed(embedded, **wrong)


async def test_two_thousand_shipments_take_seconds(embedded_sqlite_url):
    async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
        started = time.process_time()
        await seed(database)
        assert time.process_time() - started < 5


def test_equal_arguments_make_equal_rows(sample):
    assert _sample(1, ANCHOR, 5, 2000).tables == sample


def test_another_seed_or_anchor_makes_other_rows(sample):
    for other in (_sample(2, ANCHOR, 5, 10), _sample(1, ANCHOR + 1, 5, 10)):
        assert not {row["id"] for row in other.tables["organizations"]} & {row["id"] for row in sample["organizations"]}


def test_every_identifier_is_used_once(sample):
    ids = [row["id"] for rows in sample.values() for row in rows]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+_[0-9A-HJKMNP-TV-Z]{26}", identifier) for identifier in ids)


def test_every_status_occurs_about_as_often_as_it_should(sample):
    seen = Counter(row["status"] for row in sample["shipments"])

    for status, percent in STATUSES.items():
        assert percent * 20 * 0.6 < seen[status] < percent * 20 * 1.5


def test_pro_numbers_follow_the_sequence_of_their_month(sample):
    used = defaultdict(list)
    for row in sample["shipments"]:
        month, sequence = re.fullmatch(r"S(\d{4})12(\d{4})\d{6}", row["pro_number"]).groups()
        assert month == time.strftime("%y%m", time.gmtime(row["created_at"]))
        used[row["organization_id"], int(month[:2]) + 2000, int(month[2:])].append(int(sequence))
    for key, numbers in used.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), key
    stored = {
        (row["organization_id"], row["year"], row["month"]): row["current_sequence"] for row in sample["sequences"]
    }
    assert stored == {key: len(numbers) for key, numbers in used.items()}


def test_totals_agree_with_charges_and_commodities(sample):
    charges = grouped(sample["additional_charges"], "shipment_id")
    goods = grouped(sample["shipment_commodities"], "shipment_id")
    moves = grouped(sample["shipment_moves"], "shipment_id")
    for row in sample["shipments"]:
        miles = Decimal(str(round(sum(move["distance"] for move in moves[row["id"]]), 1)))
        factor = {"Flat": Decimal(1), "Distance": miles, "Percentage": row["freight_charge_amount"] / 100}
        worth = [
            (charge["amount"] * charge["unit"] * factor[charge["method"]]).quantize(Decimal("0.01"))
            for charge in charges[row["id"]]
        ]
        assert row["other_charge_amount"] == sum(worth)
        assert row["total_charge_amount"] == row["freight_charge_amount"] + row["other_charge_amount"]
        assert row["pieces"] == sum(item["pieces"] for item in goods[row["id"]])
        assert row["weight"] == sum(item["weight"] for item in goods[row["id"]])


def test_routes_have_one_to_three_moves_and_two_to_six_stops(sample):
    moves = grouped(sample["shipment_moves"], "shipment_id")
    stops = grouped(sample["stops"], "shipment_move_id")
    for row in sample["shipments"]:
        ways = [stops[move["id"]] for move in moves[row["id"]]]
        assert 1 <= len(ways) <= 3
        assert 2 <= sum(map(len, ways)) <= 6
        for way in ways:
            kinds = [stop["type"] for stop in way]
            assert (kinds[0], kinds[-1]) == ("Pickup", "Delivery")
            assert sum(stop["pieces"] for stop in way if "Pickup" in stop["type"]) == row["pieces"]
            assert sum(stop["pieces"] for stop in way if "Delivery" in stop["type"]) == row["pieces"]
        times = [at for way in ways for stop in way for at in (stop["planned_arrival"], stop["planned_departure"])]
        assert times == sorted(times)


def test_statuses_agree_with_the_clock(sample):
    shipments = {row["id"]: row for row in sample["shipments"]}
    moves = {row["id"]: row for row in sample["shipment_moves"]}
    for stop in sample["stops"]:
        shipment = shipments[moves[stop["shipment_move_id"]]["shipment_id"]]
        assert shipment["created_at"] <= ANCHOR
        done = stop["status"] == "Completed"
        assert done == (stop["actual_arrival"] is not None)
        if done:
            assert stop["actual_arrival"] <= stop["actual_departure"] < ANCHOR
        if shipment["status"] in {"New", "Canceled"}:
            assert stop["status"] == shipment["status"]
    for row in shipments.values():
        assert (row["canceled_at"] is not None) == (row["status"] == "Canceled")
        finished = row["status"] in {"Completed", "ReadyToBill", "ReviewRequired", "Billed"}
        assert (row["actual_delivery_date"] is not None) == finished


def test_a_partly_assigned_shipment_has_moves_of_both_kinds(sample):
    moves = grouped(sample["shipment_moves"], "shipment_id")
    for row in sample["shipments"]:
        statuses = {move["status"] for move in moves[row["id"]]}
        if row["status"] == "PartiallyAssigned":
            assert statuses == {"Assigned", "New"}
        if row["status"] == "PartiallyCompleted":
            assert "Completed" in statuses
            assert len(statuses) > 1
