from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from trenova_errors import InvalidInputError
from trenova_schedules.store import Receipt, ReceiptFilter

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)


def item(schedule_id):
    return {"scheduleId": schedule_id, "before": {"paused": False, "note": ""}, "after": None}


async def keep(store, name, *ids, second=0, **fields):
    told = {"action": "pause", "actor": "ann", "reason": "Move", **fields}
    receipt = Receipt(id=name, items=tuple(map(item, ids)), created_at=T0 + timedelta(seconds=second), **told)
    await store.receipts.keep(receipt)
    return receipt


async def test_receipts_are_listed_newest_first_and_what_is_kept_meanwhile_shifts_no_page(store):
    for number in range(7):
        await keep(store, f"r-{number}", f"s-{number}", second=number // 3)

    first = await store.receipts.read(limit=3)
    await keep(store, "late", "s", second=9)
    second = await store.receipts.read(limit=3, cursor=first.next_cursor)
    third = await store.receipts.read(limit=3, cursor=second.next_cursor)

    listed = [one.id for page in (first, second, third) for one in page.receipts]
    assert listed == ["r-6", "r-5", "r-4", "r-3", "r-2", "r-1", "r-0"]
    assert (len(third.receipts), third.next_cursor) == (1, None)
    assert (await store.receipts.read(limit=1)).receipts[0].id == "late"


async def test_a_listed_receipt_says_all_but_what_its_schedules_were(store):
    ids = ("it's", 'say "x"', "a/b\\c", "ü")
    receipt = await keep(store, "one", *ids, action="update", reason=None)
    await store.receipts.undone("one", actor="bob")

    (listed,) = (await store.receipts.read()).receipts

    assert (listed.schedule_ids, receipt.schedule_ids) == (ids, ids)
    assert (listed.action, listed.actor, listed.reason, listed.undone_by) == ("update", "ann", None, "bob")
    assert listed.created_at == T0
    assert listed.undone_at >= T0


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"action": "pause"}, ["c", "a"]),
        ({"actor": "bob"}, ["c", "b"]),
        ({"undone": True}, ["a"]),
        ({"undone": False}, ["c", "b"]),
        ({"schedule_id": "it's"}, ["b", "a"]),
        ({"schedule_id": "it's", "actor": "bob"}, ["b"]),
        ({"schedule_id": "it"}, []),
        ({"schedule_id": '"'}, []),
    ],
)
async def test_receipts_are_found_by_what_when_and_whose(store, wanted, found):
    await keep(store, "a", "it's", "x", second=1)
    await keep(store, "b", "x", "it's", second=2, action="update", actor="bob")
    await keep(store, "c", "x", second=3, actor="bob")
    await store.receipts.undone("a", actor="bob")

    page = await store.receipts.read(ReceiptFilter(**wanted))

    assert [one.id for one in page.receipts] == found
    assert all(one.matches(ReceiptFilter(**wanted)) for one in page.receipts), "the model and the database agree"


@pytest.mark.parametrize("cursor", ["", "x", "1.", ".a", f"{10**13}.a", "1.\x00", "-1.a"])
async def test_a_cursor_that_is_none_is_refused(store, cursor):
    with pytest.raises(InvalidInputError, match="is no cursor of a list of receipts"):
        await store.receipts.read(cursor=cursor)


async def test_a_page_of_receipts_is_read_in_their_order_and_not_sorted(store):
    place = "trenova_jobs_" if store.options.is_sqlite else "trenova_jobs."
    explain = "EXPLAIN QUERY PLAN" if store.options.is_sqlite else "EXPLAIN"
    query = f"{explain} SELECT id FROM {place}schedule_receipts ORDER BY created_at DESC, id DESC LIMIT 50"
    async with store._engine.write() as connection:
        if not store.options.is_sqlite:
            for way in ("seqscan", "bitmapscan"):  # which a table of a few rows would take
                await connection.execute(text(f"SET LOCAL enable_{way} = off"))
        plan = str((await connection.execute(text(query))).all())
    assert "ix_trenova_schedule_receipts_created" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
