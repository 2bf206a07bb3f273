import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from trenova_errors import ApplicationError
from trenova_schedules.store import AuditEntry, AuditFilter

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)


def entry(n=0, **fields):
    return AuditEntry(**{"at": T0 + timedelta(seconds=n), "actor": "ann", "action": "pause", **fields})


async def test_entries_come_back_as_they_were_recorded_newest_first(store):
    one = entry(1, schedule_id="a", reason="rain", request_id="r1", source="rest", before={"paused": False}, after=None)
    two = entry(2, schedule_id="b", action="delete", outcome="refused", organization_id="org")
    await store.audit.record(one, two)
    assert (await store.audit.read()).entries == (two, one)


async def test_recording_an_entry_again_changes_nothing(store):
    first = entry(schedule_id="a")
    await store.audit.record(first)
    await store.audit.record(first.model_copy(update={"actor": "mallory"}))
    assert (await store.audit.read()).entries == (first,)


async def test_what_was_begun_and_never_told_is_told_as_unknown_once(store):
    told, undone, dropped, young = (entry(n, schedule_id=name) for n, name in enumerate("abcd"))
    for one in (told, undone, dropped, young):
        await store.audit.begin(one)
        await store.audit.begin(one)
    await store.audit.record(told)
    await store.audit.forget(dropped)

    assert await store.audit.settle(before=young.at) == 1
    assert await store.audit.settle(before=young.at) == 0

    found = (await store.audit.read()).entries
    assert [(one.schedule_id, one.outcome) for one in found] == [("b", "unknown"), ("a", "done")]
    assert "Look at the schedule" in found[0].after["problem"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET actor = 'nobody'",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        (
            "INSERT OR REPLACE INTO {table} SELECT number, 'other', at, 'nobody', action, schedule_id, "
            "organization_id, outcome, reason, request_id, source, before, after FROM {table}"
        ),
    ],
)
async def test_the_database_refuses_to_rewrite_the_trail(store, statement):
    only = {"TRUNCATE": False, "INSERT": True}
    if only.get(statement.split()[0], store.options.is_sqlite) != store.options.is_sqlite:
        pytest.skip("not SQL of this database")
    await store.audit.record(entry(schedule_id="a"))
    before = (await store.audit.read()).entries
    with pytest.raises(ApplicationError):
        async with store._engine.write() as connection:
            await connection.execute(text(statement.format(table=store._engine.tables.audit.fullname)))
    assert (await store.audit.read()).entries == before


async def test_an_entry_is_not_replaced_by_one_of_the_same_id(store):
    if not store.options.is_sqlite:
        pytest.skip("only SQLite replaces")
    await store.audit.record(entry(schedule_id="a"))
    before = (await store.audit.read()).entries
    async with store._engine.write() as connection:
        await connection.execute(
            text(
                "INSERT OR REPLACE INTO trenova_jobs_schedule_audit (id, at, actor, action, outcome, source) "
                f"VALUES ('{before[0].id}', 1, 'nobody', 'none', 'done', 'api')"
            )
        )
    assert (await store.audit.read()).entries == before


async def test_pages_are_not_shifted_by_entries_that_arrive_meanwhile(store):
    await store.audit.record(*(entry(n, schedule_id=f"s{n}") for n in range(25)))
    seen, cursor = [], None
    while True:
        page = await store.audit.read(cursor=cursor, limit=10)
        seen += [item.schedule_id for item in page.entries]
        await store.audit.record(entry(99, schedule_id="new"))
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [f"s{n}" for n in reversed(range(25))]


async def test_a_filter_wants_everything_at_once(store):
    wanted = entry(5, schedule_id="a", actor="bob", action="resume", organization_id="o1", request_id="r")
    others = [
        wanted.model_copy(update={"id": str(n), **change})
        for n, change in enumerate(
            [
                {"schedule_id": "b"},
                {"actor": "ann"},
                {"action": "pause"},
                {"organization_id": "o2"},
                {"request_id": None},
                {"at": T0 + timedelta(seconds=4)},
                {"at": T0 + timedelta(seconds=6)},
            ]
        )
    ]
    await store.audit.record(wanted, *others)
    given = AuditFilter(
        schedule_id="a",
        actor="bob",
        action="resume",
        organization_id="o1",
        request_id="r",
        since=T0 + timedelta(seconds=5),
        until=T0 + timedelta(seconds=6),
    )
    assert (await store.audit.read(given)).entries == (wanted,)


async def test_an_export_is_whole_and_harmless_in_a_spreadsheet(store):
    await store.audit.record(*(entry(n, reason='=HYPERLINK("x"),\n', after={"n": n}) for n in range(1203)))
    rows = list(
        csv.DictReader(io.StringIO("".join([line async for line in store.audit.export(form="csv")]), newline=""))
    )
    lines = [json.loads(line) async for line in store.audit.export()]
    assert len(rows) == len(lines) == 1203
    assert rows[0]["reason"] == '\'=HYPERLINK("x"),\n'
    assert rows[0]["scheduleId"] == ""
    assert [json.loads(row["after"])["n"] for row in rows] == [line["after"]["n"] for line in lines]


async def test_writers_at_once_lose_nothing(store):
    await asyncio.gather(*(store.audit.record(entry(n, schedule_id=str(n))) for n in range(40)))
    page = await store.audit.read(limit=100)
    assert {item.schedule_id for item in page.entries} == {str(n) for n in range(40)}


async def test_the_ledger_is_told_when_somebody_paused_and_resumed(store):
    def change(n, *, before, after, **fields):
        documents = {"before": {"paused": before}, "after": {"paused": after}}
        return entry(n, action="update", schedule_id="s", **documents, **fields)

    await store.audit.record(change(10, before=False, after=True, outcome="failed"))
    await store.audit.record(change(20, before=False, after=True))
    await store.audit.record(change(30, before=True, after=True))
    await store.audit.record(change(40, before=True, after=False))
    (pause,) = await store.versions.pauses("s", T0, T0 + timedelta(hours=1))
    exact = (T0 + timedelta(seconds=20),) * 2 + (T0 + timedelta(seconds=40),) * 2
    assert (pause.from_at, pause.certain_from, pause.certain_to, pause.to_at) == exact
