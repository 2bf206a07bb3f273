import asyncio
from datetime import timedelta

import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleSpec,
)

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules import (
    OWNER_MEMO,
    Actor,
    BulkAction,
    CatchUp,
    Receipt,
    ScheduleDefinition,
    ScheduleFilter,
    ScheduleService,
    ScheduleSort,
)

ANN = Actor(name="ann", verified=True)


class Sink:
    def __init__(self):
        self.entries = []

    async def begin(self, entry):
        assert entry.id not in {one.id for one in self.entries}

    async def forget(self, entry):
        pass

    async def record(self, *entries):
        self.entries += entries


class Receipts:
    """Keeps receipts in memory, and how often one was kept."""

    def __init__(self):
        self.kept = {}
        self.times = 0

    async def keep(self, receipt):
        self.kept[receipt.id] = receipt
        self.times += 1

    async def find(self, receipt_id):
        return self.kept.get(receipt_id)

    async def undone(self, receipt_id, *, actor):
        receipt = self.kept[receipt_id]
        self.kept[receipt_id] = receipt.model_copy(update={"undone_at": receipt.created_at, "undone_by": actor})
        return True


class Known:
    def __init__(self, schedule_id, **fields):
        self.schedule_id = schedule_id
        self.owner, self.workflow, self.task_queue = "system-worker", "W", "q"
        self.paused, self.labels = False, {}
        self.__dict__.update(fields)


class Registry:
    def __init__(self, *known):
        self.known = sorted(known, key=lambda one: one.schedule_id)

    async def read(self, *, after="", limit=1000, owner=None):
        found = [one for one in self.known if one.schedule_id > after and owner in {None, one.owner}]
        return found[:limit]


async def create(client, schedule_id, *, every=3600, owner="system-worker", workflow="W"):
    await client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow(workflow, id=schedule_id, task_queue="q"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=every))]),
            policy=SchedulePolicy(catchup_window=timedelta(hours=1)),
        ),
        memo={OWNER_MEMO: owner} if owner else None,
    )


async def listed(service, count, wanted=None):
    """List until as many are there; the server's list is late by a moment."""
    for _ in range(100):
        page = await service.list(wanted, limit=10_000)
        if page.total == count:
            break
        await asyncio.sleep(0.1)
    assert page.total == count
    return page


@pytest.fixture
async def service(client):
    service = ScheduleService(client=client, serves=False, audit=Sink(), receipts=Receipts())
    for name in ("a-1", "a-2", "b-1"):
        await create(client, name)
    await create(client, "foreign", owner=None, workflow="Other")
    await listed(service, 4)
    return service


async def test_lists_are_filtered_sorted_and_cut_into_pages(service):
    async def ids(wanted=None, **options):
        return [one.id for one in (await service.list(wanted, **options)).schedules]

    assert await ids() == ["a-1", "a-2", "b-1", "foreign"]
    assert await ids(descending=True) == ["foreign", "b-1", "a-2", "a-1"]
    assert await ids(ScheduleFilter(prefix="a-")) == ["a-1", "a-2"]
    assert await ids(ScheduleFilter(owner="")) == ["foreign"]
    assert await ids(ScheduleFilter(owner="system-worker", search="B-")) == ["b-1"]
    assert await ids(ScheduleFilter(workflow="Other")) == ["foreign"]
    assert await ids(ScheduleFilter(ids=("a-2", "foreign", "gone"))) == ["a-2", "foreign"]
    assert await ids(ScheduleFilter(task_queue="q")) == ["a-1", "a-2", "b-1", "foreign"]
    assert await ids(ScheduleFilter(task_queue="elsewhere")) == []
    assert await ids(ScheduleFilter(query="ScheduleId = 'b-1'")) == ["b-1"]
    assert await ids(sort=ScheduleSort.WORKFLOW) == ["foreign", "a-1", "a-2", "b-1"]
    for descending in (False, True):
        page = await service.list(limit=3, sort=ScheduleSort.NEXT_FIRE, descending=descending)
        rest = await service.list(limit=3, sort=ScheduleSort.NEXT_FIRE, descending=descending, cursor=page.next_cursor)
        assert (page.total, len(page.schedules), len(rest.schedules), rest.next_cursor) == (4, 3, 1, None)
        assert len({one.id for one in (*page.schedules, *rest.schedules)}) == 4


async def test_a_line_of_a_list_says_what_the_server_lists_and_with_details_everything(service):
    (line,) = (await service.list(ScheduleFilter(prefix="b-"))).schedules
    assert (line.source, line.owner, line.workflow, line.document) == ("list", "system-worker", "W", None)
    assert (line.intervals[0].every, len(line.next_fires)) == (timedelta(hours=1), 5)

    (detailed,) = (await service.list(ScheduleFilter(prefix="b-"), details=True)).schedules

    assert detailed.document == await service.describe("b-1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wanted": ScheduleFilter(query="Nope = 1")}, "does not take this filter"),
        ({"cursor": "bm9wZQ"}, "is no cursor"),
        ({"limit": 0}, "A page has 1 to 10000"),
        ({"live": False}, "no registry"),
    ],
)
async def test_a_list_that_cannot_be_made_says_why(service, options, said):
    wanted = options.pop("wanted", None)
    with pytest.raises(InvalidInputError, match=said):
        await service.list(wanted, **options)


async def test_a_registry_adds_labels_and_what_the_server_lost_and_answers_alone_when_asked(client, service):
    await create(client, "c-1")  # most likely not in the server's list yet
    registry = Registry(Known("a-1", labels={"team": "ops"}), Known("c-1", labels={"team": "ops"}), Known("gone"))
    service = ScheduleService(client=client, registry=registry)

    found = (await service.list(ScheduleFilter(labels={"team": "ops"}))).schedules
    alone = (await service.list(ScheduleFilter(search="OPS"), live=False)).schedules

    assert [one.id for one in found if one.id == "a-1"] == ["a-1"]
    assert {one.source for one in alone} == {"registry"}
    assert [one.id for one in alone] == ["a-1", "c-1"]
    assert "gone" not in [one.id for one in (await service.list()).schedules]


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(service):
    await service.pause("a-2", reason="audit", actor=ANN)
    before = [await service.describe(name) for name in ("a-1", "a-2", "b-1")]

    result = await service.bulk(
        BulkAction.PAUSE, ScheduleFilter(owner="system-worker"), reason="move", actor=ANN, dry_run=True
    )

    assert [(item.schedule_id, item.outcome) for item in result.items] == [
        ("a-1", "planned"),
        ("a-2", "unchanged"),
        ("b-1", "planned"),
    ]
    assert (result.dry_run, result.receipt, dict(result.counts)) == (True, None, {"planned": 2, "unchanged": 1})
    assert [await service.describe(name) for name in ("a-1", "a-2", "b-1")] == before


async def test_a_receipt_resumes_exactly_the_set_that_was_paused(service):
    await service.pause("a-2", reason="audit", actor=ANN)
    done = await service.bulk(BulkAction.PAUSE, ScheduleFilter(owner="system-worker"), reason="move", actor=ANN)
    assert dict(done.counts) == {"done": 2, "unchanged": 1}
    assert [item["scheduleId"] for item in done.receipt.items] == ["a-1", "b-1"]
    assert (await service.describe("a-1")).note == "Paused by ann: move"
    assert not (await service.describe("foreign")).paused

    undone = await service.undo(done.receipt.id, reason="moved", actor=ANN)

    assert dict(undone.counts) == {"done": 2}
    paused = {name: (await service.describe(name)).paused for name in ("a-1", "a-2", "b-1")}
    assert paused == {"a-1": False, "a-2": True, "b-1": False}
    with pytest.raises(ConflictError, match="was undone at"):
        await service.undo(done.receipt.id, reason="again", actor=ANN)
    actions = [(entry.action, entry.schedule_id) for entry in service.audit.entries]
    assert actions[0] == ("pause", "a-2")
    assert sorted(actions[1:3]) == [("pause", "a-1"), ("pause", "b-1")]
    assert sorted(actions[3:]) == [("undo", "a-1"), ("undo", "b-1")]
    for entry in service.audit.entries[3:]:
        assert (entry.before["paused"], entry.after["paused"]) == (True, False), "the ledger learns it from here"
        assert entry.reason == "moved"


async def test_an_undo_leaves_alone_what_somebody_has_changed_since(client):
    service = ScheduleService(client=client, serves=False)
    for name in ("a-1", "a-2"):
        await create(client, name)
    await listed(service, 2)
    patch = {"cron": "15 4 * * *", "note": "moved"}
    done = await service.bulk(BulkAction.UPDATE, ScheduleFilter(prefix="a-"), patch=patch, reason="move", actor=ANN)
    receipt = Receipt.model_validate_json(done.receipt.model_dump_json(by_alias=True))
    assert {(await service.describe(name)).cron for name in ("a-1", "a-2")} == {"15 4 * * *"}
    await service.patch("a-2", {"note": "mine"}, etag="*", actor=ANN)

    undone = await service.undo(receipt, reason="back", actor=ANN)

    assert [(item.schedule_id, item.outcome) for item in undone.items] == [("a-1", "done"), ("a-2", "conflict")]
    first, second = await service.describe("a-1"), await service.describe("a-2")
    assert (first.cron, first.calendars, first.intervals[0].every, first.note) == (None, (), timedelta(hours=1), "")
    assert (second.cron, second.note) == ("15 4 * * *", "mine")


async def test_a_dry_run_of_an_undo_says_what_would_become_of_each_and_does_nothing(client):
    service = ScheduleService(client=client, serves=False, receipts=Receipts())
    for name in ("a-1", "a-2", "a-3", "a-4"):
        await create(client, name)
    await listed(service, 4)
    done = await service.bulk(BulkAction.PAUSE, ScheduleFilter(prefix="a-"), reason="move", actor=ANN)
    await service.resume("a-2", reason="mine", actor=ANN)
    await service.patch("a-3", {"note": ""}, etag="*", actor=ANN)
    await service.resume("a-3", reason="as it was", actor=ANN)
    await service.patch("a-3", {"note": None}, etag="*", actor=ANN)
    await service.delete("a-4", reason="over", actor=ANN)
    before = [await service.describe(name) for name in ("a-1", "a-2", "a-3")]

    plan = await service.undo(done.receipt.id, reason="", actor=ANN, dry_run=True)

    assert plan.dry_run
    assert [(item.schedule_id, item.outcome) for item in plan.items] == [
        ("a-1", "planned"),
        ("a-2", "conflict"),
        ("a-3", "unchanged"),
        ("a-4", "failed"),
    ]
    assert plan.items[0].reason == "would be resumed"
    assert [await service.describe(name) for name in ("a-1", "a-2", "a-3")] == before
    undone = await service.undo(done.receipt.id, reason="back", actor=ANN)
    assert {item.schedule_id: item.outcome for item in undone.items} == {
        item.schedule_id: "done" if item.outcome == "planned" else item.outcome for item in plan.items
    }


async def test_a_dry_run_of_an_undo_names_the_fields_that_become_what_they_were(client):
    service = ScheduleService(client=client, serves=False)
    await create(client, "a-1")
    patch = {"cron": "15 4 * * *", "overlap": "allow_all", "note": "moved"}
    done = await service.bulk(BulkAction.UPDATE, ScheduleFilter(ids=("a-1",)), patch=patch, reason="move", actor=ANN)

    (item,) = (await service.undo(done.receipt, reason="", actor=ANN, dry_run=True)).items

    assert item.reason == "would be as before: note, cron, overlap"


async def test_what_has_changed_since_the_dry_run_is_left_alone(client):
    service = ScheduleService(client=client, serves=False)
    for name in ("a-1", "a-2"):
        await create(client, name)
    wanted = ScheduleFilter(ids=("a-1", "a-2"))
    for action in (BulkAction.PAUSE, BulkAction.UPDATE, BulkAction.TRIGGER, BulkAction.DELETE):
        patch = {"overlap": "buffer_one"} if action is BulkAction.UPDATE else None
        told = {"patch": patch, "reason": "move", "actor": ANN}
        plan = await service.bulk(action, wanted, dry_run=True, **told)
        etags = {item.schedule_id: item.etag for item in plan.items}
        await service.patch("a-2", {"note": f"mine, before {action}"}, etag="*", actor=ANN)

        again = await service.bulk(action, wanted, dry_run=True, etags=etags, **told)
        done = await service.bulk(action, wanted, etags=etags, **told)

        assert [item.outcome for item in plan.items] == ["planned", "planned"], action
        assert [item.outcome for item in again.items] == ["planned", "conflict"], action
        assert [item.outcome for item in done.items] == ["done", "conflict"], action
    left = await service.describe("a-2")
    assert (left.note, left.paused, left.overlap, left.counts.actions) == ("mine, before delete", False, "skip", 0)


async def test_a_dry_run_of_an_update_tells_what_is_so_already(service):
    patch = {"overlap": "buffer_one"}
    await service.patch("a-1", patch, etag="*", actor=ANN)

    plan = await service.bulk(
        BulkAction.UPDATE, ScheduleFilter(prefix="a-"), patch=patch, reason="", actor=ANN, dry_run=True
    )

    assert [(item.outcome, item.reason) for item in plan.items] == [("unchanged", "it is so already"), ("planned", "")]


@pytest.mark.parametrize("died_at", [1, 2])
@pytest.mark.parametrize(
    ("action", "patch"),
    [
        (BulkAction.PAUSE, None),
        (BulkAction.UPDATE, {"cron": "15 4 * * *", "time_zone": "Europe/Berlin"}),
        (BulkAction.UPDATE, {"interval": "PT2H", "catchup_window": "PT5M", "note": "moved"}),
    ],
)
async def test_a_bulk_action_that_was_killed_can_be_undone(service, died_at, action, patch):
    class Died(BaseException):
        pass

    unlike = {"etag", "revision", "updated_at", "next_fires"}
    before = (await service.describe("a-1")).model_dump(exclude=unlike)
    receipts = service.receipts
    keep = receipts.keep

    async def keep_or_die(receipt):
        if receipts.times + 1 == died_at == 2:
            raise Died
        await keep(receipt)
        if died_at == 1:
            raise Died

    receipts.keep = keep_or_die
    with pytest.raises(Died):
        await service.bulk(action, ScheduleFilter(prefix="a-"), patch=patch, reason="move", actor=ANN)
    receipts.keep = keep
    (receipt,) = receipts.kept.values()
    assert [item["scheduleId"] for item in receipt.items] == ["a-1", "a-2"]
    assert ((await service.describe("a-1")).model_dump(exclude=unlike) != before) == (died_at == 2)

    undone = await service.undo(receipt.id, reason="back", actor=ANN)

    assert dict(undone.counts) == {"unchanged" if died_at == 1 else "done": 2}
    after = (await service.describe("a-1")).model_dump(exclude=unlike)
    assert after | {"note": ""} == before | {"note": ""}


async def test_bulk_actions_have_bounds(service):
    everything = ScheduleFilter()
    refused = [
        ({"wanted": everything, "action": BulkAction.PAUSE}, "matches every schedule"),
        ({"wanted": ScheduleFilter(prefix="a-"), "action": BulkAction.PAUSE, "most": 1}, "2 schedules match"),
        ({"wanted": ScheduleFilter(prefix="a-"), "action": BulkAction.UPDATE}, "needs a patch"),
        ({"wanted": ScheduleFilter(prefix="a-"), "action": BulkAction.PAUSE, "reason": ""}, "A reason of"),
        (
            {"wanted": ScheduleFilter(prefix="a-"), "action": BulkAction.UPDATE, "patch": {"cron": "x"}},
            "has 1 fields",
        ),
    ]
    for options, said in refused:
        with pytest.raises(InvalidInputError, match=said):
            await service.bulk(**{"reason": "move", "actor": ANN, **options})
    with pytest.raises(ResourceNotFoundError, match="No receipt with id 'nope'"):
        await service.undo("nope", reason="back", actor=ANN)
    assert not any(one.paused for one in (await service.list()).schedules)


async def test_one_that_fails_fails_alone(service):
    patch = {"cron": "0 0 31 2 *"}
    result = await service.bulk(BulkAction.UPDATE, ScheduleFilter(prefix="a-"), patch=patch, reason="move", actor=ANN)
    assert dict(result.counts) == {"failed": 2}
    assert all("would never fire" in item.reason for item in result.items)

    deleted = await service.bulk(BulkAction.DELETE, ScheduleFilter(prefix="b-"), reason="old", actor=ANN)

    assert (dict(deleted.counts), deleted.receipt) == ({"done": 1}, None)
    with pytest.raises(ResourceNotFoundError):
        await service.describe("b-1")


async def test_a_bulk_resume_says_how_many_ticks_it_would_start(client):
    service = ScheduleService(client=client, serves=False)
    await create(client, "a-1", every=1)
    await listed(service, 1)
    await service.pause("a-1", reason="audit", actor=ANN)
    await asyncio.sleep(3)

    plan = await service.bulk(
        BulkAction.RESUME,
        ScheduleFilter(prefix="a-"),
        catch_up=CatchUp.ALL,
        reason="done",
        actor=ANN,
        dry_run=True,
    )

    (item,) = plan.items
    assert int(item.reason.split()[0]) >= 2
    assert item.reason.endswith("missed ticks would be started")
    assert item.starts == int(item.reason.split()[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_thousand_schedules_are_listed_searched_and_paused(client):
    service = ScheduleService(client=client, serves=False)
    limit = asyncio.Semaphore(20)

    async def one(number):
        async with limit:
            await create(client, f"s-{number:04}", owner="even" if number % 2 == 0 else "odd")

    await asyncio.gather(*map(one, range(1000)))
    await listed(service, 1000)
    assert (await service.list(ScheduleFilter(search="S-09", owner="odd"))).total == 50

    done = await service.bulk(BulkAction.PAUSE, ScheduleFilter(owner="odd"), reason="move", actor=ANN)
    undone = await service.undo(done.receipt, reason="back", actor=ANN)

    assert (dict(done.counts), dict(undone.counts)) == ({"done": 500}, {"done": 500})


async def test_the_organization_of_a_schedule_is_in_the_audit_of_bulk_actions(client):
    audit = Sink()
    service = ScheduleService(client=client, audit=audit, serves=False)
    told = ScheduleDefinition(
        id="o-1",
        workflow="W",
        task_queue="q",
        cron="0 4 * * *",
        owner="ann",
        catchup_window=timedelta(hours=1),
        labels={"organization": "acme"},
    )
    await service.create(told, actor=ANN)
    await listed(service, 1)
    await service.bulk(BulkAction.PAUSE, ScheduleFilter(ids=("o-1",)), reason="move", actor=ANN)
    assert [entry.organization_id for entry in audit.entries] == ["acme", "acme"]
