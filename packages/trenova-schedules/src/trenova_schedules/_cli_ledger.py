"""``trenova-schedules ledger``: what became of every tick."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from trenova_errors import ResourceNotFoundError
from trenova_schedules._cli_output import AsJson, moment, print_json, print_table
from trenova_schedules._cli_store import DEFAULT_DATA_DIR, DataDir, Url, time_of, with_store
from trenova_schedules._tick import Tick, TickClass

if TYPE_CHECKING:
    from trenova_schedules.store import ScheduleStore

_WORDS = {
    TickClass.ON_TIME: "on time",
    TickClass.LATE: "late",
    TickClass.DELAYED_OVERLAP: "delayed by overlap",
    TickClass.SKIPPED_OVERLAP: "skipped by overlap",
    TickClass.MISSED_CATCHUP: "missed (catch-up window over)",
    TickClass.DROPPED_BUFFER: "dropped (buffer full)",
    TickClass.PAUSED: "paused",
    TickClass.PENDING: "pending",
    TickClass.REAL_MISS: "really missed",
    TickClass.INCONCLUSIVE: "inconclusive",
}
_MOST_SEEN = 100_000
Time = Annotated[str | None, typer.Option(help="ISO 8601, or how long ago: 7d, 2h.", show_default=False)]


def ledger(  # noqa: PLR0917 - typer makes options of them
    schedule: Annotated[str | None, typer.Argument(metavar="[ID]", help="One schedule.", show_default=False)] = None,
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601, or how long ago.", show_default="7d")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601, or how long ago.", show_default="now")] = None,
    only: Annotated[list[TickClass] | None, typer.Option("--class", help="Only these.", show_default=False)] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count, in a sentence for each schedule.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many ticks, the earliest first.")] = 1000,
    as_json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show what became of every tick of a schedule, or count them by class for all; of the last week by default."""
    now = datetime.now(UTC)
    window = (
        time_of(start, name="from", default=now - timedelta(days=7)),
        time_of(end, name="to", default=now),
    )
    if window[0] >= window[1]:
        raise typer.BadParameter("is not before --to", param_hint="--from")
    if schedule is None or summary:

        async def count(store: "ScheduleStore") -> Mapping[str, Counter[TickClass]]:
            if schedule is not None:
                await _known_since(store, schedule)
            ids = None if schedule is None else [schedule]
            return await store.ticks.summary(*window, schedule_ids=ids)

        counts = with_store(url, data_dir, count)
        _print_summary(counts, window, as_json=as_json)
        return

    async def read(store: "ScheduleStore") -> tuple[datetime | None, list[Tick]]:
        first = await _known_since(store, schedule)
        return first, await store.ticks.read(schedule, *window, states=only or None, limit=limit)

    first, ticks = with_store(url, data_dir, read)
    if as_json:
        print_json(ticks)
        return
    _print_ticks(ticks)
    typer.echo("No tick is known yet." if first is None else f"Ticks are known since {moment(first)}.")


async def _known_since(store: "ScheduleStore", schedule: str) -> datetime | None:
    """Return the first tick that is known of a schedule, None where it was seen and has none.

    Raises:
        ResourceNotFoundError: No harvest has ever seen it.
    """
    first = await store.ticks.first(schedule)
    if first is None and await store.registry.find(schedule) is None:
        seen = [one.schedule_id for one in await store.registry.read(limit=_MOST_SEEN, gone=True)]
        near = ", ".join(map(repr, get_close_matches(schedule, seen)))
        raise ResourceNotFoundError(
            f"The ledger has never seen a schedule {schedule!r}. "
            + (f"Did you mean {near}?" if near else "`trenova-schedules list` shows those that there are now.")
        )
    return first


def _print_ticks(ticks: list[Tick]) -> None:
    print_table(
        ("expected", "class", "delay", "run", "why"),
        [
            (
                moment(tick.at),
                _WORDS[tick.state],
                "" if tick.delay is None else f"{tick.delay.total_seconds():.0f} s",
                tick.status or "",
                tick.reason,
            )
            for tick in ticks
        ],
    )


def _print_summary(
    counts: Mapping[str, Counter[TickClass]], window: tuple[datetime, datetime], *, as_json: bool
) -> None:
    if as_json:
        plain = {name: {str(state): number for state, number in of.items()} for name, of in counts.items()}
        print_json({"from": window[0].isoformat(), "to": window[1].isoformat(), "schedules": plain})
        return
    typer.echo(f"From {moment(window[0])} to {moment(window[1])}:")
    for schedule_id, counted in counts.items():
        typer.echo(f"{schedule_id}: {sentence(counted)}")
    if len(counts) > 1:
        typer.echo(f"All {len(counts)}: {sentence(sum(counts.values(), Counter()))}")
    elif not counts:
        typer.echo("Nothing; the ledger is filled by HarvestScheduleLedgerWorkflow.")


def sentence(counts: Counter[TickClass]) -> str:
    """Say counts in a sentence, such as ``412 expected, 409 on time, 2 skipped by overlap, 1 really missed.``."""
    parts = [f"{counts[state]} {words}" for state, words in _WORDS.items() if counts[state]]
    return ", ".join([f"{counts.total()} expected", *parts]) + "."
