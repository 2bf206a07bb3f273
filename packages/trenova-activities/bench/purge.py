"""What the nightly purge of the audit log reaches on PostgreSQL, beside people at work.

The job runs in this process, through its activity and the function that ``allow-retention`` makes in an append-only
log. Its database is a current TMS with the index that docs/postgresql-roles.md recommends; every round works on a
fresh copy. People at work are another process (see ``bulk/traffic.py``) at 30 % of what it reaches alone.

Three parts. ``traffic``: the purge beside people, and the same rows deleted by one statement beside the same people.
``snapshot``: the purge while another session holds an old snapshot, and without. ``size``: the cost of an entry in
logs of two sizes; ``--largest 10000000`` adds a third, for which an hour and 20 GB of disk should be free. A part's
ratios are of rounds that follow each other. Exits 1 when a target is missed; ``--quick`` purges too little to judge by.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bulk.audit_log import LogSize, fill
from bulk.conditions import read_conditions
from bulk.purges import Purged, old_snapshot, one_delete, purge
from bulk.site import Site, site
from bulk.tables import Table, as_markdown
from bulk.traffic import Served, beside, served_alone, solo_maximum
from bulk.verdicts import Verdict, at_least, at_most

from trenova_activities.database import PaceOptions

SHARE = 0.3
RATE, BATCH_MS, SLOWER = 50_000, 50, 1.5
SNAPSHOT = 0.4
COST = 1.5
PARTS = ("traffic", "snapshot", "size")
_COLUMNS = (
    *("entries/s", "batch p50, ms", "batch p95, ms", "longest, ms"),
    *("CPU here, us an entry", "CPU of the server, us an entry"),
)


@dataclass
class Beside:
    """Rounds beside people.

    Attributes:
        rate: Operations per second that were due.
        alone: What people met before.
        job: The purge.
        during_job: What people met beside it.
        statement: The single statement.
        during_statement: What people met beside that.
    """

    rate: float
    alone: list[Served] = field(default_factory=list)
    job: list[Purged] = field(default_factory=list)
    during_job: list[Served] = field(default_factory=list)
    statement: list[Purged] = field(default_factory=list)
    during_statement: list[Served] = field(default_factory=list)


async def traffic(
    where: Site, template: str, size: LogSize, *, rounds: int, alone_s: float, pace: PaceOptions
) -> tuple[Table, list[Verdict]]:
    """Measure the purge beside people, who are watched alone for so many seconds before each round."""
    async with where.copy(template) as url:
        solo = await solo_maximum(url, size.tenants, alone_s)
    found = Beside(solo * SHARE)
    for number in range(rounds):
        async with where.copy(template) as url:
            found.alone.append(await served_alone(url, size.tenants, found.rate, alone_s))
            async with beside(url, size.tenants, found.rate) as stop:
                found.job.append(await purge(where, url, pace))
                found.during_job.append(await stop())
        async with where.copy(template) as url, beside(url, size.tenants, found.rate) as stop:
            found.statement.append(await one_delete(where, url))
            found.during_statement.append(await stop())
        _told(number, rounds, "beside people", found.job[-1])
    ratios = [during.p95_ms / alone.p95_ms for during, alone in zip(found.during_job, found.alone, strict=True)]
    return _traffic_table(found, size, solo), [
        at_least("entries per second beside people", [one.per_second for one in found.job], RATE, ",.0f"),
        at_most("p95 of a batch beside people, ms", [one.batch_ms(0.95) for one in found.job], BATCH_MS, ".1f"),
        at_most("p95 of people beside the purge, by that without", ratios, SLOWER),
    ]


def _traffic_table(found: Beside, size: LogSize, solo: float) -> Table:
    about = (
        f"{size.describe()}. People: {found.rate:,.0f} operations per second on 4 connections, {SHARE:.0%} of the "
        f"{solo:,.0f} that they reach alone."
    )
    table = Table("Purge beside people at work", (*_COLUMNS, "people p50, ms", "people p95, ms"), about)
    nothing: tuple[Sequence[float], str] = ((), "")
    table.row("people alone", *[nothing] * len(_COLUMNS), *_served(found.alone))
    table.row("the job", *_purged(found.job), *_served(found.during_job))
    table.row("one DELETE", *_purged(found.statement), *_served(found.during_statement))
    table.note(f"where the job's time went: {_median_of(found.job).shares}; {_sizes(found.job)}")
    return table


async def snapshot_and_size(
    where: Site, templates: dict[LogSize, str], rounds: int, parts: Sequence[str]
) -> tuple[list[Table], list[Verdict]]:
    """Measure the purge with the database to itself: of each size, and of the second under an old snapshot."""
    middle = list(templates)[min(1, len(templates) - 1)]
    clear: dict[LogSize, list[Purged]] = {size: [] for size in templates if "size" in parts or size == middle}
    held: list[Purged] = []
    for number in range(rounds):
        for size, found in clear.items():
            async with where.copy(templates[size]) as url:
                found.append(await purge(where, url))
            _told(number, rounds, f"{size.outlived:,} entries", found[-1])
        if "snapshot" in parts:
            async with where.copy(templates[middle]) as url, old_snapshot(url):
                held.append(await purge(where, url))
            _told(number, rounds, "under an old snapshot", held[-1])
    tables, verdicts = [], []
    if held:
        table = Table("Purge under an old snapshot", _COLUMNS, middle.describe() + ".")
        table.row("without", *_purged(clear[middle]))
        table.row("old snapshot held", *_purged(held))
        ratios = [one.per_second / other.per_second for one, other in zip(held, clear[middle], strict=True)]
        verdicts.append(at_least("rate under an old snapshot, by that without", ratios, SNAPSHOT))
        tables.append(table)
    if "size" in parts:
        tables.append(_size_table(clear))
        verdicts.append(_cost(clear))
    return tables, verdicts


def _size_table(clear: dict[LogSize, list[Purged]]) -> Table:
    table = Table("Cost by the size of the log", (*_COLUMNS, "time, us an entry"))
    for size, found in clear.items():
        costs = [one.microseconds_each for one in found]
        table.row(f"{size.outlived:,} entries", *_purged(found), (costs, ".2f"))
        table.note(f"{size.outlived:,}: {_median_of(found).shares}; {_sizes(found)}")
    return table


def _cost(clear: dict[LogSize, list[Purged]]) -> Verdict:
    """Judge medians of sizes, as rounds of different sizes are no pairs."""
    costs = [statistics.median(one.microseconds_each for one in found) for found in clear.values()]
    sizes = ", ".join(f"{size.outlived:,}" for size in clear)
    return at_most(
        f"cost of an entry in the largest log, by that in the smallest ({sizes})", [costs[-1] / costs[0]], COST
    )


def _purged(found: Sequence[Purged]) -> list[tuple[Sequence[float], str]]:
    percentiles: list[tuple[float, str]] = [(0.5, ".1f"), (0.95, ".1f"), (1.0, ".0f")]
    cells: list[tuple[Sequence[float], str]] = [([one.per_second for one in found], ",.0f")]
    cells += [([one.batch_ms(share) for one in found], form) for share, form in percentiles]
    return [*cells, ([one.used.here / one.rows * 1e6 for one in found], ".1f"), (_of_server(found), ".1f")]


def _of_server(found: Sequence[Purged]) -> list[float]:
    return [one.used.server / one.rows * 1e6 for one in found]


def _served(found: Sequence[Served]) -> list[tuple[Sequence[float], str]]:
    return [([one.p50_ms for one in found], ".2f"), ([one.p95_ms for one in found], ".2f")]


def _median_of(found: Sequence[Purged]) -> Purged:
    return sorted(found, key=lambda one: one.per_second)[len(found) // 2]


def _sizes(found: Sequence[Purged]) -> str:
    one = _median_of(found)
    return f"{len(one.batches):,} batches of {one.rows / max(1, len(one.batches)):,.0f} on average"


def _told(number: int, rounds: int, what: str, one: Purged) -> None:
    print(
        f"  round {number + 1} of {rounds}: {what}: {one.per_second:,.0f}/s, p95 {one.batch_ms(0.95):.1f} ms",
        flush=True,
    )


async def bench(
    where: Site, sizes: Sequence[LogSize], parts: Sequence[str], *, rounds: int, alone_s: float, pace: PaceOptions
) -> tuple[list[Table], list[Verdict]]:
    """Fill a log of each size and measure the parts."""
    templates: dict[LogSize, str] = {}
    for size in sizes:
        templates[size] = await where.current_tms()
        await fill(templates[size], size)
        print(f"  filled: {size.describe()}", flush=True)
    tables, verdicts = [], []
    middle = sizes[min(1, len(sizes) - 1)]
    if "traffic" in parts:
        table, judged = await traffic(where, templates[middle], middle, rounds=rounds, alone_s=alone_s, pace=pace)
        tables, verdicts = [table], judged
    if "snapshot" in parts or "size" in parts:
        more, judged = await snapshot_and_size(where, templates, rounds, parts)
        tables, verdicts = [*tables, *more], [*verdicts, *judged]
    return tables, verdicts


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)}; all unless told")
    parser.add_argument(
        "--rows", type=int, help="outlived entries of the larger log (1,000,000; the smaller has a tenth)"
    )
    parser.add_argument("--largest", type=int, metavar="ROWS", help="a third size, e.g. 10000000")
    parser.add_argument("--tenants", type=int, default=10, help="organizations in each log (10)")
    parser.add_argument("--work-share", type=float, help="of the job beside people (the default of PaceOptions)")
    parser.add_argument("--rounds", type=int, help="5, or 1 with --quick")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, with the conditions")
    given = parser.parse_args()
    given.rows = given.rows or (20_000 if given.quick else 1_000_000)
    given.rounds = given.rounds or (1 if given.quick else 5)
    given.parts = [part for part in given.parts.split(",") if part]
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if min(given.rows // 10, given.tenants, given.rounds, given.largest or 1) < 1:
        parser.error("tenants and rounds are at least 1, rows at least 10")
    return given


def main() -> int:
    """Measure, print, and return the exit status."""
    given = arguments()
    small = given.rows // 10 if "size" in given.parts else 0
    rows = dict.fromkeys(filter(None, (small, given.rows, given.largest if "size" in given.parts else 0)))
    with site() as where:
        conditions = read_conditions(where)
        print("\n".join(f"{name}: {value}" for name, value in conditions.items()), flush=True)
        pace = PaceOptions() if given.work_share is None else PaceOptions(work_share=given.work_share)
        sizes = [LogSize(number, given.tenants) for number in rows]
        alone_s = 1 if given.quick else 5
        tables, verdicts = asyncio.run(
            bench(where, sizes, given.parts, rounds=given.rounds, alone_s=alone_s, pace=pace)
        )
    if given.quick:
        verdicts = []
    print("\n" + "\n\n".join(table.as_text() for table in tables) + "\n")
    print("\n".join(map(str, verdicts)))
    if given.markdown:
        given.markdown.write_text(as_markdown(conditions, tables, verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
