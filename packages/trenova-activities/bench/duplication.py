"""What a hundred copies of a shipment with twenty stops cost on PostgreSQL, by the bare insertion of the same rows.

The job runs in this process, through its activity: the request's key, the source locked, pro numbers reserved, the
copies with moves, stops, commodities and charges, an audit entry each, all in one transaction. The raw inserts are one
``INSERT ... SELECT`` per table, in one transaction, of the rows that the job has just made, kept aside in temporary
tables, under other ids; indexes, foreign keys and triggers are the same. Every round makes new copies.
Exits 1 when the target is missed; ``--quick`` makes too few rounds to judge by.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bulk.conditions import read_conditions
from bulk.duplicates import Duplicated, duplicate
from bulk.fleet import lay_route
from bulk.site import Site, site
from bulk.tables import Table, as_markdown
from bulk.verdicts import Verdict, at_most

from trenova_activities.database import Database, DatabaseOptions, ShipmentActivities

MOST = 3.0
COPIES = 100


async def bench(where: Site, rounds: int) -> tuple[Table, list[Verdict]]:
    """Lay the route and duplicate it, round after round; the first is not counted."""
    url = await where.current_tms()
    await lay_route(url)
    found: list[Duplicated] = []
    async with Database.open(DatabaseOptions(url=url)) as database:
        activities = await ShipmentActivities.open(database)
        for number in range(rounds + 1):
            one = await duplicate(activities, url, copies=COPIES, key=f"round-{number}")
            if number:
                found.append(one)
                print(
                    f"  round {number} of {rounds}: {one.job_s * 1000:.0f} ms, raw {one.raw_s * 1000:.0f} ms",
                    flush=True,
                )
    table = Table(
        f"{COPIES} copies of a shipment with 20 stops", ("ms", "rows/s"), f"{found[0].rows:,} rows, audit included."
    )
    for name, times in (("the job", [one.job_s for one in found]), ("raw inserts", [one.raw_s for one in found])):
        table.row(name, ([took * 1000 for took in times], ".0f"), ([found[0].rows / took for took in times], ",.0f"))
    return table, [at_most("time of the job, by that of the raw inserts", [one.ratio for one in found], MOST)]


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--rounds", type=int, help="20, or 2 with --quick")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, with the conditions")
    given = parser.parse_args()
    rounds = given.rounds or (2 if given.quick else 20)
    if rounds < 1:
        parser.error("rounds are at least 1")
    with site() as where:
        conditions = read_conditions(where)
        print("\n".join(f"{name}: {value}" for name, value in conditions.items()), flush=True)
        table, verdicts = asyncio.run(bench(where, rounds))
    verdicts = [] if given.quick else verdicts
    print("\n".join(["", table.as_text(), "", *map(str, verdicts)]))
    if given.markdown:
        given.markdown.write_text(as_markdown(conditions, [table], verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
