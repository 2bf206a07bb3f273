import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from trenova_errors import ConflictError
from trenova_schedules.store import (
    AlertState,
    Claim,
    Receipt,
    RegisteredSchedule,
    Tick,
    TickClass,
    digest_of,
)

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)


def at(n):
    return T0 + timedelta(seconds=n)


def tick(n, state=TickClass.ON_TIME, *, seen=100, **fields):
    return Tick.model_validate({"schedule_id": "s", "at": at(n), "class": state, "observed_at": at(seen), **fields})


async def test_ticks_come_back_as_they_were_written(store):
    whole = tick(
        1, nominal_at=at(0), started_at=at(2), closed_at=at(3), workflow_id="w", run_id="r", status="COMPLETED"
    )
    await store.ticks.upsert([tick(2, TickClass.REAL_MISS, reason="none"), whole])
    await store.ticks.upsert([whole])
    assert await store.ticks.read("s", at(0), at(9)) == [whole, tick(2, TickClass.REAL_MISS, reason="none")]
    assert await store.ticks.read("s", at(0), at(9), states=[TickClass.REAL_MISS], limit=1) == [
        tick(2, TickClass.REAL_MISS, reason="none")
    ]


async def test_an_older_finding_does_not_undo_a_newer_one(store):
    await store.ticks.upsert([tick(1, TickClass.LATE, seen=200)])
    await store.ticks.upsert([tick(1, TickClass.PENDING, seen=100)])
    assert [found.state for found in await store.ticks.read("s", at(0), at(9))] == [TickClass.LATE]


async def test_ticks_that_an_edit_took_away_are_removed_and_others_are_not(store):
    states = [TickClass.PENDING, TickClass.ON_TIME, TickClass.INCONCLUSIVE, TickClass.PENDING]
    await store.ticks.upsert([tick(n, state) for n, state in enumerate(states)])
    await store.ticks.replace("s", at(0), at(3), [tick(9)])
    assert [found.at for found in await store.ticks.read("s", at(0), at(99))] == [at(1), at(3), at(9)]


async def test_the_summary_counts_by_schedule_and_class(store):
    await store.ticks.upsert([tick(n) for n in range(5)] + [tick(7, TickClass.PAUSED), tick(50)])
    other = tick(3).model_copy(update={"schedule_id": "t"})
    await store.ticks.upsert([other])
    found = await store.ticks.summary(at(1), at(10))
    assert found == {"s": Counter({TickClass.ON_TIME: 4, TickClass.PAUSED: 1}), "t": Counter({TickClass.ON_TIME: 1})}
    assert list(await store.ticks.summary(at(1), at(10), schedule_ids=["t"])) == ["t"]


async def test_the_registry_keeps_when_a_schedule_was_first_seen_and_how_far_it_is_settled(store):
    first = RegisteredSchedule(schedule_id="s", workflow="W", labels={"team": "x"}, first_seen_at=at(0), seen_at=at(0))
    await store.registry.seen([first, first.model_copy(update={"schedule_id": "t"})])
    await store.registry.settled("s", at(50))
    await store.registry.settled("s", at(40))
    await store.registry.seen([first.model_copy(update={"first_seen_at": at(9), "seen_at": at(9), "paused": True})])
    found = await store.registry.find("s")
    assert (found.first_seen_at, found.seen_at, found.settled_to, found.paused) == (at(0), at(9), at(50), True)
    await store.registry.gone("t", at=at(10))
    assert [known.schedule_id for known in await store.registry.read()] == ["s"]
    assert [known.schedule_id for known in await store.registry.read(gone=True, after="s")] == ["t"]
    assert await store.registry.count() == 1
    assert await store.registry.find("u") is None


async def test_a_schedule_that_is_created_again_is_no_longer_gone(store):
    known = RegisteredSchedule(schedule_id="s", seen_at=at(0))
    await store.registry.seen([known])
    await store.registry.gone("s", at=at(5))
    await store.registry.seen([known.model_copy(update={"seen_at": at(9)})])
    assert (await store.registry.find("s")).gone_at is None


async def test_a_receipt_is_undone_once(store):
    receipt = Receipt(action="pause", actor="ann", items=({"id": "a"},), created_at=at(0))
    await store.receipts.keep(receipt)
    receipt = receipt.model_copy(update={"items": ({"id": "a"}, {"id": "b"})})
    await store.receipts.keep(receipt)
    assert await store.receipts.find(receipt.id) == receipt
    assert [await store.receipts.undone(receipt.id, actor="bob") for _ in range(2)] == [True, False]
    assert (await store.receipts.find(receipt.id)).undone_by == "bob"
    assert await store.receipts.find("nope") is None


async def test_of_many_requests_under_one_key_one_is_fresh(store):
    digest = digest_of({"b": [1], "a": 2})
    assert digest == digest_of({"a": 2, "b": (1,)})
    claims = await asyncio.gather(*(store.idempotency.claim("ann", "k", digest) for _ in range(8)))
    assert [claim.fresh for claim in claims].count(True) == 1
    await store.idempotency.answer("ann", "k", {"status": 201})
    await store.idempotency.answer("ann", "k", {"status": 500})
    assert await store.idempotency.claim("ann", "k", digest) == Claim(fresh=False, response={"status": 201})
    assert (await store.idempotency.claim("bob", "k", "other")).fresh
    with pytest.raises(ConflictError, match="'k' was used for another request"):
        await store.idempotency.claim("ann", "k", "other")


async def test_a_key_without_an_answer_can_be_given_back(store):
    await store.idempotency.claim("ann", "k", "d")
    await store.idempotency.release("ann", "k")
    assert (await store.idempotency.claim("ann", "k", "d")).fresh
    assert await store.idempotency.forget(before=datetime.now(UTC) + timedelta(minutes=1)) == 1


async def test_an_alert_state_never_goes_back(store):
    assert await store.alerts.find("s") == AlertState(schedule_id="s")
    newer = AlertState(schedule_id="s", bad=2, judged_to=at(9), failing_since=at(8))
    await store.alerts.keep(newer)
    await store.alerts.keep(AlertState(schedule_id="s", bad=1, judged_to=at(8)))
    assert await store.alerts.find("s") == newer
