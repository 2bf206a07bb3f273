"""``trenova-schedules db``, ``ledger`` and ``audit``."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from trenova_schedules.cli import app
from trenova_schedules.store import AuditEntry, RegisteredSchedule, ScheduleStore, StoreOptions, Tick

NOW = datetime.now(UTC).replace(microsecond=0)
STATES = ["on_time"] * 4 + ["skipped_overlap", "real_miss"]


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ticks(schedule_id):
    for n, state in enumerate(STATES):
        at = NOW - timedelta(hours=n + 1)
        yield Tick.model_validate({"schedule_id": schedule_id, "at": at, "class": state, "observed_at": NOW})


async def fill(folder):
    async with ScheduleStore.open(StoreOptions(url=f"sqlite:///{folder}/tms.db")) as store:
        await store.ticks.upsert([*ticks("a"), *ticks("b")])
        await store.audit.record(
            AuditEntry(actor="ann", action="pause", schedule_id="a", reason="rain"),
            AuditEntry(actor="bob", action="delete", schedule_id="b", at=NOW - timedelta(days=9)),
        )


@pytest.fixture
def folder(tmp_path):
    assert "revision 0003" in invoke("db", "migrate", "--data-dir", tmp_path).output
    asyncio.run(fill(tmp_path))
    return tmp_path


def test_migrating_again_has_nothing_to_do(folder):
    assert json.loads(invoke("db", "migrate", "--json", "--data-dir", folder).output) == {
        "changed": False,
        "revision": "0003",
    }


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path):
    done = invoke("ledger", "--data-dir", tmp_path)
    assert done.exit_code == 2
    assert "trenova-schedules db migrate" in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_report_says_counts_in_a_sentence(folder):
    lines = invoke("ledger", "--summary", "--data-dir", folder).output.splitlines()
    assert lines[1] == "a: 6 expected, 4 on time, 1 skipped by overlap, 1 really missed."
    assert lines[3] == "All 2: 12 expected, 8 on time, 2 skipped by overlap, 2 really missed."


def test_the_report_is_json_for_programs(folder):
    found = json.loads(invoke("ledger", "b", "--summary", "--json", "--from", "2h", "--data-dir", folder).output)
    assert found["schedules"] == {"b": {"on_time": 1}}


def test_ticks_are_shown_in_order_and_by_class(folder):
    found = json.loads(invoke("ledger", "a", "--json", "--data-dir", folder).output)
    assert [tick["class"] for tick in found] == STATES[::-1]
    found = json.loads(invoke("ledger", "a", "--class", "real_miss", "--json", "--data-dir", folder).output)
    assert [tick["class"] for tick in found] == ["real_miss"]
    assert "really missed" in invoke("ledger", "a", "--data-dir", folder).output


@pytest.mark.parametrize("start", ["yesterday", "1w"])
def test_a_time_that_is_none_is_refused(folder, start):
    done = invoke("ledger", "--from", start, "--data-dir", folder)
    assert done.exit_code == 2
    assert "is no time" in done.output


def test_a_reversed_range_is_refused(folder):
    assert invoke("ledger", "--from", "1h", "--to", "2h", "--data-dir", folder).exit_code == 2


def test_the_audit_trail_is_filtered_and_exported(folder):
    shown = invoke("audit", "--since", "7d", "--data-dir", folder).output
    assert "ann" in shown
    assert "bob" not in shown
    page = json.loads(invoke("audit", "--actor", "bob", "--json", "--data-dir", folder).output)
    assert [entry["action"] for entry in page["entries"]] == ["delete"]
    rows = list(csv.DictReader(io.StringIO(invoke("audit", "--csv", "--data-dir", folder).output)))
    assert {row["actor"]: row["reason"] for row in rows} == {"ann": "rain", "bob": ""}
    lines = invoke("audit", "--jsonl", "--action", "pause", "--data-dir", folder).output.splitlines()
    assert [json.loads(line)["scheduleId"] for line in lines] == ["a"]


def test_a_schedule_that_nobody_has_seen_is_refused_with_those_that_are_near(folder):
    asyncio.run(see(folder, "nightly-invoices"))
    for more in ([], ["--summary"]):
        done = invoke("ledger", "nightly-invoice", *more, "--data-dir", folder)
        assert done.exit_code == 1
        assert "never seen a schedule 'nightly-invoice'. Did you mean 'nightly-invoices'?" in done.output
    done = invoke("ledger", "nightly-invoices", "--data-dir", folder)
    assert done.exit_code == 0
    assert "No tick is known yet." in done.output


async def see(folder, schedule_id):
    async with ScheduleStore.open(StoreOptions(url=f"sqlite:///{folder}/tms.db")) as store:
        await store.registry.seen([RegisteredSchedule(schedule_id=schedule_id, first_seen_at=NOW, seen_at=NOW)])


def test_the_ledger_says_since_when_it_knows(folder):
    since = NOW - timedelta(hours=len(STATES))
    assert f"Ticks are known since {since:%Y-%m-%d %H:%M:%S}" in invoke("ledger", "a", "--data-dir", folder).output
