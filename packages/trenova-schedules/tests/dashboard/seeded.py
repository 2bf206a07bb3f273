"""Trouble, planted: ticks of every class, pauses and changes in the store of a site."""

import asyncio
from datetime import UTC, datetime, timedelta

from trenova_schedules.store import AlertState, Tick, TickClass

HOUR = timedelta(hours=1)


def keep(site, work):
    """Run a coroutine of the site's store in the site's loop."""
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(60)


def ticks(schedule_id, states, *, every=HOUR, last=None, took=timedelta(minutes=3)):
    """Make ticks of these classes up to ``last`` (an hour ago), the oldest first."""
    last = last or datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    begun = {"on_time", "late", "delayed_overlap"}
    found = []
    for back, state in enumerate(reversed(states)):
        at = last - back * every
        name, _, status = state.partition(":")
        fields = {"schedule_id": schedule_id, "at": at, "class": name, "observed_at": last}
        if name in begun:
            started = at + (timedelta(minutes=4) if name != "on_time" else timedelta(seconds=1))
            fields |= {"started_at": started, "workflow_id": f"{schedule_id}-{back}", "run_id": f"r{back}"}
            fields |= {"status": status or "COMPLETED", "closed_at": None if status == "RUNNING" else started + took}
        found.append(Tick.model_validate(fields))
    return found[::-1]


def plant(site, schedule_id, states, **more):
    """Write them into the ledger."""
    made = ticks(schedule_id, states, **more)
    keep(site, site.store.ticks.upsert(made))
    return made


def fail(site, schedule_id, since):
    """Let a schedule miss its objective."""
    state = AlertState(schedule_id=schedule_id, bad=1, judged_to=since, failing_since=since)
    keep(site, site.store.alerts.keep(state))


EVERY_CLASS = [*(state.value for state in TickClass if state is not TickClass.PENDING), "on_time:FAILED", "on_time"]
