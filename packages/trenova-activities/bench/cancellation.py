"""What the nightly cancellation of stale shipments reaches on PostgreSQL, by the same effect in a few statements.

The job runs in this process, through its activity, a batch of shipments after the other, with its manifest. The
statements change the whole set at once in one transaction: shipments, moves, stops, assignments and an audit entry
each; a fingerprint of the tables says that the effect is the same. Both work on fresh copies of the same database, and
which comes first changes with every round. Exits 1 when the target is missed; ``--quick`` cancels too little to
judge by.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bulk.cancellations import Canceled, by_job, by_statements
from bulk.conditions import read_conditions
from bulk.fleet import FleetSize, fill
from bulk.site import Site, site
from bulk.tables import Table, as_markdown
from bulk.verdicts import Verdict, WrongResultError, at_least

LEAST = 0.5
WAYS = {"the job": by_job, "statements over the whole set": by_statements}


async def bench(where: Site, size: FleetSize, rounds: int) -> tuple[Table, list[Verdict]]:
    """Fill a fleet and cancel in both ways, round after round."""
    template = await where.current_tms()
    await fill(template, size)
    print(f"  filled: {size.describe()}", flush=True)
    found: dict[str, list[Canceled]] = {way: [] for way in WAYS}
    for number in range(rounds):
        turn = list(WAYS)
        for way in reversed(turn) if number % 2 else turn:
            async with where.copy(template) as url:
                found[way].append(await WAYS[way](where, url, size.stale))
            print(f"  round {number + 1} of {rounds}: {way}: {found[way][-1].per_second:,.0f}/s", flush=True)
    if len({one.effect for rows in found.values() for one in rows}) != 1:
        raise WrongResultError("The job and the statements left different rows behind.")
    job, statements = found.values()
    ratios = [mine.per_second / other.per_second for mine, other in zip(job, statements, strict=True)]
    return _table(size, found), [at_least("rate of the job, by that of the statements", ratios, LEAST)]


def _table(size: FleetSize, found: dict[str, list[Canceled]]) -> Table:
    columns = (
        "shipments/s",
        "transaction p50, ms",
        "transaction p95, ms",
        "longest, ms",
        "CPU here, us each",
        "CPU of the server, us each",
    )
    table = Table("Cancellation of stale shipments", columns, size.describe() + ".")
    for way, rows in found.items():
        times = [([one.batch_ms(share) for one in rows], ".0f") for share in (0.5, 0.95, 1.0)]
        used = [
            ([one.used.here / one.shipments * 1e6 for one in rows], ".0f"),
            ([one.used.server / one.shipments * 1e6 for one in rows], ".0f"),
        ]
        table.row(way, ([one.per_second for one in rows], ",.0f"), *times, *used)
    job = sorted(found["the job"], key=lambda one: one.per_second)[len(found["the job"]) // 2]
    table.note(f"where the job's time went: {job.shares}; {len(job.batches)} batches")
    return table


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--shipments", type=int, help="of which three quarters are stale (20,000)")
    parser.add_argument("--tenants", type=int, default=10, help="organizations (10)")
    parser.add_argument("--rounds", type=int, help="5, or 1 with --quick")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, with the conditions")
    given = parser.parse_args()
    size = FleetSize(given.shipments or (2_000 if given.quick else 20_000), given.tenants)
    rounds = given.rounds or (1 if given.quick else 5)
    if min(size.shipments // 4, size.tenants, rounds) < 1:
        parser.error("tenants and rounds are at least 1, shipments at least 4")
    with site() as where:
        conditions = read_conditions(where)
        print("\n".join(f"{name}: {value}" for name, value in conditions.items()), flush=True)
        table, verdicts = asyncio.run(bench(where, size, rounds))
    verdicts = [] if given.quick else verdicts
    print("\n".join(["", table.as_text(), "", *map(str, verdicts)]))
    if given.markdown:
        given.markdown.write_text(as_markdown(conditions, [table], verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
