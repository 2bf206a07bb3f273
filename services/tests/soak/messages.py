"""Whether every message that was planned arrived, and which arrived again: at least once is what is promised."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from receivers import Arrived
from sqlalchemy import Row, select
from tms_rows import Tms

CHANNELS = ("email", "webhook")


@dataclass(frozen=True)
class Messages:
    """How many there were.

    Attributes:
        planned: Deliveries, by channel.
        repeated: Messages that arrived although they had arrived before, by channel; each marked ``ambiguous``.
        wrong: What is not as promised, for people.
    """

    planned: Counter[str]
    repeated: Counter[str]
    wrong: list[str]

    def __str__(self) -> str:
        return ", ".join(
            f"{self.planned[one]} by {one} of which {self.repeated[one]} came once more" for one in CHANNELS
        )


def counted(deliveries: Sequence[Row[Any]], arrived: Iterable[Arrived], told: Iterable[str]) -> Messages:
    """Compare what was planned with what the receivers took.

    Args:
        deliveries: Rows of ``channel_deliveries``, at rest.
        arrived: What the receivers took.
        told: Ids of the workflows that had to tell somebody, by every channel.
    """
    by_key: dict[tuple[str, str], list[Arrived]] = defaultdict(list)
    for one in arrived:
        by_key[one.channel, one.delivery].append(one)
    planned = {(row.channel, row.key): row for row in deliveries}
    of_run: dict[str, list[str]] = defaultdict(list)
    for row in deliveries:
        of_run[row.workflow_id].append(row.channel)
    found: Counter[str] = Counter()
    repeated: Counter[str] = Counter()
    for key, row in planned.items():
        took = by_key.get(key, [])
        repeated[row.channel] += max(0, len(took) - 1)
        found.update(f"{row.channel} {what}" for what in _wrong(row, took))
    found.update(f"{one.channel} that nobody planned" for one in arrived if (one.channel, one.delivery) not in planned)
    found.update(
        f"notification that left by {sorted(of_run[run])}" for run in told if sorted(of_run[run]) != list(CHANNELS)
    )
    return Messages(
        planned=Counter(row.channel for row in deliveries),
        repeated=repeated,
        wrong=[f"{count} times: {what}" for what, count in sorted(found.items())],
    )


def _wrong(row: Row[Any], took: Sequence[Arrived]) -> Iterable[str]:
    """Yield what is wrong with one delivery."""
    if row.state != "delivered":
        yield f"on record as {row.state}"
    elif not took:
        yield "on record as delivered that never arrived"
    if len(took) > row.attempts:
        yield "that arrived more often than it was sent on record"
    elif len(took) > 1 and not row.ambiguous:
        yield "that arrived again and is not on record as ambiguous"
    if len({one.digest for one in took}) > 1:
        yield "whose repetition is another message"
    if not all(one.sound for one in took):
        yield "with ids that disagree or a signature that is none"


async def deliveries(tms: Tms) -> Sequence[Row[Any]]:
    table = tms.database.jobs.channel_deliveries
    async with tms.database.read() as connection:
        return (await connection.execute(select(table))).all()
