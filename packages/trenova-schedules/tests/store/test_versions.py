from datetime import UTC, datetime, timedelta

import pytest

from trenova_schedules.store import AuditEntry, Observation

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)


def at(n):
    return T0 + timedelta(minutes=n)


def seen(n, spec="5s", *, writes=1, updated=None, **fields):
    return Observation(
        schedule_id="s",
        at=at(n),
        specification={"interval": spec},
        policy={},
        token=writes.to_bytes(8, fields.pop("order", "big")).hex(),
        created_at=T0,
        updated_at=None if updated is None else at(updated),
        **fields,
    )


async def spans(store):
    found = await store.versions.between("s", at(0), at(1000))
    return [
        (
            v.specification["interval"],
            (v.from_at - T0) / timedelta(minutes=1),
            v.to_at and (v.to_at - T0) / timedelta(minutes=1),
        )
        for v in found
    ]


async def test_the_first_look_knows_the_version_since_creation_or_the_last_update(store):
    await store.versions.observed(seen(10))
    assert await spans(store) == [("5s", 0, None)]


async def test_what_was_before_the_last_update_is_not_known_at_the_first_look(store):
    await store.versions.observed(seen(10, writes=4, updated=7))
    assert await spans(store) == [("5s", 7, None)]


@pytest.mark.parametrize("order", ["big", "little"])
async def test_one_edit_between_two_looks_began_when_the_server_says(store, order):
    await store.versions.observed(seen(10, order=order))
    await store.versions.observed(seen(20, "9s", writes=2, updated=13, order=order))
    assert await spans(store) == [("5s", 0, 13), ("9s", 13, None)]


async def test_of_several_edits_between_two_looks_only_the_last_is_known(store):
    await store.versions.observed(seen(10))
    await store.versions.observed(seen(20, "9s", writes=3, updated=13))
    assert await spans(store) == [("5s", 0, 10), ("9s", 13, None)]


async def test_an_edit_there_and_back_leaves_a_hole(store):
    await store.versions.observed(seen(10))
    await store.versions.observed(seen(20, writes=3, updated=13))
    assert await spans(store) == [("5s", 0, 10), ("5s", 13, None)]


async def test_an_update_that_leaves_the_specification_alone_is_no_version(store):
    await store.versions.observed(seen(10))
    await store.versions.observed(seen(20, writes=2, updated=13))
    assert await spans(store) == [("5s", 0, None)]


async def test_an_older_look_changes_nothing(store):
    await store.versions.observed(seen(20, "9s"))
    await store.versions.observed(seen(10, "5s"))
    await store.versions.observed(seen(20, "9s"))
    assert await spans(store) == [("9s", 0, None)]


async def pause(store):
    return [
        tuple(t and (t - T0) / timedelta(minutes=1) for t in (p.from_at, p.certain_from, p.certain_to, p.to_at))
        for p in await store.versions.pauses("s", at(0), at(1000))
    ]


async def test_a_pause_and_a_resumption_lie_between_two_looks(store):
    for look in (seen(10), seen(20, writes=2, paused=True), seen(30, writes=2, paused=True), seen(40, writes=3)):
        await store.versions.observed(look)
    assert await pause(store) == [(10, 20, 30, 40)]


async def test_a_pause_by_an_update_began_when_the_server_says(store):
    await store.versions.observed(seen(10))
    await store.versions.observed(seen(20, writes=2, updated=13, paused=True))
    await store.versions.observed(seen(30, writes=3, updated=24))
    assert await pause(store) == [(13, 13, 24, 24)]


async def test_a_pause_that_was_told_is_exact(store):
    def told(n, action, *, before, after):
        documents = {"before": {"paused": before}, "after": {"paused": after}}
        return AuditEntry(actor="ann", action=action, schedule_id="s", at=at(n), **documents)

    await store.versions.observed(seen(10))
    await store.audit.record(told(12, "pause", before=False, after=True), told(13, "pause", before=False, after=True))
    await store.versions.observed(seen(20, writes=2, paused=True))
    await store.audit.record(told(25, "resume", before=True, after=False))
    await store.versions.observed(seen(30, writes=3))
    assert await pause(store) == [(12, 12, 25, 25)]


async def test_a_pause_that_came_and_went_unseen_is_possible_and_nowhere_certain(store):
    await store.versions.observed(seen(10))
    await store.versions.observed(seen(20, writes=3))
    assert await pause(store) == [(10, 20, 10, 20)]


async def test_looks_that_nothing_needs_are_forgotten_but_for_the_last(store):
    for n in (10, 20, 30, 40):
        await store.versions.observed(seen(n))
    await store.versions.forget_observations("s", at(25))
    assert [row["at"] for row in await store.versions.observations("s", at(0))] == [
        int(at(n).timestamp()) for n in (20, 30, 40)
    ]
    assert [row["at"] for row in await store.versions.observations("s", at(35))] == [
        int(at(n).timestamp()) for n in (30, 40)
    ]
