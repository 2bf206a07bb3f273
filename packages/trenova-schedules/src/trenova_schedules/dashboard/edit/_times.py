"""When times that nothing has yet would fire, in words and instants, and what is dangerous about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client
from temporalio.client import ScheduleSpec as ClientScheduleSpec

from trenova_schedules._previewing import Hazard
from trenova_schedules._previewing._limits import LONGEST_WINDOW
from trenova_schedules._previewing._lint import LINTED
from trenova_schedules._previewing._preview import never, spec_hazards
from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import unsaved
from trenova_schedules._reading._when import calendar_of, interval_of
from trenova_schedules.dashboard._words import duration_in_words
from trenova_schedules.dashboard.schedule._cron_words import calendar_as_cron, calendar_in_words, cron_in_words

_TWO_DAYS: Final = timedelta(days=2)


@dataclass(frozen=True)
class Danger:
    """One kind of hazard.

    Attributes:
        hazard: The first of its kind.
        times: How often it happens in the two years that are looked at.
    """

    hazard: Hazard
    times: int


@dataclass(frozen=True, kw_only=True)
class TimesView:
    """When something would fire.

    Attributes:
        rule: As it was written; empty for what has no text of its own.
        words: The same in words; as the server reads it where there are no words.
        zone: In which calendars are read.
        fires: The next ones, UTC, without jitter.
        more: Whether there are more.
        dangers: What is dangerous in the two years from the first, the worst first.
    """

    rule: str
    words: str
    zone: str
    fires: tuple[datetime, ...]
    more: bool
    dangers: tuple[Danger, ...]

    @property
    def sentence(self) -> str:
        """What it says, for people and screen readers."""
        return f"{self.words[:1].upper()}{self.words[1:]}"


async def times_view(client: Client, spec: ScheduleSpec | ClientScheduleSpec, cron: str | None, *, n: int) -> TimesView:
    """Ask the server when these times fire, without saving them.

    Args:
        client: With the right to create and delete schedules.
        spec: As the wire or the SDK has it.
        cron: The string that says when, if one does.
        n: How many fires at most.

    Raises:
        InvalidInputError: The server refuses them.
        temporalio.service.RPCError: The server could not be asked.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    fires: list[datetime] = []
    async with unsaved(client, spec) as asked:
        read = asked.spec
        async for at in times_of(client, asked.id, read, now, now + LONGEST_WINDOW):
            fires.append(at)
            if len(fires) > n:
                break
    begin = max(now, fires[0] - _TWO_DAYS) if fires else now
    hazards = await spec_hazards(client, read, cron, begin, begin + LINTED)
    if not fires:
        hazards.append(never(now + LONGEST_WINDOW))
    return TimesView(
        rule=cron or "",
        words=_words(read, cron),
        zone=read.timezone_name or "UTC",
        fires=tuple(fires[:n]),
        more=len(fires) > n,
        dangers=_dangers(hazards),
    )


def _dangers(hazards: Iterable[Hazard]) -> tuple[Danger, ...]:
    kinds: dict[str, list[Hazard]] = {}
    for one in hazards:
        kinds.setdefault(one.kind, []).append(one)
    order = ("error", "warning", "notice")
    found = [Danger(of_kind[0], len(of_kind)) for of_kind in kinds.values()]
    return tuple(sorted(found, key=lambda one: order.index(one.hazard.severity)))


def _words(spec: ScheduleSpec, cron: str | None) -> str:
    if cron is not None and (words := cron_in_words(cron)):
        return words
    calendars = [calendar_of(one) for one in spec.structured_calendar]
    intervals = [interval_of(one) for one in spec.interval]
    told = [calendar_in_words(one) or f"where all of {calendar_as_cron(one)} match" for one in calendars]
    told += [
        f"every {duration_in_words(one.every)}{f' and {duration_in_words(one.offset)}' if one.offset else ''}, "
        "counted from 1970 whatever the zone"
        for one in intervals
    ]
    return "; or ".join(told)
