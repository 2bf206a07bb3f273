"""One schedule: what was expected, what happened, and what that means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from pydantic import BaseModel, ConfigDict, Field
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import SchedulePolicies, ScheduleSpec
from temporalio.client import Client

from trenova_schedules._reading import ScheduleSnapshot, read_schedule
from trenova_schedules._slo import ScheduleSlo
from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.ledger._classify import Verdict, classify
from trenova_schedules.ledger._evidence import Evidence, Look, Overlap, Pause, VersionInForce
from trenova_schedules.ledger._expected import expected_before, expected_now
from trenova_schedules.ledger._made_up import made_up
from trenova_schedules.ledger._visible_runs import visible_runs
from trenova_schedules.store import Observation, RegisteredSchedule, ScheduleStore, SpecVersion

_YEAR_S: Final = 365 * 86_400


class LedgerOptions(BaseModel):
    """How far the ledger looks.

    Attributes:
        lookback: How far the first harvest of a schedule goes back; no further than the namespace keeps closed runs.
        recheck: For how long a class may still change, since a run that is missing may yet show up.
        longest: After how long a class is final in any case, though a run goes on.
        ahead: How far into the future pending ticks are written. For a schedule with jitter, longer than the time
            between two harvests, or an edit between them hides what the specification before it expected.
        most_ticks: How many ticks of a schedule one harvest takes; the next goes on from there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lookback: timedelta = timedelta(hours=24)
    recheck: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(days=2)
    ahead: timedelta = timedelta(hours=3)
    most_ticks: int = Field(default=20_000, ge=100)


@dataclass(frozen=True)
class Harvested:
    """What a harvest of one schedule found.

    Attributes:
        snapshot: The schedule.
        ticks: Everything that was written, in order of time.
        settled: Of these, what has become final.
        now: When it was read.
    """

    snapshot: ScheduleSnapshot
    ticks: Sequence[Tick]
    settled: Sequence[Tick]
    now: datetime


async def harvest_schedule(
    client: Client,
    store: ScheduleStore,
    schedule_id: str,
    *,
    retention: timedelta,
    options: LedgerOptions | None = None,
) -> Harvested:
    """Look at one schedule and write what became of its ticks; doing it again finds the same.

    Args:
        client: Of the schedule's namespace.
        store: Migrated.
        schedule_id: Of the schedule.
        retention: For how long the namespace keeps closed runs.
        options: How far to look.

    Raises:
        ResourceNotFoundError: There is no such schedule any more.
        temporalio.service.RPCError: The server could not be asked.
        UnavailableError: The store cannot be reached.
    """
    options = options or LedgerOptions()
    snapshot = await read_schedule(client, schedule_id)
    now = datetime.now(UTC)
    seen = Observation.of(schedule_id, snapshot.raw, at=now)
    await store.versions.observed(seen)
    await store.registry.seen([registered(snapshot, now)])
    known = await store.registry.find(schedule_id)
    since = max(seen.created_at, now - min(options.lookback, retention))
    if known is not None and known.settled_to is not None:
        since = max(known.settled_to, now - options.longest)
    versions = await store.versions.between(schedule_id, since, now)
    current = max(since, versions[-1].from_at) if versions else since
    ahead, most = now + options.ahead, options.most_ticks
    fires = await expected_now(client, snapshot, current, ahead, limit=most)
    ticks = sorted({*fires, *await expected_before(client, store, versions, since, limit=10 * most)})
    observations = await store.versions.observations(schedule_id, since)
    runs = await visible_runs(client, schedule_id, since)
    evidence = Evidence(
        runs=runs,
        versions=[_in_force(version) for version in versions],
        pauses=[
            Pause(*map(_seconds, (pause.from_at, pause.certain_from)), *map(_maybe, (pause.certain_to, pause.to_at)))
            for pause in await store.versions.pauses(schedule_id, since, now)
        ],
        looks=_looks(seen, since, observations),
        runs_from=_seconds(now - retention),
        ticks_from=_seconds(since),
        now=_seconds(now),
        margin_s=(snapshot.document.slo or ScheduleSlo()).margin.total_seconds(),
    )
    found = [_tick(schedule_id, verdict, now) for verdict in classify(ticks, evidence)]
    await store.ticks.replace(schedule_id, since + timedelta(seconds=1), ahead, found)
    jitter = timedelta(seconds=max((version.jitter_s for version in evidence.versions), default=0))
    await made_up(store, schedule_id, runs, until=since, jitter=jitter, now=now)
    settled_to = _settled_to(found, [look.at for look in evidence.looks], since, now, options)
    await store.registry.settled(schedule_id, settled_to)
    await store.versions.forget_observations(schedule_id, settled_to)
    return Harvested(snapshot, found, [tick for tick in found if tick.at <= settled_to], now)


def registered(snapshot: ScheduleSnapshot, now: datetime) -> RegisteredSchedule:
    """Return what the registry keeps of a schedule."""
    document = snapshot.document
    return RegisteredSchedule(
        schedule_id=document.id,
        owner=document.owner,
        workflow=document.workflow,
        task_queue=document.task_queue,
        paused=document.paused,
        labels=document.labels,
        first_seen_at=now,
        seen_at=now,
    )


def _in_force(version: SpecVersion) -> VersionInForce:
    policy = ParseDict(dict(version.policy), SchedulePolicies(), ignore_unknown_fields=True)
    spec = ParseDict(dict(version.specification), ScheduleSpec(), ignore_unknown_fields=True)
    overlap = policy.overlap_policy or ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP
    window = policy.catchup_window
    return VersionInForce(
        from_at=_seconds(version.from_at),
        to_at=_maybe(version.to_at),
        overlap=Overlap(overlap),
        catchup_s=window.seconds + window.nanos / 1e9 if policy.HasField("catchup_window") else _YEAR_S,
        jitter_s=spec.jitter.seconds + spec.jitter.nanos / 1e9,
    )


def _looks(seen: Observation, since: datetime, observations: Sequence[Mapping[str, Any]]) -> list[Look]:
    """Return counters; if nobody has looked at them before, since they began with zeros."""
    names = ("at", "missed_catchup", "skipped_overlap", "buffer_dropped", "buffer_size")
    looks = [Look(**{name: row[name] for name in names}) for row in observations]
    begun = min(_seconds(seen.created_at), _seconds(since))
    return looks if looks and looks[0].at <= _seconds(since) else [Look(begun), *looks]


def _settled_to(
    ticks: Sequence[Tick], looks: Sequence[int], since: datetime, now: datetime, options: LedgerOptions
) -> datetime:
    """Return the last look before which nothing can change; counters are only read between looks."""
    undecided = (tick.at for tick in ticks if tick.state is TickClass.PENDING or _runs(tick))
    until = max(min(min(undecided, default=now), now - options.recheck), now - options.longest)
    if len(ticks) >= options.most_ticks:
        until = min(until, ticks[-1].at)
    return datetime.fromtimestamp(max((look for look in looks if look < _seconds(until)), default=_seconds(since)), UTC)


def _runs(tick: Tick) -> bool:
    return tick.started_at is not None and tick.closed_at is None


def _tick(schedule_id: str, verdict: Verdict, now: datetime) -> Tick:
    run = verdict.run
    return Tick.model_construct(
        schedule_id=schedule_id,
        at=datetime.fromtimestamp(verdict.at, UTC),
        state=verdict.state,
        reason=verdict.reason,
        nominal_at=None if run is None else datetime.fromtimestamp(run.nominal, UTC),
        started_at=None if run is None else datetime.fromtimestamp(int(run.started), UTC),
        closed_at=None if run is None or run.closed is None else datetime.fromtimestamp(int(run.closed), UTC),
        workflow_id=None if run is None else run.workflow_id,
        run_id=None if run is None else run.run_id,
        status=None if run is None else run.status,
        observed_at=now.replace(microsecond=0),
    )


def _seconds(at: datetime) -> int:
    return int(at.timestamp() // 1)


def _maybe(at: datetime | None) -> int | None:
    return None if at is None else _seconds(at)
