"""What was found beside what it should be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One bar: what is judged, what was found, what it may be, and whether it holds."""

    what: str
    found: object
    bar: str
    holds: bool


def as_text(conditions: Mapping[str, object], figures: Mapping[str, object], verdicts: Iterable[Verdict]) -> str:
    """Return it all as lines."""
    lines = [f"{name:38} {value}" for name, value in {**conditions, **figures}.items()]
    judged = [f"{'holds ' if one.holds else 'MISSED'} {one.what:44} {one.found!s:>12}  ({one.bar})" for one in verdicts]
    return "\n".join([*lines, "", *judged])
