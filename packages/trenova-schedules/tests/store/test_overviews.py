"""What pages ask of the ledger: spans of trouble, the last ticks of many schedules, who is failing."""

from datetime import UTC, datetime, timedelta

from trenova_schedules.store import AlertState, AuditEntry, Tick, TickClass, TickSpan

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tick(schedule_id, minute, state, **fields):
    at = T0 + minute * MINUTE
    return Tick.model_validate({"schedule_id": schedule_id, "at": at, "class": state, "observed_at": T0, **fields})


async def test_spans_hold_ticks_without_a_run_by_schedule_and_class(store):
    ran = {"started_at": T0 + 9 * MINUTE, "workflow_id": "w"}
    await store.ticks.upsert(
        [
            *(tick("a", minute, "real_miss") for minute in (1, 2, 5)),
            tick("a", 3, "on_time", started_at=T0),
            tick("a", 4, "missed_catchup"),
            tick("a", 6, "real_miss", **ran),  # a backfill ran it
            tick("b", 7, "paused"),
            tick("b", 60, "real_miss"),
        ]
    )
    wanted = [TickClass.REAL_MISS, TickClass.MISSED_CATCHUP]
    assert await store.ticks.spans(T0, T0 + 10 * MINUTE, states=wanted) == {
        "a": {
            TickClass.REAL_MISS: TickSpan(3, T0 + MINUTE, T0 + 5 * MINUTE),
            TickClass.MISSED_CATCHUP: TickSpan(1, T0 + 4 * MINUTE, T0 + 4 * MINUTE),
        }
    }


async def test_spans_of_ticks_with_a_run_say_how_late_the_latest_began(store):
    await store.ticks.upsert(
        [
            tick("a", 1, "late", started_at=T0 + 3 * MINUTE),
            tick("a", 5, "late", started_at=T0 + 12 * MINUTE),
            tick("a", 6, "late"),
            tick("b", 1, "on_time", started_at=T0 + MINUTE),
        ]
    )
    assert await store.ticks.spans(T0, T0 + 10 * MINUTE, states=[TickClass.LATE], ran=True) == {
        "a": {TickClass.LATE: TickSpan(2, T0 + MINUTE, T0 + 5 * MINUTE, 7 * MINUTE)}
    }


async def test_open_pauses_are_those_of_schedules_that_are_paused(store):
    for name, before, after in (("a", False, True), ("b", False, True), ("b", True, False)):
        entry = AuditEntry(
            actor="ana",
            action="pause",
            schedule_id=name,
            at=T0,
            source="rest",
            outcome="done",
            before={"paused": before},
            after={"paused": after},
        )
        await store.audit.record(entry)
    found = await store.versions.open_pauses()
    assert {name: pause.from_at for name, pause in found.items()} == {"a": T0}


async def test_the_last_ticks_of_many_schedules_come_in_order_and_no_more_than_asked_for(store):
    assert await store.ticks.observed() is None
    await store.ticks.upsert([tick(name, minute, "on_time") for name in "abc" for minute in range(20)])
    found = await store.ticks.latest(["a", "c", "nobody"], before=T0 + 10 * MINUTE, count=3)
    assert {name: [one.at for one in ticks] for name, ticks in found.items()} == {
        name: [T0 + minute * MINUTE for minute in (7, 8, 9)] for name in ("a", "c")
    }
    assert await store.ticks.observed() == T0
    assert await store.ticks.first("b") == T0
    assert await store.ticks.first("nobody") is None


async def test_who_fails_for_longest_is_first_and_the_healthy_are_not_there(store):
    for name, since in (("a", T0 + MINUTE), ("b", T0), ("c", None)):
        await store.alerts.keep(AlertState(schedule_id=name, judged_to=T0 + MINUTE, failing_since=since))
    assert [one.schedule_id for one in await store.alerts.failing()] == ["b", "a"]
